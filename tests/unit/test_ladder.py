"""Whom an unanswered order calls, when, and what comes next."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.domain.ladder import (
    Climb,
    Ladder,
    Rung,
    Whom,
    ladder_from_json,
    ladder_json,
    outline,
    step,
)
from liaison.domain.vocabulary import Channel
from tests.register import ladder

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


spans = st.integers(0, 10_000).map(minutes)
rungs = st.builds(
    Rung,
    after=spans,
    whom=st.sampled_from(Whom),
    channels=st.lists(st.sampled_from(Channel), min_size=1, unique=True).map(tuple),
    contact=st.none() | st.uuids().map(str),
    repeats=st.integers(0, 4),
    every=st.integers(1, 600).map(minutes),
)
ladders = st.builds(
    Ladder,
    rungs=st.lists(rungs, max_size=6).map(tuple),
    page_every=st.integers(1, 600).map(minutes),
)
climbs = st.sampled_from(Climb)


def moments(which: Ladder, climb: Climb) -> list[tuple[float, Whom]]:
    """The steps of a climb, in minutes from its start."""
    return [((s.due_at - START).total_seconds() / 60, s.whom) for s in outline(which, climb, START)]


def test_an_emergency_climbs_from_the_spoc_to_the_supervisor() -> None:
    assert moments(ladder(0, 15, 30, 45), Climb.ACKNOWLEDGE) == [
        (0, Whom.ON_DUTY),
        (15, Whom.EVERY_SPOC),
        (30, Whom.FALLBACK),
        (45, Whom.DUTY_OFFICER),
        (60, Whom.SUPERVISOR),
    ]


def test_the_second_climb_starts_with_its_first_rung_at_once() -> None:
    """The time has run out already: a routine ladder's first day of patience is over."""
    assert moments(ladder(240, 360, 420, 480), Climb.PRESERVE) == [
        (0, Whom.ON_DUTY),
        (120, Whom.EVERY_SPOC),
        (180, Whom.FALLBACK),
        (240, Whom.DUTY_OFFICER),
        (255, Whom.SUPERVISOR),
    ]


def test_a_rung_repeats_and_others_come_in_between() -> None:
    which = Ladder(
        (
            Rung(minutes(0), Whom.ON_DUTY, (Channel.EMAIL,), repeats=2, every=minutes(10)),
            Rung(minutes(15), Whom.FALLBACK, (Channel.CALL,)),
        ),
        page_every=minutes(5),
    )
    assert moments(which, Climb.ACKNOWLEDGE) == [
        (0, Whom.ON_DUTY),
        (10, Whom.ON_DUTY),
        (15, Whom.FALLBACK),
        (20, Whom.ON_DUTY),
        (25, Whom.SUPERVISOR),
    ]
    assert [s.repeat for s in outline(which, Climb.ACKNOWLEDGE, START)] == [0, 1, 0, 2, 1]
    assert [s.rung for s in outline(which, Climb.ACKNOWLEDGE, START)] == [0, 0, 1, 0, None]


def test_rungs_written_in_any_order_are_climbed_in_time_order() -> None:
    which = Ladder(
        (
            Rung(minutes(30), Whom.FALLBACK, (Channel.EMAIL,)),
            Rung(minutes(0), Whom.ON_DUTY, (Channel.EMAIL,)),
        )
    )
    assert [whom for _, whom in moments(which, Climb.ACKNOWLEDGE)] == [
        Whom.ON_DUTY,
        Whom.FALLBACK,
        Whom.SUPERVISOR,
    ]


@pytest.mark.parametrize("climb", Climb)
def test_at_the_top_the_supervisor_is_paged_until_a_person_closes_it(climb: Climb) -> None:
    which = ladder(0, 15, 30, 45)
    pages = [step(which, climb, START, number) for number in range(4, 54)]
    assert all(page.at_top and page.whom is Whom.SUPERVISOR for page in pages)
    assert pages[0].due_at == START + minutes(60)
    gaps = {b.due_at - a.due_at for a, b in itertools.pairwise(pages)}
    assert gaps == {minutes(15)}


def test_a_ladder_without_rungs_pages_the_supervisor() -> None:
    first = step(Ladder((), minutes(10)), Climb.ACKNOWLEDGE, START, 0)
    assert (first.whom, first.due_at) == (Whom.SUPERVISOR, START + minutes(10))


@given(ladders)
def test_a_ladder_written_as_data_reads_back_the_same(which: Ladder) -> None:
    assert ladder_from_json(json.loads(json.dumps(ladder_json(which)))) == which


@given(ladders, climbs)
def test_steps_never_go_back_in_time_and_every_rung_is_climbed(which: Ladder, climb: Climb) -> None:
    steps = outline(which, climb, START)
    assert [s.number for s in steps] == list(range(len(steps)))
    assert all(a.due_at <= b.due_at for a, b in itertools.pairwise(steps))
    assert steps[0].due_at >= START
    assert steps[-1].at_top
    called = [(s.rung, s.repeat) for s in steps[:-1]]
    wanted = {(i, k) for i, rung in enumerate(which.rungs) for k in range(rung.repeats + 1)}
    assert set(called) == wanted
    assert len(called) == len(wanted)


@given(ladders)
def test_both_climbs_take_the_same_steps_and_the_second_waits_for_none_at_its_start(
    which: Ladder,
) -> None:
    first = outline(which, Climb.ACKNOWLEDGE, START)
    second = outline(which, Climb.PRESERVE, START)
    assert [(s.rung, s.repeat) for s in first] == [(s.rung, s.repeat) for s in second]
    shift = first[0].due_at - START if which.rungs else timedelta(0)
    assert [s.due_at + shift for s in second] == [s.due_at for s in first]


@given(ladders, climbs, st.integers(0, 40))
def test_a_page_at_the_top_comes_after_every_rung(which: Ladder, climb: Climb, later: int) -> None:
    top = outline(which, climb, START)[-1]
    page = step(which, climb, START, top.number + later)
    assert page.at_top
    assert page.due_at == top.due_at + later * which.page_every
