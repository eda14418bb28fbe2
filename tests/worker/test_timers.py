"""A timer that fails, and an order that somebody holds."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from liaison.models import Database, Order, Timer
from liaison.models.work import TimerKind
from liaison.services import answers, escalation, keeping, timers
from liaison.worker import Work, run_once
from liaison.worker.timers import HANDLERS, fire_one
from tests.mail import RecordingSender
from tests.worker.looking import entries, messages, waiting
from tests.world import World


def _poison(session: Session, timer: Timer, order: Order, now: datetime) -> None:
    escalation.climb(session, timer, order, now)
    raise ValueError("poison\nwith a second line")


def test_a_timer_that_fails_is_put_off_and_leaves_nothing_behind(
    work: Work, world: World, database: Database
) -> None:
    order = world.issue()
    handlers = {**HANDLERS, TimerKind.LADDER: _poison}
    for attempt, seconds in enumerate((5, 10, 20), start=1):
        assert fire_one(work, handlers) == 1
        (timer,) = waiting(database, order)
        assert timer.attempts == attempt
        assert timer.last_error == "ValueError: poison"
        assert timer.due_at == world.now + timedelta(seconds=seconds)
        assert fire_one(work, handlers) == 0, "it is not due yet"
        world.clock.move(seconds=seconds)
    assert {m.letter for m in messages(database, order)} == {"timer_failed"}, "of the step, none"
    assert entries(database, order, "order.escalated") == []
    assert fire_one(work) == 1
    assert len(entries(database, order, "order.escalated")) == 1


def test_a_poison_timer_does_not_hold_up_the_others(
    work: Work, world: World, database: Database
) -> None:
    poisoned = world.issue()
    sound = world.issue("08-emergency-threat-foreign.json")

    def handler(session: Session, timer: Timer, order: Order, now: datetime) -> None:
        (_poison if order.id == poisoned.id else escalation.climb)(session, timer, order, now)

    handlers = {**HANDLERS, TimerKind.LADDER: handler}
    assert fire_one(work, handlers) == 1
    assert fire_one(work, handlers) == 1
    assert fire_one(work, handlers) == 0
    assert entries(database, poisoned, "order.escalated") == []
    assert len(entries(database, sound, "order.escalated")) == 1


def test_an_order_in_somebodys_hands_is_passed_over(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    with database.transaction() as session:
        answers.acknowledge(session, world.actor("spoc"), order.name, world.now)
        if not database.is_sqlite:  # there the worker waits for the writer, and looks after it
            assert fire_one(work) == 0
    assert fire_one(work) == 0
    run_once(work)
    assert "spoc@meridian.example" not in sender.addresses


def test_firing_and_acknowledging_do_not_stop_each_other(
    work: Work, world: World, database: Database
) -> None:
    order = world.issue()
    actor, now = world.actor("spoc"), world.now
    faults: list[BaseException] = []

    def acknowledge() -> None:
        try:
            with database.transaction() as session:
                answers.acknowledge(session, actor, order.name, now)
        except BaseException as error:
            faults.append(error)

    other = threading.Thread(target=acknowledge)
    with database.transaction() as session:
        timer = timers.claim(session, now)
        assert timer is not None
        other.start()
        if not database.is_sqlite:
            _until_somebody_waits(database)
        timers.fire(session, timer, escalation.climb, now)
    other.join(20)
    assert faults == []
    assert world.order(order.name).state == "acknowledged"
    assert [t.payload["climb"] for t in waiting(database, order)] == [2]


def _until_somebody_waits(database: Database) -> None:
    deadline = time.monotonic() + 10
    with database.engine.connect() as connection:
        while time.monotonic() < deadline:
            if connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
                return
    pytest.fail("nobody came to wait for the order")


def test_expiry_does_nothing_where_the_date_was_moved(
    work: Work, world: World, database: Database
) -> None:
    order = world.issue()
    world.preserve(order, days=30)
    world.clock.move(days=10)
    world.preserve(order, days=60)
    world.clock.move(days=20, minutes=1)
    run_once(work)
    assert world.order(order.name).state == "preserved"
    with database.transaction() as session:
        timer = next(t for t in waiting(database, order) if t.kind is TimerKind.EXPIRY)
        row = session.get_one(Order, order.id)
        keeping.expire(session, timer, row, world.now)
        assert row.state == "preserved"
