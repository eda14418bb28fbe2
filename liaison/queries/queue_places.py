"""A page of the queue: where it begins, which orders stand on it, where the next one begins.

A bounded number of rows is read, whatever is stored. One filter has an index in the order of the
queue. Of several the narrowest has; what stands along it is looked through for the others, so many
at a time, for those that meet all of them may be rare or far down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ExecutableOption

from liaison.domain.actors import Actor
from liaison.models import Order
from liaison.queries import finding, orders, queue_filters, queue_views
from liaison.queries.queue_filters import Filters
from liaison.queries.queue_views import Stretch, View

LOOKED = 500
"""Orders looked through for a page where several filters are set."""

Condition = ColumnElement[bool]


@dataclass(frozen=True)
class Place:
    """Where an order stands in the queue as it was shown: the next page goes on after it."""

    stretch: int
    rank: int
    at: datetime
    id: UUID

    def __str__(self) -> str:
        """As it stands in the address."""
        return f"{self.stretch}~{self.rank}~{self.at.isoformat()}~{self.id}"

    @classmethod
    def read(cls, text: str) -> Place | None:
        """The place an address names; None where it names none."""
        try:
            stretch, rank, at, id_ = text.split("~")
            moment = datetime.fromisoformat(at)
            if moment.tzinfo is None or not 0 <= int(stretch) < 10 or not 0 <= int(rank) < 10:
                return None
            return cls(int(stretch), int(rank), moment, UUID(id_))
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class Sought:
    """What is read: so many orders behind a place, some of them skipped."""

    filters: Filters
    skip: int
    most: int
    after: Place | None


@dataclass(frozen=True)
class Found:
    """The orders in their order, and the place behind which there may be more."""

    orders: list[Order]
    next: Place | None
    more_match: bool
    """Whether more orders fit what was searched for than were looked through."""
    looked_through: int | None = None
    """How many were, where that ended the page; ``next`` looks on."""


def read(
    session: Session, actor: Actor, sought: Sought, now: datetime, *options: ExecutableOption
) -> Found:
    """One page."""
    filters, after = sought.filters, sought.after
    stretches = queue_views.stretches(filters.view, now, provider=actor.is_provider)
    along, others, more = _conditions(session, actor, filters, stretches)
    found: list[tuple[int, Order]] = []
    wanted = sought.skip + sought.most + 1
    for number, stretch in enumerate(stretches):
        if after and number < after.stretch:
            continue
        here = and_(*along, stretch.where())
        if after and number == after.stretch:
            here = and_(here, stretch.after((after.rank, after.at, after.id)))
        query = select(Order).options(*options).order_by(*stretch.order())
        query = query.limit(wanted - len(found))
        if others:
            some = select(Order.id).where(here).order_by(*stretch.order()).limit(LOOKED).subquery()
            query = query.join(some, some.c.id == Order.id).where(*others)
        else:
            query = query.where(here)
        found += [(number, order) for order in session.scalars(query)]
        if len(found) >= wanted:
            break
        if others and (end := _end(session, number, stretch, here)):
            return Found([order for _, order in found[sought.skip :]], end, more, LOOKED)
    shown = found[sought.skip : wanted - 1]
    last = shown[-1] if len(found) >= wanted else None
    return Found([order for _, order in shown], _place(*last) if last else None, more)


def _conditions(
    session: Session, actor: Actor, filters: Filters, stretches: Sequence[Stretch]
) -> tuple[list[Condition], list[Condition], bool]:
    """What has an index; what is looked for along it; whether more fit what was searched for."""
    seen, narrowed = orders.visible(actor), list(queue_filters.narrowed(filters, actor))
    if filters.text:
        sought = finding.find(session, actor, filters.text, stretches, seen, *narrowed)
        few = queue_filters.narrowed(filters, actor, few=True)
        named = (orders.visible(actor, few=True), *few, Order.id.in_(sought.ids))
        return list(named), [], sought.more
    # Drills have an index too, but not one for each filter.
    along = 0 if filters.view is View.DRILLS else 1
    return [seen, *narrowed[:along]], narrowed[along:], False


def _end(session: Session, number: int, stretch: Stretch, here: Condition) -> Place | None:
    """The last one that was looked at, unless the stretch ends before."""
    columns = (Order.queue_rank, Order.queue_at, Order.id)
    query = select(*columns).where(here).order_by(*stretch.order())
    last = session.execute(query.offset(LOOKED - 1).limit(1)).first()
    return Place(number, *last) if last else None


def _place(stretch: int, order: Order) -> Place:
    return Place(stretch, order.queue_rank, order.queue_at, order.id)
