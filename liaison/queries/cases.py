"""Reading cases: an authority its own; a provider none, whatever it was served."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.errors import Forbidden, NotFound
from liaison.models import CaseFile, Order
from liaison.queries import orders

LATEST = 30
"""Cases that are offered to choose from."""

MOST_SHOWN = 500


def demand_reader(actor: Actor) -> None:
    """Refuses whoever is not of a contact point, or reads no orders there."""
    demand(actor, Verb.READ_ORDERS)
    if not actor.is_contact_point:
        raise Forbidden("Cases are the contact point’s own.")


def case(session: Session, actor: Actor, case_id: UUID) -> CaseFile:
    """One case; ``NotFound`` for another authority's and for none."""
    demand_reader(actor)
    found = session.get(CaseFile, case_id)
    if found is None or found.authority_id != actor.authority_id:
        raise NotFound
    return found


def orders_of(session: Session, actor: Actor, row: CaseFile) -> Sequence[Order]:
    """Its orders, as they were written."""
    query = select(Order).where(orders.visible(actor), Order.case_id == row.id)
    query = query.options(joinedload(Order.provider)).order_by(Order.created_at, Order.id)
    return session.scalars(query.limit(MOST_SHOWN)).all()


def of_order(session: Session, actor: Actor, order: Order) -> tuple[CaseFile, int] | None:
    """The case an order stands in, and how many do; None for a provider, and where there is none.

    A provider is not told that there is one.
    """
    if order.case_id is None or not actor.is_contact_point:
        return None
    number = session.scalar(select(func.count()).where(Order.case_id == order.case_id))
    return session.get_one(CaseFile, order.case_id), number or 0


def latest(session: Session, actor: Actor) -> Sequence[CaseFile]:
    """The authority's newest cases."""
    demand_reader(actor)
    query = select(CaseFile).where(CaseFile.authority_id == actor.authority_id)
    return session.scalars(query.order_by(CaseFile.id.desc()).limit(LATEST)).all()
