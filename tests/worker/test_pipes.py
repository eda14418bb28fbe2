"""Writes that nobody waits for one by one: in order, all or nothing, their errors told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from psycopg.pq import PipelineStatus
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from liaison.models import Database, Order, Timer, pipes
from liaison.models.base import insert_missing, insert_once, new_id
from liaison.models.deeds import bare
from liaison.models.pipes import unwaited
from liaison.models.work import TimerKind, TimerState
from liaison.services import timers as timer_rows
from liaison.worker import Work, timers
from tests.services.test_made_once import FIRED, LOOK, values
from tests.world import World


@contextmanager
def writing(database: Database) -> Iterator[Session]:
    with database.transaction() as session, unwaited(session.connection()):
        yield session


def is_piped(session: Session) -> bool:
    own: Any = session.connection().connection.driver_connection
    return bool(own.pgconn.pipeline_status == PipelineStatus.ON)


Act = Callable[[Session], object]
STRANGER = {"key": "of an order that is not there", "order_id": UUID(int=7)}


def put(planned: Mapping[str, object], **other: object) -> Act:
    """A timer is written, which nobody waits for."""
    row = {**planned, "id": new_id(), **other} if other else planned
    return lambda session: insert_missing(session, Timer, row)


def fail(_session: Session) -> None:
    raise ZeroDivisionError


def written(database: Database, *acts: Act) -> None:
    with writing(database) as session:
        for act in acts:
            act(session)


def state_of(database: Database, timer: object) -> TimerState | None:
    with database.reading() as session:
        return session.scalar(select(Timer.state).where(Timer.id == timer))


def test_what_was_written_is_seen_at_once_and_stays(world: World, database: Database) -> None:
    planned = values(world)
    with writing(database) as session:
        insert_missing(session, Timer, planned)
        FIRED.on(bare(session), {"timer": planned["id"], "now": world.now})
        assert LOOK.within(bare(session), timer=planned["id"])[0].state is TimerState.FIRED
        insert_missing(session, Timer, {**planned, "id": new_id()})
        assert not insert_once(session, Timer, {**planned, "id": new_id()}), "its key stands"
    assert state_of(database, planned["id"]) is TimerState.FIRED


@pytest.mark.postgresql_only
def test_postgresql_is_not_waited_for(world: World, database: Database) -> None:
    planned = values(world)
    with writing(database) as session:
        insert_missing(session, Timer, planned)
        assert is_piped(session)
        assert session.get_one(Timer, planned["id"]), "SQLAlchemy's own way sees it"
        assert not is_piped(session)
        insert_missing(session, Timer, {**planned, "id": new_id()})
        assert is_piped(session)
    with database.transaction() as session:
        insert_missing(session, Timer, {**planned, "id": new_id()})
        assert not is_piped(session), "only where somebody asked for it"


def test_a_write_that_is_refused_takes_all_of_it_back(world: World, database: Database) -> None:
    planned = values(world)
    with pytest.raises(IntegrityError) as caught:
        written(database, put(planned), put(planned, **STRANGER), put(planned, key="c"))
    assert str(planned["key"]) not in str(caught.value), "no values: errors are logged"
    assert state_of(database, planned["id"]) is None
    written(database, put(planned))
    assert state_of(database, planned["id"]) is TimerState.WAITING


def test_the_next_question_tells_what_was_refused(world: World, database: Database) -> None:
    planned = values(world)
    reached: list[object] = []
    questions: list[Act] = [
        lambda session: session.scalars(select(Order)).all(),
        lambda session: LOOK.within(bare(session), timer=planned["id"]),
    ]
    for question in questions:
        with pytest.raises(IntegrityError):
            written(database, put(planned, **STRANGER), question, reached.append)
    assert not reached, "nobody goes on after it"
    assert state_of(database, planned["id"]) is None


def test_a_fault_of_our_own_is_told_and_not_what_followed(world: World, database: Database) -> None:
    planned = values(world)
    # SQLite would have told of the stranger at once.
    refused = [] if database.is_sqlite else [put(planned, **STRANGER)]
    with pytest.raises(ZeroDivisionError):
        written(database, put(planned), *refused, fail)
    assert state_of(database, planned["id"]) is None
    written(database, put(planned))
    assert state_of(database, planned["id"]) is TimerState.WAITING


def test_what_a_savepoint_takes_back_is_back(world: World, database: Database) -> None:
    planned = values(world)

    def fire_and_fail(session: Session) -> None:
        with session.begin_nested():
            FIRED.on(bare(session), {"timer": planned["id"], "now": world.now})
            fail(session)

    with writing(database) as session:
        insert_missing(session, Timer, planned)
        with pytest.raises(ZeroDivisionError):
            fire_and_fail(session)
        assert LOOK.within(bare(session), timer=planned["id"])[0].state is TimerState.WAITING
    assert state_of(database, planned["id"]) is TimerState.WAITING


def test_a_savepoint_takes_back_what_was_refused_unheard(world: World, database: Database) -> None:
    planned = values(world)

    def write_and_fail(session: Session) -> None:
        with session.begin_nested():
            if not database.is_sqlite:  # which would have told at once
                put(planned, **STRANGER)(session)
            fail(session)

    with writing(database) as session:
        insert_missing(session, Timer, planned)
        with pytest.raises(ZeroDivisionError):
            write_and_fail(session)
        assert LOOK.within(bare(session), timer=planned["id"])[0].state is TimerState.WAITING
    assert state_of(database, planned["id"]) is TimerState.WAITING


@pytest.mark.postgresql_only
def test_one_of_us_that_stops_within_a_rung_keeps_no_lock_for_long(
    world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = values(world)
    monkeypatch.setattr(pipes, "LONGEST", "300ms")
    with database.transaction() as session:
        insert_missing(session, Timer, planned)
    free: list[bool] = []
    touched = update(Timer).where(Timer.id == planned["id"]).values(attempts=7)

    def touch_elsewhere(_session: Session) -> None:
        with database.transaction() as other:
            other.execute(text("SET LOCAL lock_timeout = '20s'"))
            other.execute(touched)
        free.append(True)

    fire: Act = lambda session: FIRED.on(  # noqa: E731
        bare(session), {"timer": planned["id"], "now": world.now}
    )
    look: Act = lambda session: LOOK.within(bare(session), timer=planned["id"])  # noqa: E731
    with pytest.raises(DBAPIError):
        written(database, fire, look, touch_elsewhere)
    assert free, "whoever waits for the lock gets it"
    assert state_of(database, planned["id"]) is TimerState.WAITING


@pytest.mark.postgresql_only
def test_a_server_that_is_lost_meanwhile_is_told_and_found_again(
    world: World, database: Database
) -> None:
    planned = values(world)

    def lose(session: Session) -> None:
        own = session.scalar(text("SELECT pg_backend_pid()"))
        with database.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})

    more = [put(planned, key=f"n{n}") for n in range(50)]
    with pytest.raises(DBAPIError) as caught:
        written(database, put(planned), lose, *more)
    assert caught.value.connection_invalidated
    assert state_of(database, planned["id"]) is None
    written(database, put(planned))
    assert state_of(database, planned["id"]) is TimerState.WAITING


def test_a_timer_whose_write_is_refused_is_put_off_and_leaves_nothing(
    work: Work, world: World, database: Database
) -> None:
    order = world.issue()

    def refused(session: Session, timer: Timer, order: Order, now: Any) -> None:
        timer_rows.plan(session, order, TimerKind.EXPIRY, "left behind", now, {})
        bad = {**values_of(timer), "id": new_id(), "key": "bad", "order_id": new_id()}
        insert_missing(session, Timer, bad)

    assert timers.fire_one(work, dict.fromkeys(TimerKind, refused)) == 1
    with database.reading() as session:
        rows = list(session.scalars(select(Timer).where(Timer.order_id == order.id)))
    failed = [row for row in rows if row.attempts]
    assert [row.state for row in failed] == [TimerState.WAITING]
    assert failed[0].last_error
    assert "IntegrityError" in failed[0].last_error
    assert not [row for row in rows if "left behind" in row.key]


def values_of(timer: Timer) -> dict[str, object]:
    return {column.name: getattr(timer, column.name) for column in Timer.__table__.columns}
