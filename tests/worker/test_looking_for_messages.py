"""Which messages are due, and that looking for them reads none of those that wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text, update
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import Channel
from liaison.models import Database, Message, Order
from liaison.models.work import MessageState, Wanted
from liaison.services import claims, due_messages
from tests.worker.test_lanes import endpoint, put
from tests.world import World

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
WAITING = 60
"""Messages that wait, of each kind: enough to be seen if they were read."""


@pytest.mark.parametrize("channel", [Channel.EMAIL, Channel.VOICE, Channel.WEBHOOK])
@pytest.mark.parametrize("urgent", [True, False])
def test_what_is_due_in_the_order_of_its_time(
    world: World, database: Database, channel: Channel, urgent: bool
) -> None:
    # Whoever put off by the longest may have had a clock that was some seconds ahead.
    soon = (-HOUR, 0 * SECOND, SECOND, 5 * MINUTE, 5 * MINUTE + 45 * SECOND, 6 * MINUTE)
    times = (*soon, 12 * HOUR + 45 * SECOND, 13 * HOUR)
    longest = 5 * MINUTE if urgent and channel is not Channel.WEBHOOK else 12 * HOUR
    expected = []
    for wait, attempts in product(times, (0, 1)):
        to = endpoint(database, world) if channel is Channel.WEBHOOK else None
        more: dict[str, Any] = {"urgent": urgent, "attempts": attempts, "next_at": world.now + wait}
        id_ = put(database, world, channel, to, **more)
        if attempts == 0 or wait <= 0 * SECOND or wait > longest + 45 * SECOND:
            expected.append(id_)
    with database.reading() as session:
        found = [row.id for row in due_messages.look(session, world.now, channel, 100)]
        assert found == expected
        first = due_messages.look(session, world.now, channel, 3)
        assert [row.id for row in first] == expected[:3]
        assert not due_messages.look(session, world.now, Channel.TEXT, 100)


def test_a_lease_holds_unless_it_is_over_or_cannot_be(world: World, database: Database) -> None:
    leases = {-SECOND: True, 0 * SECOND: True, SECOND: False, 90 * SECOND: False, 91 * SECOND: True}
    expected = set()
    for lease, due in leases.items():
        more: dict[str, Any] = {
            "state": MessageState.SENDING,
            "attempts": 1,
            "lease_until": world.now + lease,
        }
        id_ = put(database, world, Channel.EMAIL, **more)
        expected |= {id_} if due else set()
    with database.transaction() as session:
        assert {one.id for one in claims.claim(session, world.now, 9)} == expected


def test_what_is_urgent_goes_first_whichever_way(world: World, database: Database) -> None:
    later: dict[str, Any] = {"urgent": False, "next_at": world.now - HOUR}
    slow = [put(database, world, way, **later) for way in (Channel.EMAIL, Channel.VOICE)]
    quick = [put(database, world, way) for way in (Channel.EMAIL, Channel.VOICE)]
    with database.transaction() as session:
        assert [one.id for one in claims.claim(session, world.now, 3)] == [*quick, slow[0]]


def test_a_claim_gives_what_the_message_says_and_takes_it(world: World, database: Database) -> None:
    id_ = put(database, world, Channel.EMAIL, sealed_link="sealed", params={"ref": "r"})
    with database.transaction() as session:
        (claimed,) = claims.claim(session, world.now)
    with database.reading() as session:
        row = session.get_one(Message, id_)
        for name in claims.Claimed.__dataclass_fields__:
            assert getattr(claimed, name) == getattr(row, name)
        assert (row.state, row.fence, row.attempts) == (MessageState.SENDING, 1, 1)
        assert row.lease_until == world.now + due_messages.LEASE


@pytest.mark.parametrize("way", [Channel.EMAIL, Channel.WEBHOOK])
def test_a_look_takes_no_longer_however_many_wait(
    world: World, database: Database, way: Channel
) -> None:
    to = endpoint(database, world) if way is Channel.WEBHOOK else None
    # One that is under way is looked at each time, and one that waits ends a search.
    sending = {"state": MessageState.SENDING, "lease_until": world.now + SECOND}
    put(database, world, way, to, attempts=1, **sending)
    _put_off(database, world, way, to)
    before = effort(database, world, way)
    for _ in range(WAITING):
        _put_off(database, world, way, to)
    assert effort(database, world, way) == before


def _put_off(database: Database, world: World, way: Channel, to: UUID | None) -> None:
    """Some that wait for their next try, and one that is sent."""
    hour = {"attempts": 1, "next_at": world.now + HOUR}
    minute = {"attempts": 1, "next_at": world.now + MINUTE}
    put(database, world, way, to, urgent=False, **hour)
    put(database, world, way, to, urgent=True, **(hour if to else minute))
    put(database, world, Channel.TEXT, None, **minute)
    put(database, world, way, to, state=MessageState.SENT, attempts=1)


def effort(database: Database, world: World, way: Channel) -> int:
    """What a look costs: SQLite's own steps; the rows of messages that PostgreSQL goes through."""
    with database.reading() as session:
        if database.is_sqlite:
            return _steps(session, world, way)
        _as_if_large(session)
        with _explained(database) as plans:
            _ask(session, world, way)
        return sum(_rows(plan) for plan in plans)


def test_whoever_looks_reads_orders_one_by_one_and_sorts_nothing(
    world: World, database: Database
) -> None:
    order, to = world.issue(), endpoint(database, world)
    for way, where in ((Channel.EMAIL, None), (Channel.WEBHOOK, to)):
        put(database, world, way, where, order_id=order.id, wanted=Wanted.UNTIL_ACKNOWLEDGED)
    with database.transaction() as session:
        session.execute(update(Order).values(ladder_paused_until=world.now + HOUR))
        if not database.is_sqlite:
            _as_if_large(session)
        for way in (Channel.EMAIL, Channel.WEBHOOK):
            assert not due_messages.is_due(session, world.now, way), "a pause holds it"
            with _explained(database) as plans:
                _ask(session, world, way)
            seen = str(plans)
            assert "ix_message_lane" in seen
            assert "ix_message_first" in seen
            assert ("ix_message_under_way" in seen) == (way is Channel.WEBHOOK)
            assert "pk_preservation_order" in seen or "autoindex_preservation_order" in seen
            for slow in ("hashed", "Seq Scan", "Sort", "FOR ORDER BY", "SCAN message"):
                assert slow not in seen
            assert "SCAN preservation_order" not in seen


def _ask(session: Session, world: World, way: Channel) -> None:
    """The statements of one look, with and without an endpoint that is taken."""
    asked: dict[str, Any] = {**due_messages._moments(world.now, way), "channel": way, "limit": 2}
    run = session.connection().execute
    run(due_messages._look(False, True), asked).cursor.fetchall()
    if way is Channel.WEBHOOK:
        run(due_messages._HELD, asked).cursor.fetchall()
        run(due_messages._look(True, True), {**asked, "taken": [UUID(int=1)]}).cursor.fetchall()


def _steps(session: Session, world: World, way: Channel) -> int:
    steps, driver = 0, session.connection().connection.driver_connection
    assert driver is not None

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    driver.set_progress_handler(count, 1)
    try:
        assert not due_messages.look(session, world.now, way, 2)
    finally:
        driver.set_progress_handler(None, 0)
    return steps


def _as_if_large(session: Session) -> None:
    """So few rows are read whole, or sorted, where that is left to PostgreSQL."""
    for other in ("seqscan", "bitmapscan"):
        session.execute(text(f"SET LOCAL enable_{other} = off"))


@contextmanager
def _explained(database: Database) -> Iterator[list[Any]]:
    """What is asked meanwhile is explained instead; the plans come into the list."""
    verb = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN (ANALYZE, FORMAT JSON) "
    plans: list[Any] = []

    def explain(_c: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> Any:
        cursor.execute(verb + statement, parameters)
        plans.extend(row[-1] for row in cursor.fetchall())
        return statement, parameters

    event.listen(database.engine, "before_cursor_execute", explain, retval=True)
    try:
        yield plans
    finally:
        event.remove(database.engine, "before_cursor_execute", explain)


def _rows(plan: Any) -> int:
    """Rows of messages that were read, those that a condition then turned away included."""
    if isinstance(plan, list):
        return sum(map(_rows, plan))
    if not isinstance(plan, dict):
        return 0
    read = plan.get("Actual Rows", 0) + plan.get("Rows Removed by Filter", 0)
    mine = read * plan.get("Actual Loops", 1) if plan.get("Relation Name") == "message" else 0
    return int(mine) + sum(map(_rows, plan.values()))
