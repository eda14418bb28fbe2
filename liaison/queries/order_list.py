"""A provider's orders, oldest first, page by page."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Urgency
from liaison.models import Order, Report
from liaison.queries.orders import visible


@dataclass(frozen=True)
class OrderPage:
    """Some orders, and the id to go on after; None on the last page."""

    orders: tuple[Order, ...]
    next: UUID | None


def order_page(
    session: Session,
    actor: Actor,
    *,
    state: OrderState | None = None,
    urgency: Urgency | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> OrderPage:
    """One page in the order of the orders' ids; what belongs to them comes in a few reads."""
    query = (
        select(Order)
        .where(visible(actor))
        .order_by(Order.id)
        .limit(limit + 1)
        .options(
            joinedload(Order.authority),
            joinedload(Order.provider),
            joinedload(Order.memorandum),
            selectinload(Order.targets),
            selectinload(Order.reports).selectinload(Report.targets),
            selectinload(Order.routes),
            selectinload(Order.thread),
            selectinload(Order.extensions),
            selectinload(Order.follow_ups),
        )
    )
    if state is not None:
        query = query.where(Order.state == state)
    if urgency is not None:
        query = query.where(Order.urgency == urgency)
    if after is not None:
        query = query.where(Order.id > after)
    found = session.scalars(query).all()
    page = tuple(found[:limit])
    return OrderPage(page, page[-1].id if len(found) > limit else None)
