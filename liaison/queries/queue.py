"""The queue: which orders need a person, whom each waits for, what happened last.

A fixed number of queries, and of rows that are read, whatever the number of orders; scoped like
every reading of orders.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, joinedload, load_only
from sqlalchemy.sql.base import ExecutableOption

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.models import Authority, Order, OrderTarget, Provider
from liaison.queries import latest, orders, queue_places, queue_views, queue_waiting
from liaison.queries.queue_filters import Filters
from liaison.queries.queue_places import Place
from liaison.queries.queue_views import COUNTED, Stretch, View

PAGE = 25
"""Rows on one page."""

_SHOWN = (
    Order.id,
    Order.version,
    Order.ref,
    Order.state,
    Order.urgency,
    Order.test,
    Order.authority_id,
    Order.provider_id,
    Order.created_at,
    Order.acknowledge_by,
    Order.preserve_by,
    Order.preserved_until,
    Order.clock_stopped_at,
    Order.question_open_since,
    Order.doubt_open_since,
    Order.ratify_by,
    Order.ratified_at,
    Order.returned_note,
    Order.extension_asked_at,
    Order.mla_recorded_at,
    Order.disposal_wanted,
    Order.ended_at,
    Order.queue_rank,
    Order.queue_at,
)
"""What a row shows or is reckoned from: an order has three times as many, long texts among them."""

DEEPEST = 20
"""Pages reached by their number; from there on each page leads to the next one."""

COUNTED_TO = 100
"""A number above the queue is counted up to here and shown as “99+”."""


@dataclass(frozen=True)
class Row:
    """One order. ``due`` is the running deadline, or until when the data are kept."""

    order: Order
    due: datetime | None
    overdue: bool
    waiting_for: str
    last_type: str | None
    last_at: datetime | None
    target: str | None
    """The first one's value."""
    more_targets: int


@dataclass(frozen=True)
class Queue:
    """A page of the queue. ``counts`` has the numbers of the views in ``COUNTED``."""

    filters: Filters
    counts: dict[View, int]
    rows: list[Row]
    page: int
    after: Place | None
    """Where the page begins, and where the next one does; None at either end."""
    next: Place | None
    more_match: bool
    """Whether more orders fit what was searched for than were looked through."""
    looked_through: int | None = None
    """How many were, where the page ended before it was full; ``next`` looks on."""

    @property
    def view(self) -> View:
        """The view that is shown."""
        return self.filters.view

    @property
    def has_more(self) -> bool:
        """Whether there is another page."""
        return self.next is not None


def queue(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    view: str | None = None,
    text: str | None = None,
    filters: Filters | None = None,
    page: int = 1,
    after: Place | None = None,
) -> Queue:
    """What needs a person first: running emergencies, then by due time, then what is kept.

    ``after`` goes on behind the last row of an earlier page; ``page`` alone counts from the
    beginning, and no further than ``DEEPEST``.
    """
    if filters is None:
        chosen = View(view) if view in set(View) else View.OPEN
        filters = Filters(view=chosen, text=(text or "").strip())
    # However many rows are skipped, somebody has to read them.
    skip = 0 if after else (min(max(page, 1), DEEPEST) - 1) * PAGE
    sought = queue_places.Sought(filters, skip, PAGE, after)
    found = queue_places.read(session, actor, sought, now, *_as_shown(actor))
    return Queue(
        filters=filters,
        counts=_counts(session, actor, now),
        rows=_rows(session, actor, found.orders, now),
        page=page,
        after=after,
        next=found.next,
        more_match=found.more_match,
        looked_through=found.looked_through,
    )


def everything(
    session: Session, actor: Actor, filters: Filters, now: datetime, most: int
) -> Iterator[Row]:
    """The rows of every page, up to ``most``: for a file. Read in parts, never all at once."""
    after: Place | None = None
    while most > 0:
        sought = queue_places.Sought(filters, 0, min(most, 10 * PAGE), after)
        found = queue_places.read(session, actor, sought, now, *_WHOLE)
        yield from _rows(session, actor, found.orders, now)
        after, most = found.next, most - len(found.orders)
        if after is None:
            return


def emergencies_running(session: Session, actor: Actor) -> int:
    """How many emergencies still wait for an answer: the number beside “Orders” in the bar."""
    running = queue_views.Stretch((queue_views.EMERGENCY, queue_views.EMERGENCY))
    return session.scalar(select(_number(actor, [running]))) or 0


def due_at(order: Order) -> datetime | None:
    """The clock that runs for an order, or the day its preservation ends."""
    return {
        OrderState.ISSUED: order.acknowledge_by,
        OrderState.ACKNOWLEDGED: order.preserve_by,
        OrderState.PRESERVED: order.preserved_until,
    }.get(order.state)


def is_overdue(order: Order, now: datetime) -> bool:
    """Whether the provider has let a deadline pass; an open question may have stopped the clock."""
    due = due_at(order)
    runs = order.state.is_open and order.clock_stopped_at is None
    return runs and due is not None and due < now


_WHOLE = (joinedload(Order.provider), joinedload(Order.authority))


def _as_shown(actor: Actor) -> tuple[ExecutableOption, ...]:
    """An order without what no row shows; of its other side the name."""
    other = (
        joinedload(Order.authority).load_only(Authority.name)
        if actor.is_provider
        else joinedload(Order.provider).load_only(Provider.name)
    )
    return load_only(*_SHOWN, raiseload=True), other


def _number(actor: Actor, stretches: list[Stretch]) -> ColumnElement[int]:
    """How many orders stand there, counted no further than ``COUNTED_TO``."""
    total: ColumnElement[int] | None = None
    for stretch in stretches:
        some = select(Order.id).where(orders.visible(actor), stretch.where()).limit(COUNTED_TO)
        number = select(func.count()).select_from(some.subquery()).scalar_subquery()
        total = number if total is None else total + number
    assert total is not None, "a view has a stretch"
    return total


def _counts(session: Session, actor: Actor, now: datetime) -> dict[View, int]:
    numbers = [
        _number(actor, list(queue_views.stretches(view, now, provider=actor.is_provider)))
        for view in COUNTED
    ]
    row = session.execute(select(*numbers)).one()
    return {view: min(n, COUNTED_TO) for view, n in zip(COUNTED, row, strict=True)}


def _rows(session: Session, actor: Actor, found: list[Order], now: datetime) -> list[Row]:
    targets = _first_targets(session, [order.id for order in found])
    last = latest.entries(session, actor, found)
    waiting = queue_waiting.words(session, actor, found)
    rows = []
    for order in found:
        target, number = targets.get(order.id, (None, 0))
        type_, at = last.get(order.id, (None, None))
        rows.append(
            Row(
                order=order,
                due=None if order.clock_stopped_at else due_at(order),
                overdue=is_overdue(order, now),
                waiting_for=waiting[order.id],
                last_type=type_,
                last_at=at,
                target=target,
                more_targets=max(number - 1, 0),
            )
        )
    return rows


def _first_targets(session: Session, ids: list[UUID]) -> dict[UUID, tuple[str, int]]:
    """The value of an order's first target and how many it has; never all 240 of them."""
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
        select(OrderTarget.order_id, OrderTarget.value, numbers.c.number).join(
            numbers,
            and_(
                OrderTarget.order_id == numbers.c.order_id,
                OrderTarget.position == numbers.c.first,
            ),
        )
    )
    return {order_id: (value, number) for order_id, value, number in found}
