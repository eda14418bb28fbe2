"""Who is on duty, checked at every minute against a walk along the clock on the wall."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from liaison.domain import rota
from liaison.domain.rota import Override, Rotation
from liaison.domain.terms import Window
from liaison.domain.vocabulary import Holidays, Turn

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
SPACE = UUID(int=0)


def named(name: str) -> UUID:
    return uuid5(SPACE, name)


ANI, BABKEN, CHAR, DAVIT = (named(n) for n in ("Ani", "Babken", "Char", "Davit"))
FIRST, SECOND = named("first"), named("second")


@dataclass(frozen=True)
class Change:
    """A zone and the local days around one change of its clocks."""

    zone: str
    day: date


CHANGES = (
    Change("Europe/Amsterdam", date(2026, 3, 29)),
    Change("Europe/Amsterdam", date(2026, 10, 25)),
    Change("America/New_York", date(2026, 3, 8)),
    Change("America/New_York", date(2026, 11, 1)),
    # Half an hour only.
    Change("Australia/Lord_Howe", date(2026, 4, 5)),
    Change("Australia/Lord_Howe", date(2026, 10, 4)),
    # At midnight: 24:00 becomes 23:00, and 00:00 is skipped.
    Change("America/Santiago", date(2026, 4, 4)),
    Change("America/Santiago", date(2026, 9, 6)),
    # Set back from 00:01 to 23:01, across midnight; and a day that was skipped altogether.
    Change("America/St_Johns", date(2010, 11, 7)),
    Change("Pacific/Apia", date(2011, 12, 30)),
    # None.
    Change("Asia/Yerevan", date(2026, 3, 29)),
    Change("Asia/Yerevan", date(2026, 10, 25)),
)


class Wall:
    """The oracle: stands before a clock on the wall and notes what it shows, minute by minute.

    It knows neither offsets nor changes. Something planned for a local time has come as soon as
    the clock has shown that time or a later one.
    """

    def __init__(self, zone: str, start: datetime) -> None:
        self._zone = ZoneInfo(zone)
        self.furthest = datetime.min  # noqa: DTZ901 - a wall clock has no zone
        # From three days before, so that what comes twice at the start was seen before.
        at = start - 3 * DAY
        while at < start:
            self.look(at)
            at += MINUTE

    def look(self, moment: datetime) -> None:
        shown = moment.astimezone(self._zone).replace(tzinfo=None)
        self.furthest = max(self.furthest, shown)

    def has_come(self, day: date, at: str) -> bool:
        return datetime.fromisoformat(f"{day}T{at}") <= self.furthest

    def turns(self, r: Rotation) -> int:
        """How many turns have begun, counted one by one."""
        count, day = 0, r.starts_on
        while self.has_come(day, r.handover):
            count += 1
            day += DAY
            while r.turn is Turn.WEEKLY and day.weekday() != r.weekday:
                day += DAY
        return count

    def is_open(self, r: Rotation) -> bool:
        today = self.furthest.date()
        for window in r.windows:
            for back in range(3):
                day = today - back * DAY
                closing = day + DAY if window.closes <= window.opens else day
                begun = day.weekday() in window.days and self.has_come(day, window.opens)
                if begun and not self.has_come(closing, window.closes):
                    return True
        return not r.windows

    def member(self, r: Rotation, holidays: Set[date]) -> UUID | None:
        turns = self.turns(r)
        free = self.furthest.date() in holidays
        wanted = {
            Holidays.AS_USUAL: True,
            Holidays.OFF: not free,
            Holidays.ONLY: free,
        }[r.holidays]
        if not turns or not wanted or not self.is_open(r):
            return None
        return r.members[(turns - 1) % len(r.members)]


def expected(
    walls: Sequence[Wall],
    rotations: Sequence[Rotation],
    overrides: Sequence[Override],
    holidays: Set[date],
    moment: datetime,
) -> tuple[UUID, ...]:
    found: list[UUID] = []
    for wall, r in zip(walls, rotations, strict=True):
        member = wall.member(r, holidays)
        for o in overrides:  # the last word is the latest one's
            if o.start <= moment < o.end and o.rota in (None, r.id):
                member = o.member
        if member is not None and member not in found:
            found.append(member)
    return tuple(found)


def walk(
    rotations: Sequence[Rotation],
    overrides: Sequence[Override],
    holidays: Set[date],
    start: datetime,
    minutes: int,
) -> None:
    """Rule, timeline and gaps against the oracle, at every minute."""
    end = start + minutes * MINUTE
    walls = [Wall(r.zone, start) for r in rotations]
    whole = rota.timeline(rotations, overrides, holidays, start, end)
    assert whole[0].start == start and whole[-1].end == end
    assert all(a.end == b.start for a, b in pairwise(whole))
    assert all((a.members, a.rotas) != (b.members, b.rotas) for a, b in pairwise(whole))
    shifts = rota.shifts(rotations, overrides, holidays, start, end)
    gaps = rota.gaps(rotations, overrides, holidays, start, end)
    spans = iter(whole)
    span = next(spans)
    for minute in range(minutes):
        at = start + minute * MINUTE
        for wall in walls:
            wall.look(at)
        truth = expected(walls, rotations, overrides, holidays, at)
        assert rota.on_duty(rotations, overrides, holidays, at) == truth, at
        while span.end <= at:
            span = next(spans)
        assert span.members == truth, at
        assert any(s.start <= at < s.end for s in shifts) is bool(truth)
        assert any(s <= at < e for s, e in gaps) is not bool(truth)


def rotation(zone: str, starts_on: date, **changes: object) -> Rotation:
    usual = Rotation(FIRST, (ANI, BABKEN, CHAR), Turn.DAILY, "08:00", 0, zone, starts_on)
    return replace(usual, **changes)  # type: ignore[arg-type]


def around(change: Change) -> datetime:
    """Noon UTC, about a day and a half before the change."""
    return datetime(change.day.year, change.day.month, change.day.day, 12, tzinfo=UTC) - 2 * DAY


# Every minute around the changes, with overrides


@pytest.mark.parametrize("change", CHANGES, ids=lambda c: f"{c.zone} {c.day}")
@pytest.mark.parametrize("handover", ["02:30", "00:00", "23:30"])
def test_at_every_minute_across_a_change(change: Change, handover: str) -> None:
    start = around(change)
    daily = rotation(change.zone, change.day - 10 * DAY, handover=handover)
    nightly = rotation(
        change.zone,
        change.day - 20 * DAY,
        id=SECOND,
        members=(DAVIT, ANI),
        turn=Turn.WEEKLY,
        handover="02:10",
        weekday=change.day.weekday(),
        windows=(
            Window((0, 1, 2, 3, 4, 5, 6), "22:00", "02:15"),
            Window((5, 6), "02:30", "03:30"),
        ),
        holidays=Holidays.OFF,
    )
    overrides = (
        Override(start + 30 * 60 * MINUTE, start + 43 * 60 * MINUTE, CHAR, FIRST),
        Override(start + 40 * 60 * MINUTE, start + 41 * 60 * MINUTE, DAVIT),
        Override(start + 50 * 60 * MINUTE, start + 51 * 60 * MINUTE, BABKEN, SECOND),
    )
    for made in (overrides, ()):  # an override may hide what the change does
        for off in (change.day, change.day + DAY):
            walk((daily, nightly), made, {off}, start, 3 * 24 * 60)


TIMES = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from((0, 1, 15, 29, 30, 59)))
NEAR = st.one_of(TIMES, st.sampled_from(("00:00", "01:30", "02:00", "02:30", "23:01", "23:30")))
WINDOWS = st.lists(
    st.builds(
        Window,
        st.lists(st.integers(0, 6), min_size=1, max_size=7, unique=True).map(tuple),
        NEAR,
        NEAR,
    ),
    max_size=2,
).map(tuple)


@st.composite
def plans(
    draw: st.DrawFn,
) -> tuple[list[Rotation], list[Override], frozenset[date], datetime]:
    change = draw(st.sampled_from(CHANGES))
    start = around(change) + draw(st.integers(0, 24 * 60)) * MINUTE
    rotations = [
        Rotation(
            identity,
            tuple(draw(st.lists(st.sampled_from((ANI, BABKEN, CHAR, DAVIT)), min_size=1))),
            draw(st.sampled_from(tuple(Turn))),
            draw(NEAR),
            draw(st.integers(0, 6)),
            draw(st.sampled_from((change.zone, "Asia/Yerevan"))),
            change.day + draw(st.integers(-40, 2)) * DAY,
            draw(WINDOWS),
            draw(st.sampled_from(tuple(Holidays))),
        )
        for identity in (FIRST, SECOND)[: draw(st.integers(1, 2))]
    ]
    overrides = []
    for _ in range(draw(st.integers(0, 4))):
        begins = start + draw(st.integers(-300, 2600)) * MINUTE
        lasts = draw(st.integers(1, 900)) * MINUTE
        whom = draw(st.sampled_from((ANI, BABKEN, CHAR, DAVIT)))
        whose = draw(st.sampled_from((None, FIRST, SECOND)))
        overrides.append(Override(begins, begins + lasts, whom, whose))
    off = frozenset(change.day + n * DAY for n in draw(st.sets(st.integers(-2, 3), max_size=3)))
    return rotations, overrides, off, start


@settings(max_examples=40)
@given(plans())
def test_any_rota_at_every_minute_of_two_days(
    plan: tuple[list[Rotation], list[Override], frozenset[date], datetime],
) -> None:
    rotations, overrides, off, start = plan
    walk(rotations, overrides, off, start, 2 * 24 * 60)


@pytest.mark.parametrize(
    "zone", ["Europe/Amsterdam", "America/New_York", "Australia/Lord_Howe", "Asia/Yerevan"]
)
def test_half_a_year_of_minutes_across_two_changes(zone: str) -> None:
    """From before one change to after the next: every minute of it, in one long walk."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    weekly = rotation(zone, date(2026, 2, 1), turn=Turn.WEEKLY, weekday=6, handover="02:30")
    minutes = 250 * 24 * 60
    wall = Wall(zone, start)
    overrides = [
        Override(datetime(2026, m, 4, tzinfo=UTC), datetime(2026, m, 5, 1, tzinfo=UTC), DAVIT)
        for m in range(3, 12)
    ]
    whole = iter(rota.timeline([weekly], overrides, frozenset(), start, start + minutes * MINUTE))
    span = next(whole)
    turns, coming = 0, weekly.starts_on
    for minute in range(minutes):
        at = start + minute * MINUTE
        wall.look(at)
        while wall.has_come(coming, "02:30"):
            turns, coming = turns + 1, coming + 7 * DAY
        while span.end <= at:
            span = next(whole)
        covered = any(o.start <= at < o.end for o in overrides)
        truth = DAVIT if covered else weekly.members[(turns - 1) % 3]
        assert span.members == (truth,), at
        assert rota.on_duty([weekly], overrides, frozenset(), at) == (truth,), at


# Told


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_hand_over_that_does_not_exist_is_the_first_moment_after_the_gap() -> None:
    spring = rota.instant(date(2026, 3, 29), "02:30", "Europe/Amsterdam")
    assert spring == utc("2026-03-29T01:00")
    half = rota.instant(date(2026, 10, 4), "02:10", "Australia/Lord_Howe")
    assert half == utc("2026-10-03T15:30")


def test_a_hand_over_that_comes_twice_is_the_first_of_the_two() -> None:
    autumn = rota.instant(date(2026, 10, 25), "02:30", "Europe/Amsterdam")
    assert autumn == utc("2026-10-25T00:30")


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 23), ("2026-10-24", 25)])
def test_a_turn_across_the_change_lasts_23_or_25_hours(day: str, hours: int) -> None:
    daily = rotation("Europe/Amsterdam", date(2026, 3, 1))
    begins = date.fromisoformat(day)
    start = rota.instant(begins, "08:00", daily.zone)
    whole = rota.shifts([daily], [], set(), start, start + 3 * DAY)
    assert whole[0].end - whole[0].start == timedelta(hours=hours)


def test_before_it_starts_nobody_is_on_duty() -> None:
    daily = rotation("Asia/Yerevan", date(2026, 11, 23))
    eight = utc("2026-11-23T04:00")
    assert rota.on_duty([daily], [], set(), eight - timedelta(seconds=1)) == ()
    assert rota.on_duty([daily], [], set(), eight) == (ANI,)


def test_a_weekly_rota_that_starts_in_midweek_hands_over_at_the_next_weekday() -> None:
    weekly = rotation("Asia/Yerevan", date(2026, 11, 25), turn=Turn.WEEKLY, weekday=0)
    whole = rota.shifts([weekly], [], set(), utc("2026-11-25T00:00"), utc("2026-12-08T00:00"))
    assert [(s.start, s.members) for s in whole] == [
        (utc("2026-11-25T04:00"), (ANI,)),
        (utc("2026-11-30T04:00"), (BABKEN,)),
        (utc("2026-12-07T04:00"), (CHAR,)),
    ]


def test_the_override_made_last_counts_and_one_fills_a_gap() -> None:
    office = rotation(
        "Asia/Yerevan", date(2026, 11, 23), windows=(Window((0, 1, 2, 3, 4), "09:00", "17:00"),)
    )
    night = utc("2026-11-24T20:00")
    hour = timedelta(hours=1)
    for_one = Override(night, night + 2 * hour, BABKEN, FIRST)
    for_all = Override(night + hour, night + 3 * hour, CHAR)
    both = [for_one, for_all]
    assert rota.on_duty([office], [], set(), night) == ()
    assert rota.on_duty([office], both, set(), night) == (BABKEN,)
    assert rota.on_duty([office], both, set(), night + hour) == (CHAR,)
    assert rota.on_duty([office], both[::-1], set(), night + hour) == (BABKEN,)


def test_a_rota_counts_neither_before_it_was_made_nor_after_its_end() -> None:
    made, ended = utc("2026-11-24T10:00"), utc("2026-11-24T12:00")
    daily = rotation("Asia/Yerevan", date(2026, 11, 1), begins_at=made, ends_at=ended)
    whole = rota.timeline([daily], [], set(), utc("2026-11-24T09:00"), utc("2026-11-24T13:00"))
    assert [(s.start.hour, s.is_gap) for s in whole] == [(9, True), (10, False), (12, True)]
    assert rota.coverage(whole) == 0.5


def test_where_no_rota_stands_an_override_for_everybody_counts_alone() -> None:
    at = utc("2026-11-24T10:00")
    until = at + timedelta(hours=1)
    assert rota.on_duty([], [Override(at, until, ANI)], set(), at) == (ANI,)
    assert rota.on_duty([], [Override(at, until, ANI, FIRST)], set(), at) == ()


def test_two_years_of_shifts_are_found_by_their_edges() -> None:
    """By edges and not by minutes: a year has half a million of those."""
    daily = rotation("Europe/Amsterdam", date(2026, 1, 1))
    whole = rota.shifts([daily], [], set(), utc("2026-01-02T00:00"), utc("2028-01-02T00:00"))
    assert len(whole) == 731
    far = replace(daily, starts_on=date(1990, 1, 1))
    assert rota.on_duty([far], [], set(), utc("2026-01-02T00:00"))
