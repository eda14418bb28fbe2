"""Races of eight on one ladder: each act once, one step that waits or none, no page too late."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from liaison.models import Database, Order
from liaison.services import escalation, ladder_holds
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.races.ladders import at_work, counts, form, stands
from tests.races.runners import EIGHT, Act, Field, is_done, race, told_what_happened
from tests.world import MovableClock

PEOPLE = ("officer", "second_officer", "supervisor")


@pytest.fixture
def work(
    settings: Settings, database: Database, clock: MovableClock, sender: RecordingSender
) -> Work:
    return Work(settings, database, clock, sender, name="worker-1")


def begun(course: Field, work: Work, *, minutes: float = 1) -> Order:
    """An emergency whose first rung has called; the next comes 15 minutes after issue."""
    for who in PEOPLE:
        course.browser(who, 2)  # signing in moves the clock
    order = course.world.issue()
    run_once(work)
    course.world.clock.move(minutes=minutes)
    return order


def do(course: Field, verb: Callable[..., object], order: Order, *given: object) -> None:
    world = course.world
    with world.database.transaction() as session:
        verb(session, world.actor("officer"), order.name, *given, world.now)


def paused(course: Field, order: Order) -> None:
    until = course.world.now + timedelta(minutes=20)
    do(course, ladder_holds.pause, order, until, "I speak with them.")


def closed(course: Field, order: Order) -> None:
    do(course, escalation.close, order, "I drive there.")


BEFORE: dict[str, Callable[[Field, Order], None]] = {
    "go-on": paused,
    "reopen-escalation": closed,
}
"""What must have been done before an act can be."""


def of_three(course: Field, order: Order, act: str) -> list[Act]:
    """Three people have opened the form of one act, some of them in several windows."""
    return [form(course, order, act, PEOPLE[n % 3], n // 3) for n in range(EIGHT)]


def losers_are_told(answers: Sequence[TestResponse]) -> None:
    """Whoever did not do it knows."""
    for answer in answers:
        if not is_done(answer):
            told_what_happened(answer)


@pytest.mark.parametrize(
    "act",
    ["escalate", "skip", "pause-escalation", "go-on", "close-escalation", "reopen-escalation"],
)
def test_each_act_of_the_ladder_is_done_once(
    rounds: int, course: Field, work: Work, act: str
) -> None:
    for _ in range(rounds):
        order = begun(course, work)
        before = BEFORE.get(act)
        if before is not None:
            before(course, order)
        answers = race(of_three(course, order, act))
        done = counts(course, order)
        assert done[act] == 1
        assert any(map(is_done, answers)), "nobody was told that it is done"
        losers_are_told(answers)
        stands(course, order)
        run_once(work)
        stands(course, order)
        called = 1 + (act in ("escalate", "skip"))
        assert course.entries(order, "order.escalated") == called


def test_different_acts_on_one_ladder_follow_each_other_or_are_refused(
    rounds: int, course: Field, work: Work
) -> None:
    kinds = ("escalate", "skip", "pause-escalation", "close-escalation")
    for _ in range(rounds):
        order = begun(course, work)
        windows = [("officer", 0), ("supervisor", 0)]
        forms = [form(course, order, act, *window) for act in kinds for window in windows]
        answers = race(forms, at_work(work))
        done = counts(course, order)
        assert done
        assert set(done.values()) == {1}, done
        # Each was done by one person: the other's form of the same act was not.
        assert sum(map(is_done, answers)) == sum(done.values())
        losers_are_told(answers)
        now = stands(course, order)
        assert (now.ladder_closed_at is not None) == ("close-escalation" in done)
        run_once(work)
        stands(course, order)


def test_a_step_that_falls_due_while_people_call_it_comes_once(
    rounds: int, course: Field, work: Work
) -> None:
    for _ in range(rounds):
        order = begun(course, work, minutes=15)
        answers = race(of_three(course, order, "escalate"), at_work(work))
        assert counts(course, order).get("escalate", 0) <= 1
        losers_are_told(answers)
        run_once(work)
        assert course.entries(order, "order.escalated") == 2
        stands(course, order)


def test_a_pause_that_ends_while_people_end_it_ends_once(
    rounds: int, course: Field, work: Work
) -> None:
    for _ in range(rounds):
        order = begun(course, work)
        paused(course, order)
        windows = [(PEOPLE[n % 3], n // 3) for n in range(EIGHT)]
        acts = ("go-on", "close-escalation")
        forms = [form(course, order, acts[n % 2], *window) for n, window in enumerate(windows)]
        course.world.clock.move(minutes=20)
        answers = race(forms, at_work(work))
        done = counts(course, order)
        assert done["close-escalation"] == 1
        assert done.get("go-on", 0) <= 1
        losers_are_told(answers)
        now = stands(course, order)
        assert now.ladder_closed_at is not None
        assert course.entries(order, "order.escalated") <= 2
