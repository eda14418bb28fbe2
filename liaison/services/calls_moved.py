"""Open calls whose number is registered no more: they go to the one that counts now.

A change of a contact comes into use after its cooling-off, or at once where nothing depends on it.
Whoever puts it in use holds the contact, and must not wait for orders: a verb on an order holds
them the other way round. So the worker moves the calls right after it, one order at a time, and
finds those that were opened in between, too.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from liaison.domain.actors import CLOCK
from liaison.models import CallTask, Contact
from liaison.models.work import CallState
from liaison.services import apart, call_tasks, guards, ledger

log = structlog.get_logger("liaison.worker")

REMOVED, CHANGED = "removed", "number_changed"
"""Why a call is moved, as the ledger has it."""


def is_due(session: Session, now: datetime) -> bool:
    """Whether any call is to be moved: asked before a writing transaction is begun."""
    return session.scalars(_orders(now).limit(1)).first() is not None


def run(session: Session, now: datetime, base_url: str) -> int:  # noqa: ARG001 - no letter leaves
    """Moves the calls of one order; 0 where none is left, or others hold what is.

    One that fails stops no other: it is logged, and tried again at the next look.
    """
    for order_id in session.scalars(_orders(now).distinct()).all():
        if moved := apart.done(session, partial(_move, session, order_id, now), _failed):
            return moved
    return 0


def _failed(error: Exception) -> int:
    log.warning("calls not moved", error=type(error).__name__)
    return 0


def _orders(now: datetime) -> Select[UUID]:
    return select(CallTask.order_id).join(Contact).where(*_astray(now))


def _astray(now: datetime) -> tuple[ColumnElement[bool], ...]:
    gone = or_(CallTask.phone != Contact.phone, Contact.removed_at <= now)
    return CallTask.state == CallState.OPEN, gone


def _move(session: Session, order_id: UUID, now: datetime) -> int:
    """The same line to whoever counts now, whoever holds the ladder: none is added to it."""
    order = guards.unheld(session, order_id)
    if order is None:
        return 0
    theirs = select(CallTask).join(Contact).where(CallTask.order_id == order_id, *_astray(now))
    entries = []
    for task in session.scalars(theirs.order_by(CallTask.id)).all():
        people = call_tasks.whom(session, order, task.contact, now)
        if not people:
            continue  # nobody is registered at all
        task.state = CallState.CANCELLED
        why = task.why.removeprefix(call_tasks.DRILL)
        key = f"moved:{task.id}"
        call_tasks.open_task(session, order, task.contact, why, key, task.wanted, now)
        names = ", ".join(one.name for one in people)
        removed = task.contact.removed_at
        after = REMOVED if removed is not None and removed <= now else CHANGED
        data = {"contact": names, "before": task.contact.name, "after": after}
        entries.append(ledger.own(order, "order.call_reopened", CLOCK, data))
    ledger.record(session, now, *entries)
    return len(entries)
