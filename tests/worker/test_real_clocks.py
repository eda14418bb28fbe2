"""A worker with the machine's own clock, as every installation has it: no clock is handed in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from liaison import checks
from liaison.clock import SystemClock
from liaison.models import Database, Heartbeat, Order, Timer
from liaison.models.work import TimerKind, TimerState
from liaison.worker import Work, timers
from liaison.worker.loop import beat
from tests.world import World


@pytest.fixture
def real(work: Work) -> Work:
    return replace(work, clock=SystemClock())


def test_it_knows_the_time_and_beats(real: Work, database: Database) -> None:
    now = datetime.now(UTC)
    assert abs(real.now() - now) < timedelta(minutes=1)
    with database.reading() as session:
        assert abs(real.now(session) - now) < timedelta(minutes=1)
    beat(real)
    with database.reading() as session:
        assert session.get_one(Heartbeat, real.name).at >= now - timedelta(minutes=1)
    assert checks._clock(database, SystemClock()), "liaison check goes by it too"


def test_a_timer_that_fails_is_put_off(real: Work, world: World, database: Database) -> None:
    order = world.issue()

    def fails(session: Session, timer: Timer, order: Order, now: datetime) -> None:
        raise ZeroDivisionError

    assert timers.fire_one(real, dict.fromkeys(TimerKind, fails)) == 1
    with database.reading() as session:
        rows = session.scalars(select(Timer).where(Timer.order_id == order.id)).all()
    put_off = [row for row in rows if row.attempts]
    assert [row.state for row in put_off] == [TimerState.WAITING]
    assert put_off[0].due_at > datetime.now(UTC) - timedelta(minutes=1)


@pytest.mark.parametrize("terms", ["{}", "null"])
def test_terms_that_cannot_be_read_stop_no_other_ladder(
    work: Work, world: World, database: Database, terms: str
) -> None:
    broken = world.issue()
    world.clock.move(seconds=1)
    whole = world.issue()
    with database.transaction() as session:
        session.execute(
            text("UPDATE preservation_order SET terms = :terms WHERE ref = :ref"),
            {"terms": terms, "ref": broken.ref},
        )
    for _ in range(2):
        assert timers.fire_one(work) == 1
    with database.reading() as session:
        failed = session.scalars(select(Timer).where(Timer.attempts > 0)).all()
        fired = session.scalars(select(Timer).where(Timer.state == TimerState.FIRED)).all()
        assert [row.order_id for row in failed] == [broken.id]
        assert [row.order_id for row in fired] == [whole.id]
