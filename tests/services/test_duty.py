"""Keeping the rota: turns, standing in, exchanging, and who is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.documents.letters import compose
from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Function
from liaison.errors import Forbidden, Invalid, InvalidTransition, NotFound, StaleFactor
from liaison.models import Contact, DutyOverride, Entry, Message, Person, Provider, Rota
from liaison.queries import duty as queries
from liaison.queries.duty import Owner
from liaison.services import duty, duty_feeds, duty_overrides, duty_scope
from liaison.services.organisations import AlreadyDone
from tests.world import World

MERIDIAN = "Meridian Telecom"
KEEPER = "t.avagyan@meridian.example"
SUPERVISORS = ["supervisor@police.example", "supervisor@politie.example"]


@pytest.fixture
def session(world: World) -> Iterator[Session]:
    with world.database.transaction() as session:
        yield session


def contacts(session: Session, world: World, of: str = MERIDIAN) -> list[Contact]:
    known = {**world.register.providers, **world.register.authorities}
    mine = (Contact.provider_id == known[of]) | (Contact.authority_id == known[of])
    return list(session.scalars(select(Contact).where(mine).order_by(Contact.position)))


def data(*members: Contact, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Night desk",
        "turn": "daily",
        "handover": "08:00",
        "weekday": 0,
        "time_zone": "Asia/Yerevan",
        "starts_on": "2026-11-20",
        "members": [str(c.id) for c in members],
        "windows": [],
        "holidays": "as_usual",
        **changes,
    }


def owner(world: World, of: str = MERIDIAN) -> Owner:
    return Owner(provider_id=world.register.providers[of])


def who(session: Session, world: World, at: datetime | None = None) -> list[str]:
    return [c.email for c in queries.on_duty(session, owner(world), at or world.now)]


def letters(session: Session, letter: str = "duty_changed") -> list[Message]:
    query = select(Message).where(Message.letter == f"register/{letter}")
    return list(session.scalars(query.order_by(Message.address)))


def log(session: Session) -> list[str]:
    types = session.scalars(
        select(Entry.type)
        .where(Entry.type.like("portal.rota%") | Entry.type.like("portal.duty%"))
        .order_by(Entry.seq)
    )
    return [t.removeprefix("portal.") for t in types]


def override(contact: Contact, start: str, end: str, rota: Rota | None = None) -> dict[str, Any]:
    return {
        "contact": str(contact.id),
        "rota": str(rota.id) if rota else "",
        "starts_at": start,
        "ends_at": end,
        "note": "",
    }


# Rotas


def test_a_rota_says_who_is_on_duty_and_its_members_are_told(
    session: Session, world: World
) -> None:
    spoc, deputy = contacts(session, world)[:2]
    assert who(session, world) == []
    duty.make_rota(session, world.actor("spoc"), data(spoc, deputy), world.now)
    # 23 November, 16:00 in Yerevan: the fourth turn since the 20th.
    assert who(session, world) == ["deputy@meridian.example"]
    assert who(session, world, world.now + timedelta(days=1)) == ["spoc@meridian.example"]
    assert [m.address for m in letters(session)] == [
        "deputy@meridian.example",
        "spoc@meridian.example",
        KEEPER,
    ]
    letter = compose("register/duty_changed", letters(session)[0].params, "http://localhost", "")
    assert "Night desk" in letter.text and "Ruben Vardanyan" in letter.text
    assert log(session) == ["rota_made"]


def test_a_change_leaves_the_past_and_takes_the_overrides_along(
    session: Session, world: World
) -> None:
    spoc, deputy, legal = contacts(session, world)[:3]
    actor = world.actor("spoc")
    rota = duty.make_rota(session, actor, data(spoc), world.now)
    duty_overrides.override(
        session, actor, override(legal, "2026-11-23 16:00", "2026-11-26 16:00", rota), world.now
    )
    begun = world.now
    world.clock.move(hours=24)
    actor = world.actor("spoc")
    changed = duty.change_rota(session, actor, rota.id, data(deputy), world.now)
    assert who(session, world) == [legal.email], "still stood in for"
    world.clock.move(hours=49)
    assert who(session, world) == [deputy.email]
    book = queries.book(session, owner(world), begun, world.now)
    assert [c.email for c in book.at(begun)] == [legal.email]
    with pytest.raises(AlreadyDone, match="changed or ended"):
        duty.change_rota(session, world.actor("spoc"), rota.id, data(spoc), world.now)
    duty.end_rota(session, world.actor("spoc"), changed.id, world.now)
    assert who(session, world) == []
    assert log(session) == ["rota_made", "duty_override_made", "rota_changed", "rota_ended"]


def test_every_fault_of_a_rota_is_named_at_once(session: Session, world: World) -> None:
    wrong = data(
        name="",
        turn="hourly",
        handover="25:00",
        weekday=None,
        time_zone="Mars/Base\x00",
        starts_on="tomorrow",
        windows=["at night", "Mon, 22:00 to 06:00"],
        holidays="",
    )
    with pytest.raises(Invalid) as refused:
        duty.make_rota(session, world.actor("spoc"), wrong, world.now)
    assert {e.pointer for e in refused.value.errors} == {
        "/name",
        "/turn",
        "/handover",
        "/weekday",
        "/time_zone",
        "/starts_on",
        "/members",
        "/windows",
        "/holidays",
    }


def test_only_contacts_that_can_be_called_take_turns(session: Session, world: World) -> None:
    spoc, silent, gone, new = contacts(session, world)[:4]
    stranger = contacts(session, world, "Norvik Mobile")[0]
    silent.email_verified_at = silent.phone_verified_at = None
    gone.removed_at = world.now
    new.usable_from = world.now + timedelta(hours=1)
    session.flush()
    given = data(spoc, silent, gone, new, stranger)
    with pytest.raises(Invalid) as refused:
        duty.make_rota(session, world.actor("spoc"), given, world.now)
    faults = {e.pointer: e.detail for e in refused.value.errors}
    assert set(faults) == {f"/members/{n}" for n in (1, 2, 3, 4)}
    assert "verified" in faults["/members/1"] and "cooling-off" in faults["/members/3"]
    assert faults["/members/2"] == faults["/members/4"], "another's and none are told alike"


def test_a_window_over_midnight(session: Session, world: World) -> None:
    (spoc,) = contacts(session, world)[:1]
    given = data(spoc, windows=["every day, 22:00 to 06:00"])
    duty.make_rota(session, world.actor("spoc"), given, world.now)
    yerevan = datetime(2026, 11, 24, tzinfo=UTC) - timedelta(hours=4)
    hours = {h: bool(who(session, world, yerevan + timedelta(hours=h))) for h in (1, 5, 6, 21, 22)}
    assert hours == {1: True, 5: True, 6: False, 21: False, 22: True}


def test_holidays_are_the_countrys_and_an_unknown_country_has_none(
    session: Session, world: World
) -> None:
    (spoc,) = contacts(session, world)[:1]
    given = data(spoc, holidays="off")
    duty.make_rota(session, world.actor("spoc"), given, world.now)
    new_year = datetime(2027, 1, 1, 12, tzinfo=UTC)
    assert who(session, world, new_year) == []
    organisation = queries.organisation(session, owner(world))
    organisation.country = "XX"
    session.flush()
    assert who(session, world, new_year) == [spoc.email]


# Standing in


def test_who_stands_in_is_on_duty_and_the_one_entered_last_counts(
    session: Session, world: World
) -> None:
    spoc, deputy, legal = contacts(session, world)[:3]
    actor = world.actor("provider_administrator")
    rota = duty.make_rota(session, actor, data(spoc), world.now)
    ten, noon = "2026-11-24 10:00", "2026-11-24 12:00"
    duty_overrides.override(session, actor, override(deputy, ten, noon), world.now)
    world.clock.move(seconds=1)
    actor = world.actor("provider_administrator")
    later = duty_overrides.override(session, actor, override(legal, ten, noon, rota), world.now)
    at = datetime(2026, 11, 24, 6, tzinfo=UTC)
    assert who(session, world, at) == [legal.email]
    duty_overrides.cancel_override(session, actor, later.id, world.now)
    assert who(session, world, at) == [deputy.email]
    with pytest.raises(AlreadyDone):
        duty_overrides.cancel_override(session, actor, later.id, world.now)
    told = [m.params["what"] for m in letters(session)]
    assert any("24 Nov 2026, 10:00 (24 Nov, 06:00 UTC)" in what for what in told)


def test_what_runs_and_is_taken_back_has_counted_so_far(session: Session, world: World) -> None:
    spoc, deputy = contacts(session, world)[:2]
    actor = world.actor("spoc")
    duty.make_rota(session, actor, data(spoc), world.now)
    row = duty_overrides.override(
        session, actor, override(deputy, "2026-11-23 10:00", "2026-11-24 10:00"), world.now
    )
    begun = row.starts_at
    assert begun == world.now, "a beginning that has passed counts as now"
    world.clock.move(hours=2)
    duty_overrides.cancel_override(session, world.actor("spoc"), row.id, world.now)
    assert who(session, world) == [spoc.email]
    book = queries.book(session, owner(world), begun, world.now)
    assert [s.members for s in book.timeline(begun, world.now)] == [(deputy.id,)]


def test_faults_of_an_override(session: Session, world: World) -> None:
    spoc = contacts(session, world)[0]
    actor = world.actor("spoc")
    for start, end, pointer in (
        ("soon", "2026-11-24 10:00", "/starts_at"),
        ("2026-11-24 10:00", "2026-11-24 10:00", "/ends_at"),
        ("2026-11-20 10:00", "2026-11-21 10:00", "/ends_at"),
        ("2026-11-24 10:00", "2099-11-24 10:00", "/ends_at"),
        ("9999-12-31 23:59", "9999-12-31 23:59", "/ends_at"),
        ("2026-11-24 10:00", "2026-12-25 12:00", "/ends_at"),
        # Counted from now: what has passed is not in it.
        ("2026-01-01 10:00", "2026-12-25 12:00", "/ends_at"),
    ):
        with pytest.raises(Invalid) as refused:
            duty_overrides.override(session, actor, override(spoc, start, end), world.now)
        assert [e.pointer for e in refused.value.errors] == [pointer]
    given = override(spoc, "2026-11-24 10:00", "2026-11-24 11:00") | {"rota": str(uuid4())}
    with pytest.raises(Invalid, match="1 field"):
        duty_overrides.override(session, actor, given, world.now)


def test_nobody_comes_on_duty_in_silence_with_a_stolen_factor(
    session: Session, world: World
) -> None:
    spoc, deputy, legal = contacts(session, world)[:3]
    span = ("2026-11-23 10:00", "2026-12-24 10:00")
    actor = world.actor("spoc")
    row = duty_overrides.override(session, actor, override(legal, *span), world.now)
    # No rota stands: it is the SPOC who is called no longer.
    told = {m.address: m.params for m in letters(session)}
    assert set(told) == {legal.email, spoc.email, KEEPER}
    assert all(f"in place of {spoc.name}" in params["what"] for params in told.values())
    unusual = letters(session, "duty_unusual")
    assert [m.address for m in unusual] == SUPERVISORS
    letter = compose("register/duty_unusual", unusual[0].params, "http://localhost", "")
    assert legal.name in letter.subject and "no cooling-off" in letter.text
    duty_overrides.cancel_override(session, actor, row.id, world.now)
    back = [m.address for m in letters(session) if "taken back" in m.params["what"]]
    assert back == [legal.email, spoc.email, KEEPER]
    duty_overrides.override(session, actor, override(deputy, *span), world.now)
    assert len(letters(session, "duty_unusual")) == 2, "a deputy surprises nobody"


def test_who_keeps_people_is_told_otherwise_than_who_is_called(
    session: Session, world: World
) -> None:
    spoc = contacts(session, world)[0]
    duty.make_rota(session, world.actor("spoc"), data(spoc), world.now)
    texts = {
        m.address: compose("register/duty_changed", m.params, "http://localhost", "").text
        for m in letters(session)
    }
    assert "see that your phone is with you" in texts[spoc.email]
    assert "because you keep the people" in texts[KEEPER]


def test_a_rota_of_others_than_spocs_is_told_to_the_other_side(
    session: Session, world: World
) -> None:
    spoc, deputy, legal = contacts(session, world)[:3]
    actor = world.actor("spoc")
    rota = duty.make_rota(session, actor, data(deputy), world.now)
    assert spoc.email in [m.address for m in letters(session)], "called until now"
    assert letters(session, "duty_unusual") == []
    duty.change_rota(session, actor, rota.id, data(deputy, legal), world.now)
    assert [m.address for m in letters(session, "duty_unusual")] == SUPERVISORS


def test_an_authoritys_duty_officer_is_told_that_somebody_stands_in(
    session: Session, world: World
) -> None:
    officer, supervisor = contacts(session, world, "CP")
    span = ("2026-11-23 10:00", "2026-11-24 10:00")
    given = override(supervisor, *span)
    duty_overrides.override(session, world.actor("supervisor"), given, world.now)
    assert {m.address for m in letters(session)} == {
        officer.email,
        supervisor.email,
        "s.martirosyan@police.example",
    }
    assert letters(session, "duty_unusual") == []


def test_a_rota_cannot_end_where_the_ladders_would_call_nobody_then(
    session: Session, world: World
) -> None:
    spoc, deputy = contacts(session, world)[:2]
    actor = world.actor("spoc")
    rota = duty.make_rota(session, actor, data(deputy), world.now)
    spoc.function = Function.DEPUTY
    session.flush()
    with (
        pytest.raises(InvalidTransition, match="nobody is registered whom"),
        session.begin_nested(),
    ):
        duty.end_rota(session, actor, rota.id, world.now)
    assert who(session, world) == [deputy.email]
    another = duty.make_rota(session, actor, data(spoc), world.now)
    duty.end_rota(session, actor, rota.id, world.now)
    spoc.function = Function.PRIMARY
    session.flush()
    duty.end_rota(session, actor, another.id, world.now)


@pytest.mark.postgresql_only
def test_orders_are_issued_while_a_rota_is_written(world: World, database_kind: str) -> None:
    """An order refers to the organisation that is held meanwhile."""
    provider = world.register.providers[MERIDIAN]
    with world.database.transaction() as writing:
        duty_scope.to_write(writing, world.actor("spoc"), world.now)
        with world.database.transaction() as other:
            # What the check of a foreign key asks for.
            query = select(Provider.id).where(Provider.id == provider)
            assert other.scalars(
                query.with_for_update(nowait=True, read=True, key_share=True)
            ).one()


def test_two_people_exchange_two_shifts_and_take_it_back(session: Session, world: World) -> None:
    spoc, deputy = contacts(session, world)[:2]
    actor = world.actor("spoc")
    duty.make_rota(session, actor, data(spoc, deputy), world.now)
    first, second = duty_overrides.coming_shifts(session, actor, world.now)[:2]
    assert [first.member, second.member] == [spoc, deputy]
    halves = duty_overrides.swap(session, actor, first.key, second.key, world.now)
    assert who(session, world, first.shift.start) == [deputy.email]
    assert who(session, world, second.shift.start) == [spoc.email]
    assert halves[0].pair == halves[1].pair is not None
    told = [m for m in letters(session) if "in place of" in m.params["what"]]
    assert {m.address for m in told} == {spoc.email, deputy.email, KEEPER}
    both = duty_overrides.cancel_override(session, actor, halves[1].id, world.now)
    assert {row.id for row in both} == {half.id for half in halves}
    assert who(session, world, first.shift.start) == [spoc.email]
    assert log(session) == ["rota_made", "duty_swapped", "duty_override_cancelled"]


def test_a_shift_that_is_not_as_it_was_is_not_exchanged(session: Session, world: World) -> None:
    spoc, deputy = contacts(session, world)[:2]
    actor = world.actor("spoc")
    duty.make_rota(session, actor, data(spoc, deputy, spoc), world.now)
    one, other, same = duty_overrides.coming_shifts(session, actor, world.now)[:3]
    for first, second in (
        ("", other.key),
        (one.key, one.key),
        (one.key, f"{uuid4()}|2026-11-24T04:00:00Z"),
        (one.key, "nonsense"),
        (other.key, ""),
    ):
        with pytest.raises(Invalid):
            duty_overrides.swap(session, actor, first, second, world.now)
    assert same.member in (one.member, other.member)
    twice = {c.member.id: c.key for c in (one, other, same)}
    assert len(twice) == 2


# Who may


@pytest.mark.parametrize("verb", ["make", "change", "end", "override", "swap", "cancel", "feed"])
def test_a_thief_with_a_stolen_session_cannot_change_who_is_on_duty(
    session: Session, world: World, verb: str
) -> None:
    spoc, deputy = contacts(session, world)[:2]
    actor = world.actor("spoc")
    rota = duty.make_rota(session, actor, data(spoc, deputy), world.now)
    span = ("2026-11-24 10:00", "2026-11-24 12:00")
    row = duty_overrides.override(session, actor, override(deputy, *span), world.now)
    thief = world.actor("spoc", fresh=False)
    with pytest.raises(StaleFactor):
        act(session, thief, verb, world.now, rota, row, data(deputy), override(deputy, *span))
    auditor = world.actor("auditor")
    with pytest.raises(Forbidden):
        act(session, auditor, verb, world.now, rota, row, data(deputy), override(deputy, *span))


@pytest.mark.parametrize("verb", ["change", "end", "cancel"])
def test_anothers_rota_is_not_there(session: Session, world: World, verb: str) -> None:
    spoc = contacts(session, world)[0]
    actor = world.actor("spoc")
    rota = duty.make_rota(session, actor, data(spoc), world.now)
    span = ("2026-11-24 10:00", "2026-11-24 12:00")
    row = duty_overrides.override(session, actor, override(spoc, *span), world.now)
    for stranger in ("norvik_spoc", "administrator"):
        # Even without a fresh factor: that it is not there is said first.
        thief = world.actor(stranger, fresh=False)
        with pytest.raises(NotFound):
            act(session, thief, verb, world.now, rota, row, data(spoc), {})
    given = override(spoc, *span, rota)
    with pytest.raises(Invalid):
        duty_overrides.override(session, world.actor("norvik_spoc"), given, world.now)


def act(
    session: Session,
    actor: Actor,
    verb: str,
    now: datetime,
    rota: Rota,
    row: DutyOverride,
    written: dict[str, Any],
    entered: dict[str, Any],
) -> object:
    verbs: dict[str, Callable[[], object]] = {
        "make": lambda: duty.make_rota(session, actor, written, now),
        "change": lambda: duty.change_rota(session, actor, rota.id, written, now),
        "end": lambda: duty.end_rota(session, actor, rota.id, now),
        "override": lambda: duty_overrides.override(session, actor, entered, now),
        "swap": lambda: duty_overrides.swap(session, actor, "", "", now),
        "cancel": lambda: duty_overrides.cancel_override(session, actor, row.id, now),
        "feed": lambda: duty_feeds.make_feed(session, actor, "A phone", now),
    }
    return verbs[verb]()


# Gaps and what pages say


def test_gaps_say_why(session: Session, world: World) -> None:
    spoc, deputy, legal = contacts(session, world)[:3]
    actor = world.actor("spoc")
    until = world.now + timedelta(days=3)
    book = queries.book(session, owner(world), world.now, until)
    assert book.gaps(world.now, until) == [], "no rota, no gap"
    given = data(spoc, deputy, legal, starts_on="2026-11-24")
    duty.make_rota(session, actor, given, world.now)
    spoc.removed_at = datetime(2026, 11, 24, 10, tzinfo=UTC)
    deputy.email_verified_at = deputy.phone_verified_at = None
    session.flush()
    book = queries.book(session, owner(world), world.now, until)
    found = [(f"{g.start:%d %H}", f"{g.end:%d %H}", g.why) for g in book.gaps(world.now, until)]
    assert found == [
        ("23 12", "24 04", "Nobody is on duty."),
        ("24 10", "25 04", f"{spoc.name}: not registered any more."),
        ("25 04", "26 04", f"{deputy.name}: no way to reach them is verified."),
    ]
    current, coming = queries.now_and_next(book, world.now)
    assert current and coming
    assert current.who == () and coming.who == (spoc,)
    assert coming.start == datetime(2026, 11, 24, 4, tzinfo=UTC)


def test_who_left_is_not_on_duty_though_the_rota_names_them(session: Session, world: World) -> None:
    spoc = contacts(session, world)[0]
    duty.make_rota(session, world.actor("spoc"), data(spoc), world.now)
    spoc.removed_at = world.now
    session.flush()
    assert who(session, world) == []


def test_an_authority_has_its_own(session: Session, world: World) -> None:
    officer, supervisor = contacts(session, world, "CP")
    duty.make_rota(session, world.actor("supervisor"), data(supervisor), world.now)
    here = Owner(authority_id=world.register.authorities["CP"])
    assert queries.on_duty(session, here, world.now) == [supervisor]
    there = Owner(authority_id=world.register.authorities["NL"])
    assert queries.on_duty(session, there, world.now) == []
    assert officer.id != supervisor.id


# Feeds


def test_a_feed_counts_until_it_is_revoked_or_its_maker_leaves(
    session: Session, world: World
) -> None:
    actor = world.actor("spoc")
    row, token = duty_feeds.make_feed(session, actor, "A phone", world.now)
    assert token not in row.token_hash and len(token) > 40
    assert duty_feeds.read(session, token, world.now).organisation == MERIDIAN
    with pytest.raises(NotFound):
        duty_feeds.revoke_feed(session, world.actor("norvik_spoc"), row.id, world.now)
    duty_feeds.revoke_feed(session, world.actor("spoc", fresh=False), row.id, world.now)
    for wrong in (token, token[:-1], "", "\x00", "ünï"):
        with pytest.raises(NotFound):
            duty_feeds.read(session, wrong, world.now)
    with pytest.raises(AlreadyDone):
        duty_feeds.revoke_feed(session, actor, row.id, world.now)
    _, other = duty_feeds.make_feed(session, actor, "Another", world.now)
    session.get_one(Person, world.person("spoc").id).disabled_at = world.now
    session.flush()
    with pytest.raises(NotFound):
        duty_feeds.read(session, other, world.now)
    assert log(session)[-3:] == ["duty_feed_made", "duty_feed_revoked", "duty_feed_made"]


def test_a_feed_ends_with_the_office_of_its_maker(session: Session, world: World) -> None:
    _, token = duty_feeds.make_feed(session, world.actor("spoc"), "A phone", world.now)
    maker = session.get_one(Person, world.person("spoc").id)
    maker.provider_id = world.register.providers["Norvik Mobile"]
    session.flush()
    with pytest.raises(NotFound):
        duty_feeds.read(session, token, world.now)
    maker.provider_id = world.register.providers[MERIDIAN]
    session.flush()
    assert duty_feeds.read(session, token, world.now)
    maker.roles.clear()
    session.flush()
    with pytest.raises(NotFound):
        duty_feeds.read(session, token, world.now)
