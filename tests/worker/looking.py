"""Short ways to look at what the worker left."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from liaison.models import CallTask, Database, Entry, Heartbeat, Message, Order, Timer
from liaison.models.work import CallState, TimerKind, TimerState
from liaison.services.ledger import entry_data


def messages(database: Database, order: Order) -> list[Message]:
    """An order's notices, oldest first."""
    with database.reading() as session:
        query = select(Message).where(Message.order_id == order.id)
        return list(session.scalars(query.order_by(Message.created_at, Message.id)))


def open_calls(database: Database, order: Order) -> list[str]:
    """The numbers that are to be called, oldest first."""
    with database.reading() as session:
        query = select(CallTask.phone).where(
            CallTask.order_id == order.id, CallTask.state == CallState.OPEN
        )
        return list(session.scalars(query.order_by(CallTask.opened_at, CallTask.id)))


def waiting(database: Database, order: Order) -> list[Timer]:
    """An order's timers that have not fired, but those of its ratification and of calls again."""
    with database.reading() as session:
        query = select(Timer).where(
            Timer.order_id == order.id,
            Timer.state == TimerState.WAITING,
            Timer.kind.not_in((TimerKind.RATIFICATION, TimerKind.CALL_AGAIN)),
        )
        return list(session.scalars(query.order_by(Timer.due_at)))


def entries(database: Database, order: Order, type_: str) -> list[dict[str, Any]]:
    """The data of an order's entries of one type, in either stream."""
    with database.reading() as session:
        query = select(Entry).where(Entry.order_id == order.id, Entry.type == type_)
        return [entry_data(e) or {} for e in session.scalars(query.order_by(Entry.seq))]


def beats(database: Database) -> list[str]:
    """The workers that have written a heartbeat."""
    with database.reading() as session:
        return list(session.scalars(select(Heartbeat.worker)))


def until(true: Callable[[], Any], seconds: float = 20) -> bool:
    """Waits for something that another thread does; whether it came."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False
