"""A provider's office hours and holidays, and a ladder that waits for them."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.domain.ladder import (
    APART,
    AT_THE_PROVIDER,
    Climb,
    Ladder,
    Place,
    Rung,
    Whom,
    first_of,
    outline,
    step,
)
from liaison.domain.office_hours import LONGEST_WAIT, Calendar
from liaison.domain.terms import Window
from liaison.domain.vocabulary import Channel
from tests.unit.test_ladder import climbs, ladders

YEREVAN, OSLO = ZoneInfo("Asia/Yerevan"), ZoneInfo("Europe/Oslo")
WORKDAYS = (Window((0, 1, 2, 3, 4), "09:00", "18:00"),)
NAMED = "0198c0de-0000-7000-8000-000000000001"
MINUTE = timedelta(minutes=1)


def at(text: str, zone: ZoneInfo = YEREVAN) -> datetime:
    """A moment as the clock on the wall there shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def calendar(*holidays: date, zone: ZoneInfo = YEREVAN, windows: object = WORKDAYS) -> Calendar:
    return Calendar(zone, windows, frozenset(holidays))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "opens"),
    [
        ("2026-11-27 08:59", "2026-11-27 09:00"),
        ("2026-11-27 09:00", "2026-11-27 09:00"),
        ("2026-11-27 17:59", "2026-11-27 17:59"),
        ("2026-11-27 18:00", "2026-11-30 09:00"),  # a Friday: over the weekend
        ("2026-11-29 12:00", "2026-11-30 09:00"),
    ],
)
def test_whoever_is_closed_is_called_when_they_open_next(asked: str, opens: str) -> None:
    assert calendar().opens_at(at(asked)) == at(opens)


def test_a_holiday_is_closed_all_day_over_the_end_of_a_year_too() -> None:
    """From New Year's Eve to the day after Christmas there (6 January), with a weekend in it."""
    closed = calendar(date(2026, 12, 31), *(date(2027, 1, d) for d in (1, 2, 5, 6)))
    assert closed.opens_at(at("2026-12-30 18:30")) == at("2027-01-04 09:00")
    assert closed.opens_at(at("2027-01-04 18:30")) == at("2027-01-07 09:00")


def test_without_hours_only_the_holidays_are_closed() -> None:
    closed = calendar(date(2026, 11, 27), windows=())
    assert closed.opens_at(at("2026-11-26 23:59")) == at("2026-11-26 23:59")
    assert closed.opens_at(at("2026-11-27 00:00")) == at("2026-11-28 00:00")


def test_a_night_is_two_windows_that_meet_at_midnight() -> None:
    night = (Window((4,), "20:00", "24:00"), Window((5,), "00:00", "06:00"))
    open_at_night = calendar(windows=night)
    for asked in ("2026-11-27 20:00", "2026-11-27 23:59", "2026-11-28 00:00", "2026-11-28 05:59"):
        assert open_at_night.opens_at(at(asked)) == at(asked)
    assert open_at_night.opens_at(at("2026-11-28 06:00")) == at("2026-12-04 20:00")


def test_the_day_on_which_clocks_change_opens_by_the_clock_on_the_wall() -> None:
    """In Oslo: 29 March 2026 forward at 02:00, 25 October back at 03:00. Both are Sundays."""
    sundays = calendar(zone=OSLO, windows=(Window((6,), "09:00", "18:00"),))
    assert sundays.opens_at(at("2026-03-29 00:00", OSLO)) == datetime(2026, 3, 29, 7, tzinfo=UTC)
    assert sundays.opens_at(at("2026-10-25 00:00", OSLO)) == datetime(2026, 10, 25, 8, tzinfo=UTC)
    # An hour that is not there, and one that comes twice: never while the wall may say closed.
    leapt = calendar(zone=OSLO, windows=(Window((6,), "02:30", "09:00"),))
    assert leapt.opens_at(at("2026-03-29 00:00", OSLO)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    twice = calendar(zone=OSLO, windows=(Window((6,), "02:30", "09:00"),))
    assert twice.opens_at(at("2026-10-25 00:00", OSLO)) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_whoever_does_not_open_within_two_weeks_is_not_waited_for() -> None:
    first = date(2026, 11, 30)
    shut = calendar(*(first + timedelta(days=n) for n in range(30)))
    asked = at("2026-11-27 18:00")
    assert shut.opens_at(asked) == asked
    # The fourteenth day still counts.
    almost = calendar(*(first + timedelta(days=n) for n in range(11)))
    assert almost.opens_at(asked) == at("2026-12-11 09:00")


# Whatever the hours

zones = st.sampled_from(
    [
        "Asia/Yerevan",
        "Europe/Oslo",
        "America/New_York",
        "Africa/Cairo",
        "Australia/Lord_Howe",
        "America/Santiago",
        "UTC",
    ]
).map(ZoneInfo)


@st.composite
def some_windows(draw: st.DrawFn) -> Window:
    days = draw(st.sets(st.integers(0, 6), min_size=1))
    opens = draw(st.integers(0, 47)) * 30
    closes = draw(st.integers(opens // 30 + 1, 48)) * 30
    clock = [f"{minutes // 60:02}:{minutes % 60:02}" for minutes in (opens, closes)]
    return Window(tuple(sorted(days)), *clock)


moments = st.integers(0, 2 * 365 * 24 * 60).map(
    lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + minutes * MINUTE
)
days_off = st.sets(st.dates(date(2025, 12, 25), date(2028, 1, 31)), max_size=200).map(frozenset)
calendars = st.builds(
    Calendar,
    zones,
    st.lists(some_windows(), max_size=3).map(tuple),
    days_off,
    st.just(frozenset({NAMED})),
)


def wall_says_open(which: Calendar, moment: datetime) -> bool:
    """By the clock on the wall, as a person would look it up."""
    local = moment.astimezone(which.zone)
    hours = which.windows or (Window(tuple(range(7)), "00:00", "24:00"),)
    return local.date() not in which.holidays and any(
        local.weekday() in w.days and w.opens <= f"{local:%H:%M}" < w.closes for w in hours
    )


@given(calendars, moments)
def test_nobody_is_called_while_they_are_closed(which: Calendar, moment: datetime) -> None:
    opens = which.opens_at(moment)
    assert moment <= opens <= moment + LONGEST_WAIT
    assert wall_says_open(which, opens) or opens == moment
    if opens == moment and not wall_says_open(which, moment):
        later = (moment + n * timedelta(hours=1) for n in range(14 * 24))
        assert not any(which.is_open(one) for one in later)


@given(calendars, moments, st.integers(0, 20_000))
def test_nobody_waits_longer_than_they_must(which: Calendar, moment: datetime, more: int) -> None:
    """Between the two nobody was open; and whoever is asked later never opens earlier."""
    opens, later = which.opens_at(moment), moment + more * MINUTE
    assert opens <= which.opens_at(later)
    if later < opens:
        assert not which.is_open(later)
        assert which.opens_at(later) == opens
    # But on days on which clocks change, the wall and the calendar say the same.
    around = (later + n * timedelta(days=1) for n in (-1, 0, 1))
    if len({moment.astimezone(which.zone).utcoffset() for moment in around}) == 1:
        assert which.is_open(later) is wall_says_open(which, later)


# A ladder that waits

DEFAULT = Ladder(
    (
        Rung(timedelta(0), Whom.ON_DUTY, (Channel.EMAIL,)),
        Rung(timedelta(hours=12), Whom.EVERY_SPOC, (Channel.EMAIL,)),
        Rung(timedelta(hours=12, minutes=5), Whom.NAMED, (Channel.CALL,), NAMED),
        Rung(timedelta(hours=20), Whom.DUTY_OFFICER, (Channel.CALL,)),
        Rung(timedelta(hours=24), Whom.SUPERVISOR, (Channel.CALL,)),
    ),
    page_every=timedelta(hours=4),
)


def test_a_weekend_puts_off_whom_it_concerns_and_nobody_else() -> None:
    """Issued on a Friday afternoon: ours are called on Saturday, theirs on Monday morning."""
    hours = Calendar(YEREVAN, WORKDAYS, frozenset(), frozenset({NAMED}))
    start = at("2026-11-27 17:30")
    told = [(s.number, s.whom, s.due_at) for s in outline(DEFAULT, Climb.ACKNOWLEDGE, start, hours)]
    assert told == [
        (0, Whom.ON_DUTY, start),
        (3, Whom.DUTY_OFFICER, at("2026-11-28 13:30")),
        (4, Whom.SUPERVISOR, at("2026-11-28 17:30")),
        (1, Whom.EVERY_SPOC, at("2026-11-30 09:00")),
        (2, Whom.NAMED, at("2026-11-30 09:05")),
        (5, Whom.SUPERVISOR, at("2026-11-30 13:05")),
    ]
    assert step(DEFAULT, Climb.ACKNOWLEDGE, start, 1, hours).meant_at == at("2026-11-28 05:30")
    left = first_of(DEFAULT, Climb.ACKNOWLEDGE, start, Place((1, 2, 3, 4)), hours)
    assert left.number == 3


def test_a_colleague_of_ours_who_is_named_does_not_wait() -> None:
    hours = Calendar(YEREVAN, WORKDAYS, frozenset())
    named = step(DEFAULT, Climb.ACKNOWLEDGE, at("2026-11-27 17:30"), 2, hours)
    assert (named.waits, named.due_at) == (timedelta(0), at("2026-11-28 05:35"))


named_or_not = ladders.flatmap(
    lambda which: st.sampled_from(
        [
            which,
            Ladder(
                (*which.rungs, Rung(timedelta(hours=3), Whom.NAMED, (Channel.CALL,), NAMED)),
                which.page_every,
            ),
        ]
    )
)


@given(named_or_not, climbs, calendars, moments)
def test_whoever_waits_keeps_their_order_and_their_distance(
    which: Ladder, climb: Climb, hours: Calendar, start: datetime
) -> None:
    plain = {s.number: s for s in outline(which, climb, start)}
    waiting = outline(which, climb, start, hours)
    *rungs, top = waiting
    assert [s.due_at for s in waiting] == sorted(s.due_at for s in waiting)
    assert sorted(s.number for s in waiting) == sorted(plain)
    assert top.at_top and all(s.number < top.number for s in rungs)
    assert all(step(which, climb, start, s.number, hours) == s for s in waiting)
    theirs = []
    for one in sorted(rungs, key=lambda s: s.number):
        if one.whom in AT_THE_PROVIDER or one.contact == NAMED:
            theirs.append(one)
            assert one.meant_at == plain[one.number].due_at <= one.due_at
            opens = wall_says_open(hours, one.due_at)
            assert opens or not any(
                hours.is_open(one.due_at + timedelta(hours=n)) for n in range(14 * 24)
            )
        else:
            assert one == plain[one.number], "ours do not wait"
    for before, one in itertools.pairwise(theirs):
        gap = min(one.meant_at - before.meant_at, APART)
        assert one.due_at - before.due_at >= gap
