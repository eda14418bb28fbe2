"""The queue: which orders need a person, whom each waits for, what happened last.

A fixed number of queries whatever the number of orders; scoped like every reading of orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, func, select
from sqlalchemy.orm import Session, joinedload

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Role
from liaison.models import CallTask, Contact, Order, OrderTarget
from liaison.models.work import CallState
from liaison.queries import finding, latest, orders, queue_views
from liaison.queries.queue_views import COUNTED, View

PAGE = 100
"""Rows on one page."""


@dataclass(frozen=True)
class Row:
    """One order. ``due`` is the running deadline, or until when the data are kept."""

    order: Order
    due: datetime | None
    overdue: bool
    waiting_for: str
    last_type: str | None
    last_at: datetime | None
    target: OrderTarget | None
    more_targets: int


@dataclass(frozen=True)
class Queue:
    """A page of the queue. ``counts`` has the numbers of the views in ``COUNTED``."""

    view: View
    counts: dict[View, int]
    rows: list[Row]
    page: int
    has_more: bool


def queue(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    view: str | None = None,
    text: str | None = None,
    page: int = 1,
) -> Queue:
    """What needs a person first: running emergencies, then overdue, then by due time."""
    chosen = View(view) if view in set(View) else View.OPEN
    conditions = queue_views.conditions(now)
    query = select(Order).where(orders.visible(actor), conditions[chosen])
    if text and text.strip():
        query = query.where(finding.matches(text.strip()))
    found = list(
        session.scalars(
            query.options(joinedload(Order.provider), joinedload(Order.authority))
            .order_by(queue_views.rank(now), queue_views.due(), Order.created_at.desc(), Order.id)
            .offset((page - 1) * PAGE)
            .limit(PAGE + 1)
        )
    )
    return Queue(
        view=chosen,
        counts=_counts(session, actor, conditions),
        rows=_rows(session, actor, found[:PAGE], now),
        page=page,
        has_more=len(found) > PAGE,
    )


def emergencies_running(session: Session, actor: Actor) -> int:
    """How many emergencies still wait for an answer: the number beside “Orders” in the bar."""
    return (
        session.scalar(select(func.count()).where(orders.visible(actor), queue_views.emergency()))
        or 0
    )


def due_at(order: Order) -> datetime | None:
    """The clock that runs for an order, or the day its preservation ends."""
    return {
        OrderState.ISSUED: order.acknowledge_by,
        OrderState.ACKNOWLEDGED: order.preserve_by,
        OrderState.PRESERVED: order.preserved_until,
    }.get(order.state)


def is_overdue(order: Order, now: datetime) -> bool:
    """Whether the provider has let a deadline pass."""
    due = due_at(order)
    return order.state.is_open and due is not None and due < now


def _counts(
    session: Session, actor: Actor, conditions: dict[View, ColumnElement[bool]]
) -> dict[View, int]:
    numbers = [func.count(case((conditions[view], 1))) for view in COUNTED]
    row = session.execute(select(*numbers).select_from(Order).where(orders.visible(actor))).one()
    return dict(zip(COUNTED, row, strict=True))


def _rows(session: Session, actor: Actor, found: list[Order], now: datetime) -> list[Row]:
    ids = [order.id for order in found]
    targets = _first_targets(session, ids)
    last = latest.entries(session, actor, found)
    calls = {} if actor.is_provider else _open_calls(session, ids)
    rows = []
    for order in found:
        target, number = targets.get(order.id, (None, 0))
        type_, at = last.get(order.id, (None, None))
        rows.append(
            Row(
                order=order,
                due=due_at(order),
                overdue=is_overdue(order, now),
                waiting_for=_waiting_for(order, actor, calls.get(order.id)),
                last_type=type_,
                last_at=at,
                target=target,
                more_targets=max(number - 1, 0),
            )
        )
    return rows


def _first_targets(session: Session, ids: list[UUID]) -> dict[UUID, tuple[OrderTarget, int]]:
    """An order's first target and how many it has; never all 240 of them."""
    numbers = (
        select(
            OrderTarget.order_id,
            func.min(OrderTarget.position).label("first"),
            func.count().label("number"),
        )
        .where(OrderTarget.order_id.in_(ids))
        .group_by(OrderTarget.order_id)
        .subquery()
    )
    found = session.execute(
        select(OrderTarget, numbers.c.number).join(
            numbers,
            and_(
                OrderTarget.order_id == numbers.c.order_id,
                OrderTarget.position == numbers.c.first,
            ),
        )
    )
    return {target.order_id: (target, number) for target, number in found}


def _open_calls(session: Session, ids: list[UUID]) -> dict[UUID, str]:
    """Whom to phone, for each order with an open call: whoever has waited longest."""
    found = session.execute(
        select(CallTask.order_id, Contact.name)
        .join(Contact, Contact.id == CallTask.contact_id)
        .where(CallTask.order_id.in_(ids), CallTask.state == CallState.OPEN)
        .order_by(CallTask.opened_at.desc(), CallTask.id.desc())
    )
    return {order_id: name for order_id, name in found}  # noqa: C416 - earlier ones win


OURS = frozenset({Role.OFFICER, Role.SUPERVISOR})
"""Who acts for the contact point."""


def _waiting_for(order: Order, actor: Actor, phone: str | None) -> str:
    theirs = _provider_owes(order)
    if actor.is_provider:
        if order.question_open_since and order.state is not OrderState.ISSUED:
            return "Contact point: answer"
        return f"You: {theirs[1]}" if theirs else "Nobody"
    # An auditor reads the same queue, and none of it is theirs to do.
    us = "You" if actor.roles & OURS else "Contact point"
    if phone:
        return f"{us}: phone {phone}"
    if order.question_open_since and order.ended_at is None:
        return f"{us}: answer"
    if order.state is OrderState.DRAFT:
        return f"{us}: check and issue"
    return f"Provider: {theirs[0]}" if theirs else "Nobody"


def _provider_owes(order: Order) -> tuple[str, str] | None:
    return {
        OrderState.ISSUED: ("acknowledgement", "acknowledge"),
        OrderState.ACKNOWLEDGED: ("preservation", "confirm preservation"),
    }.get(order.state)
