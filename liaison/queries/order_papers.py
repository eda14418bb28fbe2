"""What an order's papers hold: its deadlines, and the whole record, each for whoever reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from liaison.documents.deadlines import Deadline
from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.models import CallTask, Order, OrderNote
from liaison.queries import deliveries
from liaison.queries.deliveries import Delivery
from liaison.queries.timeline import Item, for_order

SOON, BEFORE_THE_END = timedelta(minutes=15), timedelta(days=14)


def deadlines(order: Order, actor: Actor) -> list[Deadline]:
    """The deadlines that were ever set, those that are done marked so.

    A provider reads what it owes itself; what the contact point owes is for its own people.
    """
    over, stopped = order.ended_at is not None, order.clock_stopped_at is not None
    found = []
    if order.acknowledge_by is not None:
        done = over or order.acknowledged_at is not None
        title = "Acknowledge by"
        found.append(Deadline("acknowledge", title, order.acknowledge_by, SOON, done, stopped))
    if order.preserve_by is not None:
        done = over or not order.state.is_open
        found.append(Deadline("preserve", "Preserve by", order.preserve_by, SOON, done, stopped))
    if order.preserved_until is not None:
        done = order.state is not OrderState.PRESERVED or order.mla_recorded_at is not None
        until = order.preserved_until
        found.append(Deadline("kept", "Data kept until", until, BEFORE_THE_END, done))
    for extension in order.extensions:
        done = over or extension.confirmed_at is not None or extension.dropped_at is not None
        title = "Extension asked for, until"
        found.append(Deadline(f"extension/{extension.id}", title, extension.until, None, done))
    return found if actor.is_provider else found + _our_own(order)


def _our_own(order: Order) -> list[Deadline]:
    over = order.ended_at is not None
    found = []
    if order.answer_by is not None:
        done = order.question_open_since is None
        found.append(Deadline("answer", "Answer the question by", order.answer_by, SOON, done))
    if order.ratify_by is not None:
        done = order.ratified_at is not None or order.state is OrderState.WITHDRAWN
        found.append(Deadline("ratify", "Ratify by", order.ratify_by, SOON, done))
    if order.mla_expected_by is not None:
        done = over or order.mla_recorded_at is not None
        title = "MLA request expected by"
        found.append(Deadline("mla", title, order.mla_expected_by, BEFORE_THE_END, done))
    return found


@dataclass(frozen=True)
class Record:
    """Everything that happened to an order, oldest first.

    ``notes``, ``deliveries`` and ``calls`` are the contact point's own: empty for a provider.
    """

    items: list[Item]
    notes: list[OrderNote]
    deliveries: list[Delivery]
    calls: list[CallTask]


def record(session: Session, actor: Actor, order: Order, now: datetime) -> Record:
    """The record of an order that the actor may see, with what this actor may see of it."""
    items = for_order(session, actor, order)[::-1]
    if actor.is_provider:
        return Record(items, [], [], [])
    calls = select(CallTask).where(CallTask.order_id == order.id).order_by(CallTask.id)
    return Record(
        items,
        list(order.notes),
        deliveries.of_order(session, actor, order, now, most=None)[::-1],
        list(session.scalars(calls.options(joinedload(CallTask.contact)))),
    )
