"""Keeping the entries of providers and authorities: what changes, who is told, what is refused."""

from __future__ import annotations

import contextlib
import json
import threading
from typing import Any

import pytest
from sqlalchemy import select, update

from liaison.documents.letters import compose
from liaison.domain.register_entry import plain
from liaison.domain.vocabulary import HoldingKind, Role, Status
from liaison.errors import Forbidden, Invalid, LiaisonError, NotFound, StaleFactor
from liaison.models import (
    Authority,
    Entry,
    Holding,
    Invitation,
    Message,
    Person,
    PersonRole,
    Provider,
)
from liaison.models.base import new_id
from liaison.queries import registry
from liaison.queries.proposals import propose
from liaison.services import authorities, first_administrators, holdings, invitations, providers
from liaison.services.organisations import AlreadyDone
from tests.world import World

ARARAT: dict[str, Any] = {
    "name": "Ararat Fibre",
    "country": "AM",
    "time_zone": "Asia/Yerevan",
    "domains": ["ararat.example"],
    "as_numbers": ["AS64510"],
    "address_ranges": ["2001:db8:aa::/48"],
    "phone_prefixes": ["+37477"],
    "services": ["Fibre"],
    "languages": ["hy"],
}
COURT: dict[str, Any] = {
    "code": "PG",
    "name": "Prosecutor General’s Office",
    "kind": "prosecution",
    "country": "AM",
    "time_zone": "Asia/Yerevan",
    "phone": "+37410000200",
    "email": "desk@prosecution.example",
    "domains": ["prosecution.example"],
}
LINK = "https://cp.example/invitation/signed-token"
BASE = "https://cp.example"


def register(world: World, by: str = "administrator", **changes: Any) -> Provider:
    with world.database.transaction() as session:
        data = {**ARARAT, **changes}
        return providers.register_provider(session, world.actor(by), data, world.now)


def stored(world: World, name: str) -> Provider:
    with world.database.reading() as session:
        return session.scalars(select(Provider).where(Provider.name == name)).one()


def change(
    world: World,
    which: str,
    by: str = "administrator",
    seen: str | None = None,
    reason: str = "",
    **changes: Any,
) -> Provider:
    row = stored(world, which)
    data = {**plain(providers.entry_of(row)), **changes}
    with world.database.transaction() as session:
        return providers.change_provider(
            session,
            world.actor(by),
            row.id,
            data,
            providers.version(row) if seen is None else seen,
            world.now,
            reason=reason,
            base_url=BASE,
        )


def told(world: World, type_: str) -> list[dict[str, Any]]:
    with world.database.reading() as session:
        rows = session.scalars(select(Entry.data).where(Entry.type == f"portal.{type_}"))
        return [json.loads(data) for data in rows if data is not None]


def letters(world: World) -> list[Message]:
    with world.database.reading() as session:
        query = select(Message).where(Message.letter == "register/entry_changed")
        return list(session.scalars(query.order_by(Message.address)))


def keys_of(world: World, name: str) -> set[str]:
    row = stored(world, name)
    with world.database.reading() as session:
        return set(session.scalars(select(Holding.key).where(Holding.provider_id == row.id)))


def faults(refused: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {fault.pointer: fault.detail for fault in refused.value.errors}


def test_a_provider_is_registered_and_found_at_once(world: World) -> None:
    made = register(world)
    assert made.changed_at == world.now
    with world.database.reading() as session:
        for text in ("2001:db8:aa::7", "+37477123456", "x@mail.ararat.example", "AS64510"):
            assert propose(session, text)[0].provider.id == made.id
    (entry,) = told(world, "provider_registered")
    assert entry["name"] == "Ararat Fibre"
    assert entry["changes"]["domains"] == {"before": None, "after": ["ararat.example"]}
    assert entry["by"]["name"] == "Sona Martirosyan"


@pytest.mark.parametrize("who", ["officer", "supervisor", "auditor", "spoc", "program"])
def test_only_administrators_of_an_authority_keep_the_register(world: World, who: str) -> None:
    with pytest.raises(Forbidden):
        register(world, by=who)
    with pytest.raises(Forbidden):
        change(world, "Meridian Telecom", by=who, country="GE")


def test_a_providers_administrator_does_not_write_its_own_entry(world: World) -> None:
    with pytest.raises(Forbidden):
        change(world, "Meridian Telecom", by="provider_administrator", domains=["evil.example"])


def test_a_thief_with_a_stolen_session_changes_no_entry(world: World) -> None:
    row = stored(world, "Meridian Telecom")
    actor = world.actor("administrator", fresh=False)
    data = plain(providers.entry_of(row))
    with world.database.transaction() as session:
        with pytest.raises(StaleFactor):
            providers.register_provider(session, actor, ARARAT, world.now)
        with pytest.raises(StaleFactor):
            providers.change_provider(session, actor, row.id, data, "", world.now)
        with pytest.raises(StaleFactor):
            authorities.register_authority(session, actor, COURT, world.now)


def test_a_change_is_logged_with_before_and_after_and_the_provider_is_told(world: World) -> None:
    change(world, "Meridian Telecom", address_ranges=["198.51.100.0/25"], country="GE")
    (entry,) = told(world, "provider_changed")
    assert entry["changes"] == {
        "country": {"before": "AM", "after": "GE"},
        "address_ranges": {
            "before": ["198.51.100.0/24", "2001:db8:10::/48"],
            "after": ["198.51.100.0/25"],
        },
    }
    assert "198.51.100.0/24" not in keys_of(world, "Meridian Telecom")
    (letter,) = letters(world)
    assert letter.address == "t.avagyan@meridian.example"
    text = compose(letter.letter, letter.params, BASE, "live").text
    assert "the country, the address ranges" in text
    assert "Sona Martirosyan of National 24/7 Contact Point" in text
    assert f"{BASE}/providers/{world.register.providers['Meridian Telecom']}" in text
    assert "198.51.100" not in text


def test_what_says_the_same_changes_nothing_and_tells_nobody(world: World) -> None:
    before = stored(world, "Meridian Telecom").changed_at
    change(world, "Meridian Telecom")
    assert stored(world, "Meridian Telecom").changed_at == before
    assert told(world, "provider_changed") == []
    assert letters(world) == []


def test_whoever_was_overtaken_changes_nothing(world: World) -> None:
    old = providers.version(stored(world, "Meridian Telecom"))
    change(world, "Meridian Telecom", country="GE")
    # The clock has not moved on since: the two changes are told apart all the same.
    seen = providers.version(stored(world, "Meridian Telecom"))
    change(world, "Meridian Telecom", country="AM")
    for stale in (old, seen, ""):
        with pytest.raises(providers.EntryChanged, match="changed since you read it"):
            change(world, "Meridian Telecom", seen=stale, country="NL")
    assert stored(world, "Meridian Telecom").country == "AM"


def test_another_status_needs_a_reason(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        change(world, "Meridian Telecom", status="suspended", country="??", reason=" ")
    assert set(faults(refused)) == {"/country", "/reason"}
    change(world, "Meridian Telecom", status="suspended", reason="The licence was withdrawn.")
    assert stored(world, "Meridian Telecom").status is Status.SUSPENDED
    (entry,) = told(world, "provider_changed")
    assert entry["reason"] == "The licence was withdrawn."


def test_what_is_another_providers_is_refused_by_name_and_nothing_is_kept(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        register(
            world,
            domains=["ararat.example", "norvik.example"],
            address_ranges=["198.51.100.0/24", "198.51.100.0/26"],
            as_numbers=["AS64499"],
        )
    said = faults(refused)
    assert said["/domains"].startswith("norvik.example is registered for Norvik Mobile.")
    assert said["/address_ranges"].startswith("198.51.100.0/24 is registered for Meridian Telecom")
    assert "Sevan Hosting" in said["/as_numbers"]
    with world.database.reading() as session:
        assert session.scalar(select(Provider).where(Provider.name == "Ararat Fibre")) is None
        assert session.get(Holding, (HoldingKind.DOMAIN, "ararat.example")) is None


def test_a_name_that_differs_by_its_case_only_is_taken(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        register(world, name="NORVIK mobile")
    assert "Norvik Mobile is registered already" in faults(refused)["/name"]
    change(world, "Norvik Mobile", name="NORVIK Mobile")
    assert stored(world, "NORVIK Mobile").id == world.register.providers["Norvik Mobile"]


def test_a_key_goes_from_one_provider_to_another(world: World) -> None:
    change(world, "Norvik Mobile", phone_prefixes=[])
    change(world, "Sevan Hosting", phone_prefixes=["+37491"])
    with world.database.reading() as session:
        assert propose(session, "+37491000118")[0].provider.name == "Sevan Hosting"


def test_a_name_in_any_script_is_found_in_any_case(world: World) -> None:
    made = register(world, name="Ärger Telekom")
    with world.database.reading() as session:
        for name in ("Ärger Telekom", "ärger telekom", " ÄRGER TELEKOM ", "A\u0308rger Telekom"):
            found = registry.provider_named(session, name)
            assert found is not None
            assert found.id == made.id
    with pytest.raises(Invalid) as refused:
        register(world, name="ärger Telekom", domains=[])
    assert set(faults(refused)) == {"/name"}


def test_no_provider_is_named_like_the_domain_of_another(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        register(world, name="Meridian.Example")
    assert "meridian.example is a domain of Meridian Telecom" in faults(refused)["/name"]
    with pytest.raises(Invalid) as refused:
        change(world, "Norvik Mobile", name="meridian.example")
    assert set(faults(refused)) == {"/name"}
    change(world, "Norvik Mobile", name="norvik.example")
    register(world, name="later.example", domains=[])
    with pytest.raises(Invalid) as refused:
        change(world, "Meridian Telecom", domains=["meridian.example", "later.example"])
    assert set(faults(refused)) == {"/domains"}


def test_two_that_take_domains_from_each_other_at_once_are_told_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, insert = threading.Barrier(2), holdings._insert

    def slowly(*args: Any) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(1)
        insert(*args)

    monkeypatch.setattr(holdings, "_insert", slowly)
    actor, now, acts = world.actor("administrator"), world.now, []
    for name, domain in (("Norvik Mobile", "sevan"), ("Sevan Hosting", "norvik")):
        row = stored(world, name)
        entry = {**plain(providers.entry_of(row)), "domains": [f"{domain}.example"]}
        acts.append(
            lambda session, row=row, entry=entry: providers.change_provider(
                session, actor, row.id, entry, providers.version(row), now
            )
        )
    answers = at_once(world, *acts)
    assert all(isinstance(answer, Invalid) for answer in answers), answers


def at_once(world: World, *acts: Any) -> list[object]:
    """What became of acts in as many transactions that all begin together."""
    gate = threading.Barrier(len(acts))
    answers: list[object] = [None] * len(acts)

    def run(place: int, act: Any) -> None:
        gate.wait()
        try:
            with world.database.transaction() as session:
                answers[place] = act(session)
        except LiaisonError as refused:
            answers[place] = refused

    threads = [threading.Thread(target=run, args=item) for item in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return answers


def test_of_two_who_register_one_domain_at_once_one_is_told_so(world: World) -> None:
    actor, now = world.actor("administrator"), world.now

    def act(name: str) -> Any:
        data = {**ARARAT, "name": name}
        return lambda session: providers.register_provider(session, actor, data, now)

    answers = at_once(world, act("Ararat Fibre"), act("Ararat Cable"))
    (refused,) = [answer for answer in answers if isinstance(answer, LiaisonError)]
    assert isinstance(refused, Invalid)
    assert {fault.pointer for fault in refused.errors} == {
        "/domains",
        "/as_numbers",
        "/address_ranges",
        "/phone_prefixes",
    }
    with world.database.reading() as session:
        names = session.scalars(select(Provider.name).where(Provider.name.like("Ararat%")))
        assert len(list(names)) == 1


def test_of_two_who_register_one_name_at_once_one_is_told_so(world: World) -> None:
    actor, now = world.actor("administrator"), world.now

    def act(domain: str) -> Any:
        data = {"name": "Ararat", "country": "AM", "time_zone": "UTC", "domains": [domain]}
        return lambda session: providers.register_provider(session, actor, data, now)

    answers = at_once(world, act("a.example"), act("b.example"))
    (refused,) = [answer for answer in answers if isinstance(answer, LiaisonError)]
    assert isinstance(refused, Invalid)
    assert refused.errors[0].pointer == "/name"


def test_of_two_whose_names_differ_by_case_at_once_one_is_told_so(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    together, free = threading.Barrier(2), providers._name_is_free

    def slowly(*args: Any) -> None:
        free(*args)
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(1)

    monkeypatch.setattr(providers, "_name_is_free", slowly)
    actor, now = world.actor("administrator"), world.now

    def act(name: str) -> Any:
        data = {"name": name, "country": "AM", "time_zone": "UTC"}
        return lambda session: providers.register_provider(session, actor, data, now)

    answers = at_once(world, act("Ararat Net"), act("ARARAT NET"))
    (refused,) = [answer for answer in answers if isinstance(answer, LiaisonError)]
    assert isinstance(refused, Invalid)
    with world.database.reading() as session:
        assert registry.provider_named(session, "ararat net") is not None


def test_rows_follow_the_lists_when_they_are_written_by_hand(world: World) -> None:
    with world.database.transaction() as session:
        row = session.get_one(Provider, world.register.providers["Sevan Hosting"])
        row.domains = ["sevan.example", "sevan-cloud.example"]
        holdings.write(session, row)
    assert "sevan-cloud.example" in keys_of(world, "Sevan Hosting")


def test_an_absent_provider_is_nobodys(world: World) -> None:
    with world.database.transaction() as session, pytest.raises(NotFound):
        providers.change_provider(
            session, world.actor("administrator"), new_id(), ARARAT, "", world.now
        )


# Authorities


def authority(world: World, code: str) -> Authority:
    with world.database.reading() as session:
        return session.scalars(select(Authority).where(Authority.code == code)).one()


def test_an_authority_is_registered_beside_the_others(world: World) -> None:
    with world.database.transaction() as session:
        authorities.register_authority(session, world.actor("administrator"), COURT, world.now)
    row = authority(world, "PG")
    assert (row.kind.value, row.status) == ("prosecution", Status.ACTIVE)
    (entry,) = told(world, "authority_registered")
    assert entry["organisation"] == "portal"  # every auditor reads it
    twice = {**COURT, "name": "landelijk 24/7 contactpunt"}
    with world.database.transaction() as session, pytest.raises(Invalid) as refused:
        authorities.register_authority(session, world.actor("administrator"), twice, world.now)
    assert set(faults(refused)) == {"/code", "/name"}


def test_an_authority_changes_and_its_other_administrators_hear_of_it(world: World) -> None:
    actor = world.actor("administrator")
    ours = authority(world, "CP")
    with world.database.transaction() as session:
        second = session.get_one(Person, world.person("second_officer").id)
        second.roles = [PersonRole(role=Role.ADMINISTRATOR)]
    seen = authorities.version(ours)
    data = {**plain(authorities.entry_of(ours)), "office_hours": "08:00 to 18:00"}
    with world.database.transaction() as session:
        authorities.change_authority(session, actor, ours.id, data, seen, world.now, base_url=BASE)
    assert "d.sahakyan@police.example" in [letter.address for letter in letters(world)]
    (entry,) = told(world, "authority_changed")
    assert entry["changes"] == {"office_hours": {"before": "24/7", "after": "08:00 to 18:00"}}
    with world.database.transaction() as session, pytest.raises(providers.EntryChanged):
        authorities.change_authority(
            session, actor, ours.id, {**data, "phone": "+31200000000"}, seen, world.now
        )


def test_an_authority_with_administrators_keeps_its_own_entry(world: World) -> None:
    actor = world.actor("administrator")
    nl = authority(world, "NL")
    seen = authorities.version(nl)
    data = {**plain(authorities.entry_of(nl)), "domains": ["elsewhere.example"]}
    with world.database.transaction() as session:
        jan = session.get_one(Person, world.person("foreign_officer").id)
        jan.roles = [PersonRole(role=Role.ADMINISTRATOR)]
    with world.database.transaction() as session, pytest.raises(Forbidden, match="keeps its own"):
        authorities.change_authority(session, actor, nl.id, data, seen, world.now, base_url=BASE)
    assert authority(world, "NL").domains == nl.domains


def test_the_code_of_an_authority_never_changes_and_a_status_needs_a_reason(world: World) -> None:
    row = authority(world, "NL")
    data = {**plain(authorities.entry_of(row)), "code": "NX", "status": "closed"}
    with world.database.transaction() as session, pytest.raises(Invalid) as refused:
        authorities.change_authority(
            session,
            world.actor("administrator"),
            row.id,
            data,
            authorities.version(row),
            world.now,
        )
    assert set(faults(refused)) == {"/code", "/reason"}


# The first administrator


def invite(
    world: World, name: str, email: str, by: str = "administrator", *, fresh: bool = True
) -> Invitation:
    with world.database.transaction() as session:
        return first_administrators.invite_first_administrator(
            session,
            world.vault,
            world.actor(by, fresh=fresh),
            Provider,
            world.register.providers[name],
            email,
            "Nare Sahakyan",
            world.now,
            link=lambda _: LINK,
        )


def test_a_provider_without_administrator_gets_its_first_one(world: World) -> None:
    norvik = world.register.providers["Norvik Mobile"]
    row = invite(world, "Norvik Mobile", "n.sahakyan@norvik.example")
    assert (row.provider_id, row.authority_id) == (norvik, None)
    assert row.roles == ["provider_administrator"]
    with world.database.reading() as session:
        letter = session.scalars(select(Message).where(Message.letter == "invitation")).one()
    inviter = "Sona Martirosyan of National 24/7 Contact Point invites you"
    assert inviter in compose(letter.letter, letter.params, BASE, "live").text
    (entry,) = told(world, "invited")
    assert entry["organisation"] == f"provider:{row.provider_id}"
    with pytest.raises(AlreadyDone, match="invited already"):
        invite(world, "Norvik Mobile", "second@norvik.example")
    with world.database.transaction() as session:
        assert invitations.pending(session, row.id, world.now).email == row.email
        first_administrators.revoke_first_administrator(
            session, world.actor("administrator"), Provider, norvik, world.now
        )
    invite(world, "Norvik Mobile", "second@norvik.example")


def test_an_organisation_with_an_administrator_invites_its_own_people(world: World) -> None:
    with pytest.raises(AlreadyDone, match="has an administrator already"):
        invite(world, "Meridian Telecom", "mole@meridian.example")
    with world.database.transaction() as session:
        session.execute(
            update(Person)
            .where(Person.email == "t.avagyan@meridian.example")
            .values(disabled_at=world.now)
        )
    invite(world, "Meridian Telecom", "mole@meridian.example")


def test_one_administrator_alone_takes_no_provider_over(world: World) -> None:
    with world.database.transaction() as session:
        gone = update(Person).where(Person.email == "t.avagyan@meridian.example")
        session.execute(gone.values(disabled_at=world.now))
    change(world, "Meridian Telecom", domains=["meridian.example", "evil.example"])
    supervisor, spoc = (world.person(who).email for who in ("supervisor", "spoc"))
    assert {supervisor, spoc} <= {letter.address for letter in letters(world)}
    with pytest.raises(Invalid) as refused:
        invite(world, "Meridian Telecom", "thief@evil.example")
    assert "less than 72 hours ago. Until 2026-11-26T" in faults(refused)["/email"]
    change(world, "Meridian Telecom", country="GE")  # another change makes it no older
    world.clock.move(hours=71)
    with pytest.raises(Invalid):
        invite(world, "Meridian Telecom", "thief@mail.evil.example")
    world.clock.move(hours=1)
    invite(world, "Meridian Telecom", "thief@evil.example")
    with world.database.reading() as session:
        query = select(Message).where(Message.letter == "register/first_administrator")
        told = list(session.scalars(query))
    assert {supervisor, spoc} <= {letter.address for letter in told}
    text = compose(told[0].letter, told[0].params, BASE, "live").text
    assert "Nare Sahakyan (thief@evil.example)" in text


def test_at_an_older_domain_the_first_administrator_is_invited_at_once(world: World) -> None:
    change(world, "Norvik Mobile", domains=["norvik.example", "new.example"])
    invite(world, "Norvik Mobile", "n.sahakyan@norvik.example")


def test_the_invitation_asks_what_every_invitation_asks(world: World) -> None:
    for email in ("n.sahakyan@n0rvik.example", "n.sahakyan@gmail.com", "x@police.example"):
        with pytest.raises(Invalid) as refused:
            invite(world, "Norvik Mobile", email)
        assert set(faults(refused)) == {"/email"}
    with pytest.raises(StaleFactor):
        invite(world, "Norvik Mobile", "n.sahakyan@norvik.example", fresh=False)
    for who in ("officer", "supervisor", "provider_administrator", "norvik_spoc"):
        with pytest.raises(Forbidden):
            invite(world, "Norvik Mobile", "n.sahakyan@norvik.example", by=who)


def test_of_two_who_invite_a_first_administrator_at_once_one_is_told_so(world: World) -> None:
    actor, now = world.actor("administrator"), world.now
    norvik = world.register.providers["Norvik Mobile"]

    def act(email: str) -> Any:
        return lambda session: first_administrators.invite_first_administrator(
            session, world.vault, actor, Provider, norvik, email, "N", now, link=lambda _: LINK
        )

    answers = at_once(world, act("a@norvik.example"), act("b@norvik.example"))
    assert [isinstance(answer, AlreadyDone) for answer in answers].count(True) == 1


def test_an_authority_without_administrator_gets_its_first_one(world: World) -> None:
    nl = authority(world, "NL")
    with world.database.transaction() as session:
        row = first_administrators.invite_first_administrator(
            session,
            world.vault,
            world.actor("administrator"),
            Authority,
            nl.id,
            "b.jansen@politie.example",
            "Bas Jansen",
            world.now,
            link=lambda _: LINK,
        )
        assert (row.authority_id, row.roles) == (nl.id, ["administrator"])
    (entry,) = told(world, "invited")
    assert entry["organisation"] == "portal"
