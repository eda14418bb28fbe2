"""A question that nobody answers: who is told, when, and what ends it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from liaison.models import Entry, Timer
from liaison.models.work import TimerKind, TimerState
from liaison.services import orders as verbs
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.threads import answer, ask, routine
from tests.world import World

OURS = ["duty@police.example", "supervisor@police.example"]


def late(sender: RecordingSender) -> list[str]:
    """Whom the letters about a late answer went to."""
    return sorted(s.address for s in sender.sent if "waits for your answer" in s.subject)


def clocks(world: World) -> list[TimerState]:
    """The states of the clocks to answer."""
    with world.database.reading() as session:
        return list(session.scalars(select(Timer.state).where(Timer.kind == TimerKind.ANSWER)))


def test_duty_officer_and_supervisor_are_told_and_again_after_each_term(
    work: Work, world: World, sender: RecordingSender
) -> None:
    order = routine(world)
    ask(world, order)
    world.clock.move(hours=23, minutes=59)
    run_once(work)
    assert late(sender) == []
    for times in (1, 2, 3):
        world.clock.move(days=1) if times > 1 else world.clock.move(minutes=1)
        sender.sent.clear()
        run_once(work)
        assert late(sender) == OURS
        assert run_once(work).sent == 0
    with world.database.reading() as session:
        found = session.scalars(select(Entry).where(Entry.type == "order.answer_late")).all()
        assert len(found) == 3
        assert all(entry.stream.startswith("authority:") for entry in found)


def test_what_a_stopped_worker_missed_is_told_once(
    work: Work, world: World, sender: RecordingSender
) -> None:
    order = routine(world)
    ask(world, order)
    world.clock.move(days=4, hours=3)
    run_once(work)
    assert late(sender) == OURS
    sender.sent.clear()
    world.clock.move(hours=21)
    run_once(work)
    assert late(sender) == OURS


@pytest.mark.parametrize("end", ["answered", "withdrawn"])
def test_an_answer_or_a_withdrawal_ends_it(
    work: Work, world: World, sender: RecordingSender, end: str
) -> None:
    order = routine(world)
    ask(world, order)
    if end == "answered":
        answer(world, order)
    else:
        with world.database.transaction() as session:
            verbs.withdraw(session, world.actor("officer"), order.name, "No need.", world.now)
    assert clocks(world) == [TimerState.CANCELLED]
    world.clock.move(days=3)
    run_once(work)
    assert late(sender) == []


def test_a_question_at_the_very_moment_of_an_answer_has_a_clock_of_its_own(
    work: Work, world: World, sender: RecordingSender
) -> None:
    order = routine(world)
    ask(world, order)
    answer(world, order)
    ask(world, order, "And the port?")
    assert sorted(clocks(world)) == [TimerState.CANCELLED, TimerState.WAITING]
    world.clock.move(days=1)
    run_once(work)
    assert late(sender) == OURS
