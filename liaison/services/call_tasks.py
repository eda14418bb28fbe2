"""Call tasks: whom a person at the contact point must call, at the registered number only."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from liaison.models import CallTask, Contact, Order
from liaison.models.base import insert_once, new_id
from liaison.models.work import CallState, Wanted

LONGEST_WHY = 500
"""Characters of the reasons of one call, together."""

_BY_LENGTH = (Wanted.UNTIL_ACKNOWLEDGED, Wanted.UNTIL_PRESERVED, Wanted.ALWAYS)
"""Reasons of which each outlasts the one before: one call does for them.

Any other reason has a call of its own: what ends it has nothing to do with the provider's answer,
and must not take that call back.
"""


def open_task(
    session: Session,
    order: Order,
    contact: Contact,
    why: str,
    key: str,
    wanted: Wanted,
    now: datetime,
) -> bool:
    """Opens a call task; whether there was none yet.

    One open call per order and contact is enough for the provider's answer: whoever is to be
    called anyway is not listed a second time. A reason that lasts longer joins the open call, so
    that it is not taken back with the shorter one. Callers hold the order's lock. The reason of a
    drill's call says so.
    """
    why = f"TEST, a drill: {why}" if order.test else why
    waiting = session.scalar(
        select(CallTask)
        .where(
            CallTask.order_id == order.id,
            CallTask.contact_id == contact.id,
            CallTask.state == CallState.OPEN,
            CallTask.wanted.in_(_BY_LENGTH if wanted in _BY_LENGTH else (wanted,)),
        )
        .limit(1)
        .execution_options(populate_existing=True)
    )
    if waiting is not None:
        _join(waiting, why, wanted)
        return False
    return insert_once(
        session,
        CallTask,
        {
            "id": new_id(),
            "idem": f"{order.id}:{key}:{contact.id}:call",
            "order_id": order.id,
            "contact_id": contact.id,
            "phone": contact.phone,
            "why": why,
            "wanted": wanted,
            "state": CallState.OPEN,
            "opened_at": now,
        },
    )


def _join(task: CallTask, why: str, wanted: Wanted) -> None:
    if wanted is task.wanted or _BY_LENGTH.index(wanted) <= _BY_LENGTH.index(task.wanted):
        return
    task.wanted = wanted
    if why not in task.why:
        # The new reason whole: it is the one that stays.
        kept = task.why[: max(LONGEST_WHY - len(why) - 1, 0)]
        task.why = f"{kept} {why}".strip()[:LONGEST_WHY]


def cancel(session: Session, order: Order, *wanted: Wanted) -> None:
    """Takes open tasks back whose reason is gone."""
    session.execute(
        update(CallTask)
        .where(
            CallTask.order_id == order.id,
            CallTask.wanted.in_(wanted),
            CallTask.state == CallState.OPEN,
        )
        .values(state=CallState.CANCELLED)
        .execution_options(synchronize_session=False)
    )
