"""A ladder that would reach nobody cannot be put in force; the reason is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.ladder import Ladder, Rung, Whom
from liaison.domain.terms import terms_json
from liaison.domain.vocabulary import Channel, Function, Holidays, Turn, Urgency
from liaison.models import Contact, Memorandum, Rota
from liaison.queries.ladder_check import problems
from tests.register import terms
from tests.world import World

EMAIL, CALL = Channel.EMAIL, Channel.CALL
NOBODY = None

Change = Callable[[Session, Memorandum], None]


def of_meridian(session: Session, world: World) -> Memorandum:
    """The memorandum between the contact point and Meridian Telecom."""
    return session.scalars(
        select(Memorandum).where(
            Memorandum.authority_id == world.register.authorities["CP"],
            Memorandum.provider_id == world.register.providers["Meridian Telecom"],
        )
    ).one()


def contact(session: Session, memorandum: Memorandum, function: Function) -> Contact:
    """The two sides' contact of one function."""
    both = (*memorandum.provider.contacts, *memorandum.authority.contacts)
    (found,) = [c for c in both if c.function is function]
    return found


def told(world: World, *changes: Change) -> dict[str, str]:
    """What stands in the way after some changes, by place; nothing of it is stored."""
    with world.database.transaction() as session:
        memorandum = of_meridian(session, world)
        for change in changes:
            change(session, memorandum)
        session.flush()
        found = problems(session, memorandum, world.now)
        session.rollback()
    assert len({error.pointer for error in found}) == len(found)
    return {error.pointer: error.detail for error in found}


def ladder(*rungs: Rung, page_every: int = 15, urgency: Urgency = Urgency.EMERGENCY) -> Change:
    """The emergency's ladder becomes this one."""

    def change(_: Session, memorandum: Memorandum) -> None:
        usual = terms()
        of = Ladder(rungs, timedelta(minutes=page_every))
        agreed = replace(usual, ladders={**usual.ladders, urgency: of})
        memorandum.terms = terms_json(agreed)

    return change


def entry(function: Function, **values: object) -> Change:
    """A contact's entry is another."""

    def change(session: Session, memorandum: Memorandum) -> None:
        for name, value in values.items():
            setattr(contact(session, memorandum, function), name, value)

    return change


def rung(whom: Whom, *channels: Channel, minutes: int = 0, contact: str | None = None) -> Rung:
    """One rung."""
    return Rung(timedelta(minutes=minutes), whom, channels, contact)


def test_a_ladder_that_reaches_people_at_any_hour_stands(world: World) -> None:
    """Nothing stands in its way."""
    assert told(world) == {}


def test_a_rung_that_nobody_is_registered_for_cannot_stand(world: World) -> None:
    """That our duty officer is called instead at run time does not make it a promise."""
    past = world.now - timedelta(days=1)
    found = told(world, entry(Function.FALLBACK, removed_at=past))
    assert set(found) == {f"/ladders/{u.value}/2" for u in Urgency}
    assert found["/ladders/emergency/2"] == (
        "Emergency: rung 3 (Fallback addressee, after 30 min) would reach nobody: no fallback "
        "addressee of Meridian Telecom is registered. Register one among the contacts, or let the "
        "rung call somebody else."
    )


def test_a_rung_with_only_unverified_ways_cannot_stand(world: World) -> None:
    """The contact is named, and what to do."""
    found = told(
        world, entry(Function.FALLBACK, email_verified_at=NOBODY, phone_verified_at=NOBODY)
    )
    assert found["/ladders/emergency/2"].endswith(
        "would reach nobody. The e-mail address and phone number of Fallback addressee at "
        "meridian.example (Fallback addressee) are not verified. Verify it first."
    )


def test_one_verified_way_is_enough(world: World) -> None:
    """The other one is left out when the rung calls."""
    assert told(world, entry(Function.FALLBACK, email_verified_at=NOBODY)) == {}


def test_a_way_that_the_contact_is_not_reached_by_does_not_count(world: World) -> None:
    """Verified or not: who is registered for calls only gets no e-mail."""
    found = told(
        world,
        entry(Function.PRIMARY, channels=["call"]),
        ladder(rung(Whom.ON_DUTY, EMAIL)),
    )
    assert set(found) == {"/ladders/emergency/0"}
    assert "is not to be reached by e-mail. Choose another way" in found["/ladders/emergency/0"]


def test_every_spoc_is_reached_where_one_of_them_is(world: World) -> None:
    """The deputy is enough; with neither it cannot stand."""
    removed = entry(Function.PRIMARY, removed_at=world.now)
    only = ladder(rung(Whom.EVERY_SPOC, EMAIL))
    away = [p for p in told(world, only, removed) if p.startswith("/ladders/emergency")]
    assert away == []
    both = told(world, only, removed, entry(Function.DEPUTY, removed_at=world.now))
    assert "no SPOC or deputy of Meridian Telecom" in both["/ladders/emergency/0"]


def test_a_new_entry_does_not_count_while_it_cools_off(world: World) -> None:
    """It says from when it does."""
    until = world.now + timedelta(days=2)
    found = told(world, entry(Function.FALLBACK, usable_from=until))
    assert (
        "Fallback addressee at meridian.example counts from 2026-11-25 16:00 Asia/Yerevan"
        in (found["/ladders/emergency/2"])
    )


def test_what_counts_once_it_is_in_force_is_enough(world: World) -> None:
    """A memorandum that begins next month is asked as of its first day."""

    def begins(_: Session, memorandum: Memorandum) -> None:
        memorandum.in_force_from = date(2026, 12, 24)

    until = world.now + timedelta(days=2)
    assert told(world, entry(Function.FALLBACK, usable_from=until), begins) == {}
    gone = entry(Function.FALLBACK, removed_at=datetime(2026, 12, 1, tzinfo=UTC))
    assert told(world, gone) == {}
    assert told(world, gone, begins) != {}


def test_a_named_contact_must_be_one_of_the_two_sides(world: World) -> None:
    """Another provider's is refused, and not named: who it is is theirs to tell."""
    with world.database.reading() as session:
        norvik = world.register.providers["Norvik Mobile"]
        theirs = session.scalars(select(Contact).where(Contact.provider_id == norvik)).first()
        own = contact(session, of_meridian(session, world), Function.NOC)
        assert theirs is not None
        others, ours, name = str(theirs.id), str(own.id), theirs.name
    assert told(world, ladder(rung(Whom.NAMED, CALL, contact=ours))) == {}
    found = told(world, ladder(rung(Whom.NAMED, CALL, contact=others)))
    assert "no contact of the two sides is chosen" in found["/ladders/emergency/0"]
    assert name not in found["/ladders/emergency/0"]
    gone = told(
        world,
        ladder(rung(Whom.NAMED, CALL, contact=ours)),
        entry(Function.NOC, removed_at=world.now),
    )
    assert "is no longer registered" in gone["/ladders/emergency/0"]
    absent = "0197f3a0-0000-7000-8000-000000000001"
    assert told(world, ladder(rung(Whom.NAMED, CALL, contact=absent)))


def test_the_supervisor_must_be_there_for_the_top(world: World) -> None:
    """At the top nothing stops by itself, so somebody must be paged."""
    found = told(world, entry(Function.SUPERVISOR, removed_at=world.now))
    assert set(found) == {f"/ladders/{u.value}/top" for u in Urgency}
    assert "no supervisor of National 24/7 Contact Point" in found["/ladders/urgent/top"]


def test_the_first_rung_comes_before_the_time_to_acknowledge_ends(world: World) -> None:
    """Else nobody is called while there is time."""
    late = rung(Whom.ON_DUTY, EMAIL, minutes=61)
    found = told(world, ladder(late))
    assert found == {
        "/ladders/emergency/0": "Emergency: the first rung comes after 1 h 1 min, but the time to "
        "acknowledge ends after 1 h. Let the first rung call before that."
    }
    assert told(world, ladder(rung(Whom.ON_DUTY, EMAIL, minutes=60))) == {}


@pytest.mark.parametrize(
    ("minutes", "stands"), [(4, False), (5, True), (1440, True), (1441, False)]
)
def test_pages_at_the_top_come_neither_too_often_nor_too_seldom(
    world: World, minutes: int, stands: bool
) -> None:
    """Between five minutes and a day."""
    only = ladder(rung(Whom.ON_DUTY, EMAIL), page_every=minutes, urgency=Urgency.URGENT)
    assert set(told(world, only)) == (set() if stands else {"/ladders/urgent/page_every"})


def repeated(urgency: Urgency, repeats: int, minutes: int, page_every: int = 15) -> Change:
    """One rung at once that is repeated so often, so many minutes apart."""
    every = timedelta(minutes=minutes)
    only = Rung(timedelta(0), Whom.ON_DUTY, (EMAIL,), repeats=repeats, every=every)
    return ladder(only, page_every=page_every, urgency=urgency)


HOUR, DAY = 60, 24 * 60


@pytest.mark.parametrize(
    ("urgency", "most"),
    [(Urgency.EMERGENCY, 4 * HOUR), (Urgency.URGENT, 7 * DAY), (Urgency.ROUTINE, 30 * DAY)],
)
def test_the_top_is_not_put_off_for_weeks_by_late_repeats(
    world: World, urgency: Urgency, most: int
) -> None:
    """In an emergency it comes before the time to preserve ends (4 h here)."""
    place = f"/ladders/{urgency.value}/latest"
    assert told(world, repeated(urgency, 1, most - 15)) == {}
    found = told(world, repeated(urgency, 1, most - 14))
    assert set(found) == {place}
    assert "the supervisor would be paged for the first time after" in found[place]
    late = Rung(timedelta(minutes=most), Whom.ON_DUTY, (EMAIL,))
    at_once = rung(Whom.ON_DUTY, EMAIL)
    assert place in told(world, ladder(at_once, late, urgency=urgency))


def test_in_an_emergency_nobody_sleeps_for_more_than_a_day_between_two_calls(world: World) -> None:
    """However long the time to preserve was agreed to be."""

    def slow(_: Session, memorandum: Memorandum) -> None:
        clocks = {**memorandum.terms["clocks"], "emergency": {"acknowledge": 60, "preserve": 9999}}
        memorandum.terms = {**memorandum.terms, "clocks": clocks}

    assert told(world, repeated(Urgency.EMERGENCY, 2, DAY), slow) == {}
    found = told(world, repeated(Urgency.EMERGENCY, 2, DAY + 1), slow)
    assert set(found) == {"/ladders/emergency/apart"}


def test_a_ladder_calls_sixty_times_at_most(world: World) -> None:
    """What pages ask the register for, step by step, stays bounded."""
    some = Rung(timedelta(0), Whom.FALLBACK, (EMAIL,), repeats=19, every=timedelta(minutes=1))
    assert told(world, ladder(some, some, some)) == {}
    found = told(world, ladder(some, some, some, rung(Whom.ON_DUTY, EMAIL)))
    assert found == {
        "/ladders/emergency": "Emergency: the ladder calls 61 times, at most 60 are possible. "
        "Take some out."
    }


def test_a_ladder_without_rungs_or_a_rung_without_ways_cannot_stand(world: World) -> None:
    """Both call nobody."""
    assert "has no rung" in told(world, ladder())["/ladders/emergency"]
    assert "no way to call by" in told(world, ladder(rung(Whom.ON_DUTY)))["/ladders/emergency/0"]


def test_an_urgency_without_a_ladder_is_not_overlooked(world: World) -> None:
    """Terms that leave one out promise nothing for it."""

    def without(_: Session, memorandum: Memorandum) -> None:
        written = terms_json(terms())
        del written["ladders"]["urgent"]
        memorandum.terms = written

    assert "has no rung" in told(world, without)["/ladders/urgent"]


# Whoever is on duty, hour by hour


def rota(*functions: Function, side: str = "provider", **given: Any) -> Change:
    """A rota of one side's contacts that takes turns daily at 08:00 in Yerevan."""

    def change(session: Session, memorandum: Memorandum) -> None:
        usual = {
            "authority_id": memorandum.authority_id if side == "authority" else None,
            "provider_id": memorandum.provider_id if side == "provider" else None,
            "name": "Day and night",
            "time_zone": "Asia/Yerevan",
            "turn": Turn.DAILY,
            "handover": "08:00",
            "weekday": 0,
            "starts_on": date(2026, 11, 1),
            "members": [str(contact(session, memorandum, f).id) for f in functions],
            "windows": [],
            "holidays": Holidays.AS_USUAL,
            "made_by": "the tests",
            "made_at": datetime(2026, 11, 1, tzinfo=UTC),
        }
        session.add(Rota(**{**usual, **given}))

    return change


WEEKDAYS = {"days": [0, 1, 2, 3, 4], "opens": "00:00", "closes": "00:00"}


def test_a_rota_that_covers_every_hour_stands(world: World) -> None:
    """Whoever has the turn can be reached."""
    assert told(world, rota(Function.PRIMARY, Function.DEPUTY)) == {}


def test_an_hour_of_the_week_with_nobody_on_duty_stands_in_the_way(world: World) -> None:
    """The hours are named in the organisation's own time, and how many more there are."""
    found = told(world, rota(Function.PRIMARY, windows=[WEEKDAYS]))
    assert set(found) == {f"/ladders/{u.value}/0" for u in Urgency}
    assert found["/ladders/emergency/0"] == (
        "Emergency: rung 1 (SPOC on duty, at once) would find nobody on duty at Meridian Telecom "
        "on Saturday 2026-11-28 from 00:00 to Monday 2026-11-30 00:00; Saturday 2026-12-05 from "
        "00:00 to Monday 2026-12-07 00:00; Saturday 2026-12-12 from 00:00 to Monday 2026-12-14 "
        "00:00 and 1 time more in the coming four weeks (Asia/Yerevan). Fill the rota, or let the "
        "rung call somebody else."
    )


def test_a_gap_of_one_hour_in_the_night_is_found(world: World) -> None:
    """An order can be issued at any hour."""
    most = {"days": list(range(7)), "opens": "04:00", "closes": "03:00"}
    found = told(world, rota(Function.PRIMARY, windows=[most]))
    assert "Tuesday 2026-11-24 from 03:00 to 04:00" in found["/ladders/emergency/0"]


def test_a_turn_of_somebody_who_was_never_verified_stands_in_the_way(world: World) -> None:
    """Their hours are hours at which nobody is reached; they are named, and what to do."""
    unverified = entry(Function.DEPUTY, email_verified_at=NOBODY, phone_verified_at=NOBODY)
    found = told(
        world,
        ladder(rung(Whom.ON_DUTY, EMAIL, CALL)),
        rota(Function.PRIMARY, Function.DEPUTY),
        unverified,
    )["/ladders/emergency/0"]
    assert "would reach nobody on Tuesday 2026-11-24 from 08:00 to Wednesday 2026-11-25 08:00" in (
        found
    )
    assert "Deputy SPOC at meridian.example (Deputy SPOC) are not verified" in found


def test_a_second_rota_fills_the_hours_of_the_first(world: World) -> None:
    """Two that stand side by side are asked together."""
    weekend = {"days": [5, 6], "opens": "00:00", "closes": "00:00"}
    both = rota(Function.PRIMARY, windows=[WEEKDAYS]), rota(Function.NOC, windows=[weekend])
    assert told(world, *both) == {}


def test_our_own_rota_is_asked_for_our_own_duty_officer(world: World) -> None:
    """A gap of the provider's says nothing about ours."""
    found = told(world, rota(Function.DUTY_OFFICER, side="authority", windows=[WEEKDAYS]))
    assert set(found) == {f"/ladders/{u.value}/3" for u in Urgency}
    assert "on duty at National 24/7 Contact Point on Saturday" in found["/ladders/routine/3"]


def test_a_rota_that_ended_says_nothing(world: World) -> None:
    """The SPOC is always on duty again."""
    ended = datetime(2026, 11, 20, tzinfo=UTC)
    assert told(world, rota(Function.PRIMARY, windows=[WEEKDAYS], ended_at=ended)) == {}
