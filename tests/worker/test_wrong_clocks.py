"""Clocks that differ, are set back, or were handed in: no notice waits for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from liaison.clock import FixedClock
from liaison.delivery import DeliveryError
from liaison.models import Database
from liaison.models.work import MessageState
from liaison.services import claims
from liaison.worker import Done, Work, messages, run_once, timers
from tests.mail import RecordingSender
from tests.worker.looking import messages as notices
from tests.world import World


def test_a_notice_leaves_though_the_clock_of_whoever_queued_it_is_ahead(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    world.clock.move(minutes=20)
    timers.fire_one(work)
    timers.fire_one(work)
    queued = len(notices(database, order))
    assert queued > 1
    world.clock.move(minutes=-3)
    assert run_once(work) == Done(sent=queued)


@pytest.mark.parametrize("steps", [{"hours": -1}, {"hours": -20}, {"minutes": -10}])
def test_a_clock_that_was_set_back_holds_no_second_try_up(
    work: Work, world: World, sender: RecordingSender, steps: dict[str, int]
) -> None:
    world.issue()
    sender.fail(DeliveryError("451 try later"))
    assert run_once(work) == Done(fired=1, sent=0)
    world.clock.move(**steps)
    assert run_once(work) == Done(sent=1)


def test_a_run_as_of_later_that_failed_delays_no_real_one(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    timers.fire_one(work)
    later = replace(work, clock=FixedClock(world.now + timedelta(hours=5)))
    (claimed,) = messages.claim(later)
    assert notices(database, order)[0].state is MessageState.SENDING  # and here it is killed
    assert run_once(work) == Done(sent=1), "its lease ends in five hours, and holds nothing"
    assert not messages.send(later, claimed), "and it was overtaken"
    sender.fail(*[DeliveryError("451 try later")] * 100)
    world.issue()
    run_once(later)
    sender.failures.clear()
    world.clock.move(minutes=2)
    assert run_once(work).sent > 0


def test_whoever_asked_for_the_time_first_does_not_take_what_the_second_holds(
    work: Work, world: World, database: Database
) -> None:
    world.issue()
    timers.fire_one(work)
    world.clock.move(minutes=1)
    assert len(messages.claim(work)) == 1
    with database.transaction() as session:
        for behind in (0.001, 1, 44):
            assert claims.claim(session, world.now - timedelta(seconds=behind)) == []


@pytest.mark.parametrize(
    ("file", "longest"),
    [
        ("01-emergency-missing-child.json", timedelta(minutes=5)),
        ("03-cgnat-fraud-routine.json", timedelta(hours=12)),
    ],
)
def test_the_other_side_cannot_ask_for_days(
    work: Work,
    world: World,
    database: Database,
    sender: RecordingSender,
    file: str,
    longest: timedelta,
) -> None:
    order = world.issue(file)
    world.clock.move(days=1)
    sender.fail(*[DeliveryError("busy", retry_after=timedelta(days=3))] * 20)
    timers.fire_one(work)
    messages.send_some(work)
    assert notices(database, order)[0].next_at == world.now + longest
    world.clock.move(seconds=1)
    assert messages.claim(work) == [], "the longest wait is waited"
