"""Calls that somebody at the contact point has to make now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, contains_eager

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.vocabulary import Urgency
from liaison.models import CallTask, Contact, Order
from liaison.models.work import CallState
from liaison.queries import orders
from liaison.services.reasons import HELD_BY_A_PAUSE

MOST = 200
"""Calls on one page."""

_RANK = case((Order.urgency == Urgency.EMERGENCY, 0), (Order.urgency == Urgency.URGENT, 1), else_=2)

IN_TURN = (_RANK, CallTask.opened_at, CallTask.id)
"""In which order calls are made: the emergency that has waited longest first."""


@dataclass(frozen=True)
class Calls:
    """Open calls, the emergency that has waited longest first; ``more``: not all stand here."""

    rows: Sequence[CallTask]
    more: bool


def open_calls(session: Session, actor: Actor) -> Calls:
    """All open calls of the actor's contact point, those of drills too."""
    demand(actor, Verb.READ_CALLS)
    query = (
        _open(actor, select(CallTask))
        .join(Contact, Contact.id == CallTask.contact_id)
        .options(
            contains_eager(CallTask.contact),
            contains_eager(CallTask.order).joinedload(Order.provider),
            contains_eager(CallTask.order).joinedload(Order.authority),
        )
        .order_by(*IN_TURN)
        .limit(MOST + 1)
    )
    found = session.scalars(query).all()
    return Calls(found[:MOST], len(found) > MOST)


def called_before(session: Session, tasks: Collection[CallTask]) -> frozenset[UUID]:
    """Of these the ones whose contact was called for the same order before, whatever came of it.

    Not those that only follow another's call: who takes over for a wrong number was not called.
    """
    earlier = aliased(CallTask)
    was_called = exists().where(
        earlier.order_id == CallTask.order_id,
        earlier.contact_id == CallTask.contact_id,
        earlier.outcome.is_not(None),
    )
    asked = select(CallTask.id).where(CallTask.id.in_([task.id for task in tasks]), was_called)
    return frozenset(session.scalars(asked))


def count(session: Session, actor: Actor) -> int:
    """How many they are."""
    query = _open(actor, select(func.count()).select_from(CallTask))
    return session.scalar(query) or 0


def _open(actor: Actor, query: Select[Any]) -> Select[Any]:
    """Not the ladder's while a question stops the order's clock: nobody is called then."""
    held = CallTask.wanted.in_(HELD_BY_A_PAUSE)
    return query.join(Order, Order.id == CallTask.order_id).where(
        CallTask.state == CallState.OPEN,
        orders.visible(actor),
        or_(Order.clock_stopped_at.is_(None), ~held),
    )


def zone_of(task: CallTask) -> str:
    """The time zone of whoever is called."""
    order = task.order
    return (order.provider if task.contact.provider_id else order.authority).time_zone
