"""Statements that are made once write and read the same as any other."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import pytest
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError, PendingRollbackError, StatementError

from liaison.models import Database, Timer
from liaison.models.base import insert_once, new_id, rows_of
from liaison.models.deeds import Deed, bare
from liaison.models.looks import Look
from liaison.models.work import TimerKind, TimerState
from tests.world import World


class Found(NamedTuple):
    """What is read of a timer."""

    state: TimerState
    due_at: datetime
    payload: dict[str, object]


LOOK = Look(
    select(Timer.state, Timer.due_at, Timer.payload).where(
        Timer.id == bindparam("timer"), Timer.kind == TimerKind.EXPIRY
    ),
    Found,
)

FIRED = Deed(
    update(rows_of(Timer))
    .where(Timer.id == bindparam("timer"))
    .values(state=TimerState.FIRED, done_at=bindparam("now"))
)


def values(world: World, **other: object) -> dict[str, object]:
    order = world.issue()
    planned = {
        "id": new_id(),
        "kind": TimerKind.EXPIRY,
        "key": "a key with 100 % of signs: %(x)s ? :y",
        "order_id": order.id,
        "due_at": world.now,
        "state": TimerState.WAITING,
        "attempts": 0,
        "payload": {"Բարեւ": [1, None]},
    }
    return {**planned, **other}


def test_what_was_written_is_read_as_it_was(world: World, database: Database) -> None:
    yerevan = world.now.astimezone(timezone(timedelta(hours=4)))
    planned = values(world, due_at=yerevan)
    with database.transaction() as session:
        assert insert_once(session, Timer, planned)
        assert not insert_once(session, Timer, {**planned, "id": new_id()})
        found = LOOK.within(bare(session), timer=planned["id"])
    assert found == [Found(TimerState.WAITING, world.now, {"Բարեւ": [1, None]})]
    with database.reading() as session:
        timer = session.get_one(Timer, planned["id"])
        assert (timer.key, timer.done_at) == (planned["key"], None)


def test_a_change_goes_back_with_its_transaction(world: World, database: Database) -> None:
    planned = values(world)
    with database.transaction() as session:
        insert_once(session, Timer, planned)
    with database.transaction() as session:
        FIRED.on(bare(session), {"timer": planned["id"], "now": world.now})
        assert LOOK.within(bare(session), timer=planned["id"])[0].state is TimerState.FIRED
        session.rollback()
    with database.reading() as session:
        assert session.get_one(Timer, planned["id"]).state is TimerState.WAITING


def test_a_value_that_is_refused_does_not_stand_in_the_error(
    world: World, database: Database
) -> None:
    planned = values(world, key="the name of a child")
    enter = Deed(insert(rows_of(Timer)), planned)
    with database.transaction() as session:
        enter.on(bare(session), planned)
    with pytest.raises(IntegrityError) as refused, database.transaction() as session:
        enter.on(bare(session), planned)
    assert isinstance(refused.value, DBAPIError)
    assert "the name of a child" not in str(refused.value).partition("DETAIL")[0]


def test_a_moment_without_a_time_zone_is_refused(world: World, database: Database) -> None:
    planned = values(world, due_at=world.now.replace(tzinfo=None))
    with pytest.raises(StatementError, match="time zone"), database.transaction() as session:
        insert_once(session, Timer, planned)


def test_a_column_that_has_a_default_needs_its_value(world: World, database: Database) -> None:
    planned = values(world)
    del planned["attempts"]
    with (
        pytest.raises(TypeError, match="has a default"),
        database.transaction() as session,
    ):
        insert_once(session, Timer, planned)


def test_a_connection_that_is_lost_is_told_as_such_and_the_next_works(
    world: World, database: Database
) -> None:
    planned = values(world)
    session = database.writing()
    connection = bare(session)
    if database.is_sqlite:  # a file has no server to lose; its driver closes just so
        assert connection.connection.driver_connection is not None
        connection.connection.driver_connection.close()
    else:
        own = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with database.engine.connect() as other:
            other.exec_driver_sql(f"SELECT pg_terminate_backend({own}, 10000)")
    with pytest.raises(DBAPIError) as lost:
        insert_once(session, Timer, planned)
    assert lost.value.connection_invalidated
    session.close()
    with database.transaction() as again:
        assert insert_once(again, Timer, planned)


def test_what_a_statement_needs_is_not_taken_for_nothing(world: World, database: Database) -> None:
    planned = values(world)
    with database.transaction() as session:
        insert_once(session, Timer, planned)
        with pytest.raises(StatementError, match="a value is needed for now, timer"):
            FIRED.on(bare(session), {"tmer": planned["id"]})


def test_after_a_flush_that_failed_nothing_is_written_by_itself(
    world: World, database: Database
) -> None:
    planned, alike = values(world), values(world)
    with database.transaction() as session:
        insert_once(session, Timer, planned)
    with database.writing() as session:
        bare(session)
        session.add(Timer(**{**alike, "key": planned["key"]}))
        with pytest.raises(IntegrityError):
            session.flush()
        with pytest.raises(PendingRollbackError):
            insert_once(session, Timer, {**alike, "key": "another key"})
        with pytest.raises(PendingRollbackError):
            LOOK.within(bare(session), timer=planned["id"])
    with database.reading() as session:
        assert session.get(Timer, alike["id"]) is None


def test_what_goes_first_into_a_savepoint_goes_back_with_it(
    world: World, database: Database
) -> None:
    planned = values(world)
    with database.transaction() as session:
        bare(session)
        inner = session.begin_nested()
        insert_once(session, Timer, planned)
        inner.rollback()
    with database.reading() as session:
        assert session.get(Timer, planned["id"]) is None
