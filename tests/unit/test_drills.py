"""When drills happen: spread over the year, over day and night, across changes of the clocks."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.domain import targets
from liaison.domain.drills import (
    _EXAMPLES,
    anniversary,
    asked_for,
    example,
    is_night,
    spread,
    year_of,
)
from liaison.domain.vocabulary import DataCategory, TargetType

ZONES = ("Asia/Yerevan", "Europe/Oslo", "America/St_Johns", "Pacific/Auckland", "Asia/Kathmandu")


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@given(
    number=st.integers(1, 40),
    begins=st.dates(date(2024, 1, 1), date(2030, 12, 31)),
    zone=st.sampled_from(ZONES),
    seed=st.integers(0, 10**9),
)
def test_one_in_each_part_of_the_year_by_day_and_by_night(
    number: int, begins: date, zone: str, seed: int
) -> None:
    start, end = midnight(begins), midnight(anniversary(begins, 1))
    slots = spread(number, start, end, zone, random.Random(seed).randrange, start)
    assert [slot.number for slot in slots] == list(range(1, number + 1))
    part = (end - start) / number
    hours = []
    for k, slot in enumerate(slots):
        assert slot.at is not None
        assert start + k * part <= slot.at < start + (k + 1) * part
        local = slot.at.astimezone(ZoneInfo(zone))
        hours.append(local.hour)
    nights = sum(is_night(slot.at, zone) for slot in slots if slot.at)
    if number >= 2:
        # An hour that the clocks pass over may fall out of its stretch, never out of its night.
        assert nights >= 1, "the night is never left out"
        assert nights < number, "nor is the day"
        assert abs(nights - number / 3) <= 1
    if number >= 24:
        assert len({hour // 3 for hour in hours}) == 8, "no three hours of the day are left out"


@given(
    number=st.integers(1, 24),
    gone=st.integers(0, 365 * 24 * 60),
    seed=st.integers(0, 10**9),
)
def test_nothing_is_planned_for_what_has_passed(number: int, gone: int, seed: int) -> None:
    start, end = midnight(date(2026, 1, 1)), midnight(date(2027, 1, 1))
    now = start + timedelta(minutes=gone)
    slots = spread(number, start, end, "Asia/Yerevan", random.Random(seed).randrange, now)
    part = (end - start) / number
    for k, slot in enumerate(slots):
        whole_part_is_left = start + k * part >= now
        assert slot.at is not None or not whole_part_is_left
        assert slot.at is None or now <= slot.at < start + (k + 1) * part


def test_single_drills_come_at_every_hour_over_the_years() -> None:
    draw = random.Random(1).randrange
    start, end = midnight(date(2026, 1, 1)), midnight(date(2027, 1, 1))
    hours = set()
    for _ in range(400):
        (slot,) = spread(1, start, end, "UTC", draw, start)
        assert slot.at is not None
        hours.add(slot.at.hour)
    assert hours == set(range(24))


def test_every_second_is_announced_and_most_are_emergencies() -> None:
    draw = random.Random(1).randrange
    start, end = midnight(date(2026, 1, 1)), midnight(date(2027, 1, 1))
    slots = spread(12, start, end, "UTC", draw, start)
    assert sum(slot.announced for slot in slots) == 6
    assert sum(slot.urgency.value == "emergency" for slot in slots) == 9


@pytest.mark.parametrize("number", [0, -1])
def test_none(number: int) -> None:
    start, end = midnight(date(2026, 1, 1)), midnight(date(2027, 1, 1))
    assert spread(number, start, end, "UTC", random.Random(1).randrange, start) == []


@given(
    st.dates(date(2000, 1, 1), date(2030, 12, 31)), st.dates(date(2031, 1, 1), date(2060, 12, 31))
)
def test_a_day_lies_in_exactly_one_year_of_a_memorandum(begun: date, day: date) -> None:
    first = year_of(begun, day)
    following = anniversary(begun, first.year - begun.year + 1)
    assert first <= day < following
    assert timedelta(days=365) <= following - first <= timedelta(days=366)


@pytest.mark.parametrize("kind", list(TargetType))
def test_what_a_drill_asks_about_is_a_valid_identifier(kind: TargetType) -> None:
    assert example({kind}) == (kind, _EXAMPLES[kind])
    assert targets.parse(*example({kind})).type is kind


def test_a_memorandum_that_covers_nothing_still_has_drills() -> None:
    assert example(()) == (TargetType.OTHER, "TEST")
    assert asked_for(()) == [DataCategory.OTHER]
    assert asked_for(frozenset(DataCategory)) == [DataCategory.SUBSCRIBER]
