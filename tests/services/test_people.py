"""People come by invitation and go at once: stories, and what an attacker tries."""

from __future__ import annotations

import threading
from base64 import b32encode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, select

from liaison.domain.actors import Actor
from liaison.domain.answer import Refusal
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Ground, Role
from liaison.errors import (
    Forbidden,
    Invalid,
    InvalidTransition,
    LiaisonError,
    NotFound,
    StaleFactor,
    Unauthenticated,
)
from liaison.models import (
    ApiKey,
    Authority,
    Entry,
    Message,
    Order,
    OrderReview,
    Person,
    PersonRole,
    RecoveryCode,
    SignIn,
)
from liaison.services import (
    accounts,
    answers,
    invitations,
    keys,
    ledger,
    orders,
    people,
    register,
    reviews,
    totp,
)
from liaison.services.invitations import LinkClosed
from tests.world import World

NEW = "z.ghukasyan@police.example"
GOOD = "violet trains at noon"
LINK = "https://cp.example/invitation/signed-token"


def invite(
    world: World,
    email: str = NEW,
    roles: tuple[str, ...] = ("officer",),
    by: str = "administrator",
    *,
    fresh: bool = True,
    name: str = "Zara Ghukasyan",
) -> UUID:
    with world.database.transaction() as session:
        actor = world.actor(by, fresh=fresh)
        row = invitations.invite(
            session, world.vault, actor, email, name, roles, world.now, link=lambda _: LINK
        )
        return row.id


def secret_for(invitation_id: UUID) -> str:
    """The secret that the link's page has shown: one for each link, known to these tests."""
    return b32encode(sha256(invitation_id.bytes).digest()[:20]).decode()


def code_for(world: World, invitation_id: UUID) -> str:
    return totp.current_code(secret_for(invitation_id), world.now)


def accept(
    world: World, invitation_id: UUID, password: str = GOOD, code: str | None = None
) -> tuple[Person, list[str]]:
    given = code or code_for(world, invitation_id)
    with world.database.transaction() as session:
        secret = secret_for(invitation_id)
        return invitations.accept(
            session, world.vault, invitation_id, secret, password, given, world.now
        )


def faults(refused: pytest.ExceptionInfo[Invalid]) -> dict[str, str]:
    return {error.pointer: error.detail for error in refused.value.errors}


def noted(world: World, type_: str) -> list[dict[str, Any]]:
    with world.database.reading() as session:
        found = session.scalars(
            select(Entry)
            .where(Entry.stream == ledger.PORTAL, Entry.type == f"portal.{type_}")
            .order_by(Entry.seq)
        )
        return [ledger.entry_data(entry) or {} for entry in found]


# Invited, enrolled


def test_an_invitation_becomes_an_account_that_signs_in(world: World) -> None:
    invitation = invite(world, roles=("supervisor", "officer"))
    person, codes = accept(world, invitation)
    assert person.email == NEW
    assert person.role_set == {Role.OFFICER, Role.SUPERVISOR}
    assert person.authority_id == world.register.authorities["CP"]
    assert len(set(codes)) == 10
    with world.database.reading() as session:
        stored = set(session.scalars(select(RecoveryCode.code_hash)))
    with world.database.transaction() as session:
        tried = accounts.count_try(session, NEW, "198.51.100.9", world.now)
    assert len(stored) == 10
    assert not stored & set(codes)
    assert isinstance(tried, accounts.Tried)
    assert tried.fits(GOOD)
    (told,) = noted(world, "enrolled")
    assert told["person"] == str(person.id)
    assert told["organisation"] == f"authority:{person.authority_id}"
    assert GOOD not in str(told) and codes[0] not in str(told)


def test_the_letter_carries_the_link_and_the_log_does_not(world: World) -> None:
    invite(world)
    with world.database.reading() as session:
        letter = session.scalars(select(Message).where(Message.letter == "invitation")).one()
        assert letter.address == NEW
        assert world.vault.open(letter.sealed_link or "") == LINK
        assert LINK not in str(letter.params)
        assert letter.params["roles"] == "Officer"
        entries = session.scalars(select(Entry.data)).all()
    assert LINK not in str(entries)
    (told,) = noted(world, "invited")
    assert told["email"] == NEW
    assert told["by"]["name"] == world.person("administrator").name


def test_the_code_that_enrolled_does_not_sign_in_too(world: World) -> None:
    invitation = invite(world)
    code = code_for(world, invitation)
    person, _ = accept(world, invitation, code=code)
    with world.database.transaction() as session:
        again = totp.check(
            session, world.vault, session.get_one(Person, person.id), code, world.now
        )
    assert again == totp.USED


def test_password_and_code_are_both_checked_and_nothing_is_used_up(world: World) -> None:
    invitation = invite(world)
    with pytest.raises(Invalid) as refused:
        accept(world, invitation, password="ZaraGhukasyan1", code="000000")
    assert set(faults(refused)) == {"/password", "/code"}
    with pytest.raises(Invalid) as refused:
        accept(world, invitation, password="police.2026!!", code=code_for(world, invitation))
    assert set(faults(refused)) == {"/password"}
    accept(world, invitation)


def test_a_code_of_another_secret_does_not_fit(world: World) -> None:
    invitation, other = invite(world), invite(world, "b.new@police.example")
    with pytest.raises(Invalid) as refused:
        accept(world, invitation, code=code_for(world, other))
    assert faults(refused) == {"/code": totp.WRONG}


# Links


def test_a_link_works_once(world: World) -> None:
    invitation = invite(world)
    accept(world, invitation)
    world.clock.move(minutes=1)
    with pytest.raises(LinkClosed) as refused:
        accept(world, invitation, password="somebody else’s words")
    assert refused.value.detail == invitations.USED
    assert NEW not in refused.value.detail


def test_of_two_who_use_a_link_at_once_one_wins(world: World) -> None:
    invitation = invite(world)
    code = code_for(world, invitation)
    won: list[UUID] = []
    lost: list[LiaisonError] = []
    start = threading.Barrier(2)

    def use(password: str) -> None:
        with world.database.writing() as session:
            # Both have read the invitation while it was open.
            start.wait(10)
            try:
                person, _ = invitations.accept(
                    session,
                    world.vault,
                    invitation,
                    secret_for(invitation),
                    password,
                    code,
                    world.now,
                )
                session.commit()
                won.append(person.id)
            except LiaisonError as error:
                lost.append(error)

    threads = [threading.Thread(target=use, args=(p,)) for p in (GOOD, "seven green umbrellas hum")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(won) == 1
    assert [type(error) for error in lost] == [LinkClosed]
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).where(Person.email == NEW)) == 1
        assert session.scalar(select(func.count()).where(RecoveryCode.person_id == won[0])) == 10


def test_a_used_link_loses_whatever_was_read_before(world: World) -> None:
    """As above, in one thread: what was read is older than what the row says."""
    invitation = invite(world)
    code = code_for(world, invitation)
    with world.database.reading() as session:
        stale = invitations.pending(session, invitation, world.now)
    accept(world, invitation, code=code)
    with world.database.transaction() as session:
        assert not invitations._close(session, stale, world.now, used_at=world.now)


@pytest.mark.parametrize("hours", [72, 100])
def test_a_link_runs_out(world: World, hours: int) -> None:
    invitation = invite(world)
    world.clock.move(hours=hours)
    with pytest.raises(LinkClosed) as refused:
        accept(world, invitation)
    assert refused.value.detail == invitations.LATE


def test_a_link_counts_until_it_runs_out(world: World) -> None:
    invitation = invite(world)
    world.clock.move(hours=71, minutes=59)
    accept(world, invitation)


def test_an_invitation_is_taken_back(world: World) -> None:
    invitation = invite(world)
    with world.database.transaction() as session:
        actor = world.actor("administrator", fresh=False)
        invitations.revoke(session, actor, invitation, world.now)
    with pytest.raises(LinkClosed) as refused:
        accept(world, invitation)
    assert refused.value.detail == invitations.REVOKED
    with world.database.transaction() as session, pytest.raises(InvalidTransition):
        invitations.revoke(session, world.actor("administrator"), invitation, world.now)
    assert len(noted(world, "invitation_revoked")) == 1
    invite(world)  # and anew


def test_another_organisation_takes_nothing_back(world: World) -> None:
    invitation = invite(world)
    for who in ("provider_administrator",):
        with world.database.transaction() as session, pytest.raises(NotFound):
            invitations.revoke(session, world.actor(who), invitation, world.now)
    with world.database.transaction() as session, pytest.raises(NotFound):
        invitations.pending(session, UUID(int=7), world.now)
    accept(world, invitation)


# Whom


@pytest.mark.parametrize(
    "who", ["officer", "supervisor", "auditor", "spoc", "foreign_officer", "program"]
)
def test_only_administrators_invite(world: World, who: str) -> None:
    with pytest.raises(Forbidden):
        invite(world, by=who)


def test_inviting_needs_a_fresh_factor(world: World) -> None:
    with pytest.raises(StaleFactor):
        invite(world, fresh=False)


def test_every_fault_is_named_at_once(world: World) -> None:
    with pytest.raises(Invalid) as refused:
        invite(world, "z@po1ice.example", roles=("spoc",), name=" ")
    assert set(faults(refused)) == {"/email", "/name", "/roles"}
    assert "is not police.example, but resembles it" in faults(refused)["/email"]
    assert "Administrator" in faults(refused)["/roles"]
    for roles in ((), ("clock",), ("program",), ("officer", "spoc")):
        with pytest.raises(Invalid) as refused:
            invite(world, roles=roles)
        assert set(faults(refused)) == {"/roles"}


def test_a_provider_invites_to_its_own_roles_and_domains(world: World) -> None:
    by = "provider_administrator"
    with pytest.raises(Invalid) as refused:
        invite(world, NEW, roles=("officer",), by=by)
    assert set(faults(refused)) == {"/email", "/roles"}
    invitation = invite(world, "new@meridian.example", roles=("spoc",), by=by)
    person, _ = accept(world, invitation)
    assert person.provider_id == world.register.providers["Meridian Telecom"]
    assert person.authority_id is None


def test_nobody_is_invited_twice(world: World) -> None:
    invite(world)
    with pytest.raises(Invalid) as refused:
        invite(world, NEW.upper().replace("POLICE.EXAMPLE", "police.example"))
    assert "invited already" in faults(refused)["/email"]
    with pytest.raises(Invalid) as refused:
        invite(world, world.person("officer").email)
    assert "has an account already" in faults(refused)["/email"]
    world.clock.move(hours=73)
    invite(world)  # the first has run out


# Taken back


def disable(world: World, who: str, by: str = "administrator", reason: str = "Phished") -> None:
    with world.database.transaction() as session:
        people.disable(session, world.actor(by), world.person(who).id, reason, world.now)


def second_administrator(world: World) -> None:
    """The supervisor keeps people too from now on; ``world.actor`` does not know it."""
    with world.database.transaction() as session:
        session.add(PersonRole(person_id=world.person("supervisor").id, role=Role.ADMINISTRATOR))


def as_administrator(world: World, who: str) -> Actor:
    return replace(world.actor(who), roles=frozenset({Role.ADMINISTRATOR}))


def test_disabling_ends_sessions_and_keys_at_once(world: World) -> None:
    with world.database.transaction() as session:
        person = session.get_one(Person, world.person("provider_administrator").id)
        spoc = session.get_one(Person, world.person("spoc").id)
        session.add_all(
            [
                SignIn(
                    token_hash=f"{who.id}{n}",
                    person_id=who.id,
                    address="198.51.100.7",
                    agent="x",
                    created_at=world.now,
                    last_seen_at=world.now,
                    expires_at=world.now + timedelta(hours=12),
                    factor_at=world.now if n else None,
                )
                for who in (person, spoc)
                for n in (0, 1)
            ]
        )
        assert person.provider is not None
        made, theirs = keys.make_key(session, person.provider, "Theirs", ["read"], world.now)
        made.created_by_id = spoc.id
        kept, other = keys.make_key(session, person.provider, "Another's", ["read"], world.now)
        kept.created_by_id = person.id
    disable(world, "spoc", by="provider_administrator")
    with world.database.reading() as session:
        open_ = session.scalars(select(SignIn.person_id).where(SignIn.ended_at.is_(None))).all()
        assert set(open_) == {world.person("provider_administrator").id}
        why = session.scalars(select(SignIn.ended_why).where(SignIn.ended_at.is_not(None))).all()
        assert why == ["disabled", "disabled"]
        with pytest.raises(Unauthenticated, match="revoked"):
            keys.actor_for_key(session, theirs, "198.51.100.7", world.now)
        keys.actor_for_key(session, other, "198.51.100.7", world.now)
        row = session.scalars(select(ApiKey).where(ApiKey.name == "Theirs")).one()
        assert row.revoked_by_id == world.person("provider_administrator").id
    (told,) = noted(world, "disabled")
    assert told["keys"] == [str(row.id)]
    assert told["sessions"] == 2
    assert told["reason"] == "Phished"
    assert told["organisation"] == f"provider:{world.register.providers['Meridian Telecom']}"


def test_what_a_hijacked_administrator_opened_is_shut_too(world: World) -> None:
    second_administrator(world)
    invitation = invite(world, by="administrator")
    with world.database.transaction() as session:
        people.disable(
            session,
            as_administrator(world, "supervisor"),
            world.person("administrator").id,
            "Hijacked",
            world.now,
        )
    with pytest.raises(LinkClosed) as refused:
        accept(world, invitation)
    assert refused.value.detail == invitations.REVOKED
    with pytest.raises(Forbidden, match="no administrator any more"):
        invite(world, "accomplice@police.example", by="administrator")


def test_disabled_is_disabled_until_somebody_enables(world: World) -> None:
    disable(world, "officer")
    with pytest.raises(InvalidTransition):
        disable(world, "officer")
    with world.database.transaction() as session:
        person = world.person("officer").id
        people.enable(session, world.actor("administrator"), person, "Cleared", world.now)
    with world.database.reading() as session:
        assert session.get_one(Person, person).disabled_at is None
    with world.database.transaction() as session, pytest.raises(InvalidTransition):
        people.enable(session, world.actor("administrator"), person, "Again", world.now)
    assert [told["reason"] for told in noted(world, "enabled")] == ["Cleared"]


@pytest.mark.parametrize("who", ["officer", "supervisor", "auditor", "spoc"])
def test_others_manage_nobody(world: World, who: str) -> None:
    with pytest.raises(Forbidden):
        disable(world, "second_officer", by=who)


def test_nobody_manages_another_organisations_people(world: World) -> None:
    for by, who in (
        ("administrator", "spoc"),
        ("administrator", "foreign_officer"),
        ("provider_administrator", "officer"),
        ("provider_administrator", "norvik_spoc"),
    ):
        with pytest.raises(NotFound):
            disable(world, who, by=by)
        person, actor = world.person(who).id, world.actor(by)
        with world.database.transaction() as session, pytest.raises(NotFound):
            people.set_roles(session, actor, person, ["officer"], "Why", world.now)


def test_managing_needs_a_reason_and_a_fresh_factor(world: World) -> None:
    with pytest.raises(Invalid):
        disable(world, "officer", reason="  ")
    with pytest.raises(Invalid):
        disable(world, "officer", reason="x" * 3000)
    actor = world.actor("administrator", fresh=False)
    person = world.person("officer").id
    for verb in (people.disable, people.enable):
        with world.database.transaction() as session, pytest.raises(StaleFactor):
            verb(session, actor, person, "Why", world.now)
    with world.database.transaction() as session, pytest.raises(StaleFactor):
        people.set_roles(session, actor, person, ["auditor"], "Why", world.now)


# The last administrator


def set_roles(world: World, who: str, roles: list[str], by: str = "administrator") -> None:
    with world.database.transaction() as session:
        person = world.person(who).id
        people.set_roles(session, world.actor(by), person, roles, "Moves desk", world.now)


@pytest.mark.parametrize("who", ["administrator", "provider_administrator"])
def test_the_last_administrator_cannot_remove_themselves(world: World, who: str) -> None:
    with pytest.raises(Forbidden, match="the last administrator cannot remove themselves"):
        disable(world, who, by=who)
    other = "auditor" if who == "administrator" else "spoc"
    with world.database.transaction() as session:
        session.add(PersonRole(person_id=world.person(who).id, role=Role(other)))
    with pytest.raises(Forbidden, match="the last administrator cannot remove themselves"):
        set_roles(world, who, [other], by=who)
    set_roles(world, who, [who], by=who)


def test_a_disabled_administrator_is_none_that_is_left(world: World) -> None:
    second_administrator(world)
    disable(world, "supervisor")
    with pytest.raises(Forbidden, match="last administrator"):
        disable(world, "administrator")
    with pytest.raises(Forbidden, match="last administrator"):
        set_roles(world, "administrator", ["auditor"])


def test_two_administrators_cannot_remove_each_other_at_one_moment(world: World) -> None:
    second_administrator(world)
    pair = ("administrator", "supervisor")
    start = threading.Barrier(2)
    outcomes: list[str] = []

    def remove(by: str, who: str) -> None:
        actor = as_administrator(world, by)
        start.wait(10)
        try:
            with world.database.transaction() as session:
                people.disable(session, actor, world.person(who).id, "War", world.now)
            outcomes.append("done")
        except Forbidden:
            outcomes.append("refused")

    threads = [threading.Thread(target=remove, args=args) for args in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["done", "refused"]


def test_roles_change_and_the_log_tells_what_they_were(world: World) -> None:
    set_roles(world, "officer", ["auditor", "supervisor"])
    with world.database.reading() as session:
        person = session.get_one(Person, world.person("officer").id)
        assert person.role_set == {Role.AUDITOR, Role.SUPERVISOR}
    (told,) = noted(world, "roles_changed")
    assert told["before"] == ["officer"]
    assert told["roles"] == ["auditor", "supervisor"]
    for roles in ([], ["spoc"], ["clock"]):
        with pytest.raises(Invalid):
            set_roles(world, "officer", roles)


# Reviews


def reviews_of(world: World) -> list[tuple[UUID, UUID]]:
    with world.database.reading() as session:
        found = session.scalars(select(OrderReview).order_by(OrderReview.id))
        return [(row.id, row.order_id) for row in found]


def decide(
    world: World, review: UUID, decision: str, by: str = "supervisor", reason: str = "Looked at it"
) -> None:
    with world.database.transaction() as session:
        reviews.decide(session, world.actor(by), review, decision, reason, world.now)


def test_open_orders_that_a_disabled_person_touched_are_listed(world: World) -> None:
    issued = world.issue()
    preserved = world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    world.preserve(preserved)
    other = world.issue(by="second_officer")
    ended = world.issue()
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), ended.name, "Mistake", world.now)
    drafted = world.draft()
    elsewhere, discarded = world.issue(), world.draft()
    with world.database.transaction() as session:
        second = world.actor("second_officer")
        orders.withdraw(session, second, elsewhere.name, "Mistake", world.clock.move(minutes=1))
        orders.withdraw(session, world.actor("officer"), discarded.name, "", world.now)
    disable(world, "officer")
    expected = {issued.id, preserved.id, ended.id, drafted.id}
    assert {order for _, order in reviews_of(world)} == expected
    assert other.id not in {order for _, order in reviews_of(world)}
    with world.database.reading() as session:
        listed = reviews.waiting(session, world.actor("supervisor"))
        assert {row.order_id for row in listed} == expected
        assert reviews.count(session, world.actor("supervisor")) == 4
        assert reviews.count(session, world.actor("foreign_officer")) == 0
    (told,) = noted(world, "disabled")
    assert told["reviews"] == 4


def test_what_somebody_ended_is_seen_and_not_withdrawn_again(world: World) -> None:
    declined = world.issue()
    with world.database.transaction() as session:
        refusal = Refusal((Ground.NOT_STORED,), "Not ours.", preserved_meanwhile=False)
        answers.decline(session, world.actor("spoc"), declined.name, refusal, world.now)
    disable(world, "spoc", by="provider_administrator")
    ((review, of),) = reviews_of(world)
    assert of == declined.id
    with pytest.raises(Invalid) as refused:
        decide(world, review, "withdrawn")
    assert set(faults(refused)) == {"/decision"}
    decide(world, review, "confirmed")
    with world.database.transaction() as session:
        actor = world.actor("provider_administrator")
        people.enable(session, actor, world.person("spoc").id, "Cleared", world.now)
    disable(world, "spoc", by="provider_administrator")
    assert len(reviews_of(world)) == 1, "it was looked at"


def test_a_draft_they_wrote_is_discarded_or_stands(world: World) -> None:
    drafted = world.draft()
    disable(world, "officer")
    ((review, _),) = reviews_of(world)
    decide(world, review, "withdrawn", reason="Not ours")
    with world.database.reading() as session:
        assert session.get_one(Order, drafted.id).state is OrderState.WITHDRAWN


def test_what_a_providers_person_answered_is_looked_at_by_the_contact_point(world: World) -> None:
    order = world.issue()
    world.acknowledge(order, by="spoc")
    disable(world, "spoc", by="provider_administrator")
    ((review, of),) = reviews_of(world)
    assert of == order.id
    decide(world, review, "confirmed", by="officer")
    (told,) = noted(world, "review_decided")
    assert told["decision"] == "confirmed"


def test_another_person_decides_once(world: World) -> None:
    world.issue()
    world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    disable(world, "officer")
    (first, order), (second, _) = reviews_of(world)
    decide(world, first, "withdrawn", reason="Forged")
    with world.database.reading() as session:
        row = session.get_one(Order, order)
        assert row.state is OrderState.WITHDRAWN
        assert row.withdrawal == "Forged"
    with pytest.raises(InvalidTransition, match="decided this already"):
        decide(world, first, "confirmed")
    with world.database.transaction() as session:
        actor = world.actor("administrator")
        people.enable(session, actor, world.person("officer").id, "Cleared", world.now)
    with pytest.raises(Forbidden, match="another person decides"):
        decide(world, second, "confirmed", by="officer")
    decide(world, second, "confirmed", by="second_officer")
    with world.database.reading() as session:
        assert reviews.waiting(session, world.actor("supervisor")) == []


def test_only_the_orders_own_contact_point_decides(world: World) -> None:
    world.issue()
    disable(world, "officer")
    ((review, _),) = reviews_of(world)
    with pytest.raises(NotFound):
        decide(world, review, "confirmed", by="foreign_officer")
    for who in ("auditor", "administrator", "spoc", "provider_administrator", "program"):
        with pytest.raises(Forbidden):
            decide(world, review, "confirmed", by=who)
    with pytest.raises(Invalid) as refused:
        decide(world, review, "maybe", reason="")
    assert set(faults(refused)) == {"/decision", "/reason"}
    actor = world.actor("supervisor", fresh=False)
    with world.database.transaction() as session, pytest.raises(StaleFactor):
        reviews.decide(session, actor, review, "confirmed", "Looked", world.now)


def test_a_second_disabling_lists_nothing_twice(world: World) -> None:
    world.issue()
    disable(world, "officer")
    with world.database.transaction() as session:
        actor = world.actor("administrator")
        people.enable(session, actor, world.person("officer").id, "Cleared", world.now)
    disable(world, "officer")
    assert len(reviews_of(world)) == 1


def test_an_authority_is_registered_with_the_domain_of_its_first_address(world: World) -> None:
    given = ("Gardaí", "IE", "Europe/Dublin", "+35310000000", "desk@garda.example")
    with world.database.transaction() as session:
        made = register.first_authority(session, "IE", *given)
        assert made.domains == ["garda.example"]
        assert session.get_one(Authority, made.id).code == "IE"


def test_a_decision_locks_all_its_streams_in_one_order(world: World) -> None:
    """Another act that touches two of them waits; neither stops the other for good."""
    locked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, given: object, *_: object) -> None:
        if statement.startswith("SELECT stream.seq"):
            values = given.values() if isinstance(given, dict) else given
            streams = (v for v in values if str(v) == "portal" or ":" in str(v))  # type: ignore[attr-defined]
            locked.extend(streams)

    world.issue()
    disable(world, "officer")
    ((review, _),) = reviews_of(world)
    event.listen(world.database.engine, "before_cursor_execute", note)
    decide(world, review, "withdrawn")
    event.remove(world.database.engine, "before_cursor_execute", note)
    assert locked == sorted(locked)
    assert "portal" in locked
    assert locked[-1].startswith("provider:")
