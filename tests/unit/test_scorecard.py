"""Figures of answers: silence betters none of them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from liaison.domain.scorecard import Case, Share, figures, nearest_rank

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOW = START + timedelta(days=30)
HOUR = timedelta(hours=1)


def case(answered: float | None = None, kept: float | None = None, **more: object) -> Case:
    """An emergency of START: minutes until it was answered and preserved."""

    def at(minutes: float | None) -> datetime | None:
        return None if minutes is None else START + timedelta(minutes=minutes)

    given_ = {"answered_at": at(answered), "preserved_at": at(kept), **more}
    return Case(START, START + HOUR, START + 4 * HOUR, **given_)  # type: ignore[arg-type]


def minutes(span: timedelta | None) -> float | None:
    return None if span is None else span / timedelta(minutes=1)


def test_median_and_ninetieth_by_nearest_rank() -> None:
    found = figures([case(n) for n in (5, 10, 20, 40, 90)], "UTC", NOW)
    assert (minutes(found.median), minutes(found.ninetieth)) == (20, 90)
    assert found.in_time == Share(4, 5)
    assert found.in_time.percent == 80


def test_whoever_never_answered_is_infinitely_late() -> None:
    found = figures([case(5), case(10), case(), case()], "UTC", NOW)
    assert (found.answered, found.judged) == (2, 4)
    assert minutes(found.median) == 10
    assert found.ninetieth is None
    assert figures([case(), case(), case(1)], "UTC", NOW).median is None


def test_what_is_still_in_time_or_was_taken_back_in_time_is_not_judged() -> None:
    running = case()
    assert not running.counts(START + HOUR)
    assert running.counts(START + HOUR + timedelta(seconds=1))
    broken_off = case(closed_at=START + timedelta(minutes=59))
    unanswered = case(closed_at=START + 24 * HOUR)
    found = figures([broken_off, unanswered], "UTC", NOW)
    assert (found.number, found.judged, found.answered) == (2, 1, 0)


def test_a_drill_that_ends_with_its_time_to_preserve_was_not_preserved() -> None:
    ended = case(30, closed_at=START + 4 * HOUR)
    assert figures([ended], "UTC", NOW).kept_in_time == Share(0, 1)


def test_declined_is_answered_and_no_case_for_preservation() -> None:
    declined = case(30, declined=True, closed_at=START + timedelta(minutes=30))
    found = figures([declined, case(30, kept=200), case(30, kept=300)], "UTC", NOW)
    assert found.in_time == Share(3, 3)
    assert found.kept_in_time == Share(1, 2)


def test_to_the_second() -> None:
    assert case(60).in_time
    assert not case(60.02).in_time
    assert case(1, kept=240).kept_in_time


def test_hours_are_the_providers() -> None:
    found = figures([case(5), case(90)], "Asia/Yerevan", NOW)
    assert found.hours[16] == Share(1, 2)
    assert sum(hour.whole for hour in found.hours) == 2


def test_of_nothing() -> None:
    found = figures([], "UTC", NOW)
    assert (found.median, found.ninetieth, found.in_time.percent) == (None, None, None)


@given(st.lists(st.none() | st.integers(0, 10_000), max_size=60), st.integers(1, 100))
def test_nearest_rank_is_the_smallest_value_that_covers_the_percent(
    answers: list[int | None], percent: int
) -> None:
    spans = [timedelta(minutes=n) for n in answers if n is not None]
    found = nearest_rank(spans, len(answers), percent)
    infinite = [math.inf if n is None else float(n) for n in answers]
    covering = [
        value
        for value in infinite
        if 100 * sum(other <= value for other in infinite) >= percent * len(infinite)
    ]
    smallest = min(covering, default=math.inf)
    assert (math.inf if found is None else found / timedelta(minutes=1)) == smallest
