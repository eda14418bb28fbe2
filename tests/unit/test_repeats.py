"""Repetitions of calendars: the same days as dateutil finds, and an end to every search."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from dateutil.rrule import rrulestr  # type: ignore[import-untyped]
from hypothesis import assume, given
from hypothesis import strategies as st

from liaison.domain import repeats

FIRST = date(2026, 3, 27)


def dates(rule: str, first: date = FIRST, start: date = FIRST, days: int = 366) -> list[date]:
    parts: dict[str, list[str]] = {}
    until = None
    for part in rule.split(";"):
        name, _, values = part.partition("=")
        parts[name] = values.split(",")
        if name == "UNTIL":
            until = date.fromisoformat(values)
    return list(repeats.parse(parts, until).dates(first, start, start + timedelta(days=days)))


DAY = st.sampled_from(repeats.DAYS)


@st.composite
def rules(draw: st.DrawFn) -> str:
    every = draw(st.sampled_from(("DAILY", "WEEKLY", "MONTHLY", "YEARLY")))
    parts = [f"FREQ={every}", f"INTERVAL={draw(st.integers(1, 4))}"]
    months = draw(st.lists(st.integers(1, 12), max_size=3, unique=True))
    if months:
        parts.append("BYMONTH=" + ",".join(map(str, months)))
    monthly = every == "MONTHLY" or (every == "YEARLY" and bool(months))
    ordinal = st.sampled_from(("", "1", "2", "-1", "-2", "5", "+3")) if monthly else st.just("")
    if draw(st.booleans()) and not (every == "YEARLY" and not months):
        days = draw(st.lists(st.tuples(ordinal, DAY), min_size=1, max_size=3, unique=True))
        # A plain weekday beside a counted one is read differently by everybody.
        assume(len({bool(n) for n, _ in days}) == 1)
        parts.append("BYDAY=" + ",".join(n + d for n, d in days))
    elif (draw(st.booleans()) and every in ("MONTHLY", "DAILY")) or (every == "YEARLY" and months):
        month_days = st.integers(1, 31) | st.integers(-31, -1)
        given_ = draw(st.lists(month_days, min_size=1, max_size=3, unique=True))
        parts.append("BYMONTHDAY=" + ",".join(map(str, given_)))
    if draw(st.booleans()):
        parts.append(f"COUNT={draw(st.integers(1, 40))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(DAY)}")
    return ";".join(parts)


@given(rules(), st.integers(0, 800))
def test_the_same_days_as_dateutil(rule: str, ago: int) -> None:
    first = FIRST - timedelta(days=ago)
    begin = datetime.combine(first, datetime.min.time())
    until = datetime(2027, 3, 28)  # noqa: DTZ001 - wall time, as rules have it
    theirs: Any = rrulestr(rule, dtstart=begin)
    # What begins outside its own rule: RFC 5545 counts that day, dateutil leaves it out.
    near = next(iter(theirs.xafter(begin, count=1, inc=True)), None)
    assume(near == begin)
    expected = [m.date() for m in theirs.between(begin, until, inc=True) if m.date() >= FIRST]
    assert dates(rule, first) == expected


def test_the_day_it_begins_on_counts_though_it_does_not_fit() -> None:
    assert dates("FREQ=WEEKLY;BYDAY=MO;COUNT=2") == [FIRST, date(2026, 3, 30)]


def test_what_is_said_many_times_is_asked_once() -> None:
    given_ = {"FREQ": ["MONTHLY"], "BYMONTHDAY": ["5"] * 500, "BYMONTH": ["3"] * 500}
    found = repeats.parse({**given_, "BYDAY": ["1MO", "MO"] * 500}, None)
    assert (found.days, found.months) == (((1, 0), (0, 0)), (3,))
    assert found.month_days == frozenset({5})


def test_days_are_taken_from_what_all_rules_share() -> None:
    budget = repeats.Budget(30)
    rule = repeats.parse({"FREQ": ["DAILY"]}, None)
    assert len(list(rule.dates(FIRST, FIRST, FIRST + timedelta(days=19), budget))) == 20
    with pytest.raises(repeats.SpentError):
        list(rule.dates(FIRST, FIRST, FIRST + timedelta(days=19), budget))


def test_a_rule_that_never_matches_comes_to_an_end() -> None:
    assert dates("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30") == [FIRST]
    assert dates("FREQ=DAILY;INTERVAL=7;BYDAY=MO;COUNT=100000") == [FIRST]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=SECONDLY", "more often than daily"),
        ("FREQ=HOURLY;COUNT=3", "more often than daily"),
        ("FREQ=DAILY;BYHOUR=1,2,3", "BYHOUR"),
        ("FREQ=DAILY;COUNT=99999999999999999999", "COUNT"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL"),
        ("FREQ=DAILY;INTERVAL=²", "INTERVAL"),
        ("FREQ=MONTHLY;BYDAY=99MO", "weekday"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS"),
        ("FREQ=YEARLY;BYDAY=1MO", "name the month"),
        ("FREQ=WEEKLY;WKST=XX", "week"),
        ("COUNT=3", "how often"),
        ("FREQ=DAILY,WEEKLY", "more than once"),
    ],
)
def test_a_rule_that_is_not_read_is_refused_in_words(rule: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        dates(rule)


def test_a_rule_from_long_ago_is_refused() -> None:
    with pytest.raises(ValueError, match="ten years"):
        dates("FREQ=DAILY", first=date(1, 1, 1))
