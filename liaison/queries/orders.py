"""Reading orders. Another tenant's order and an absent one are answered alike."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.domain.permissions import Verb, may
from liaison.domain.reading import unstorable
from liaison.errors import NotFound
from liaison.models import Order


def visible(actor: Actor, *, few: bool = False) -> ColumnElement[bool]:
    """The orders an actor may see: an authority its own, a provider those served on it.

    A draft that was withdrawn was never served; it has no ref and stays unseen. ``few``: they are
    named by their ids beside this, which is said so that no index of all of them is chosen.
    """
    if not may(actor.roles, Verb.READ_ORDERS):
        return false()
    if actor.provider_id is not None:
        return and_(of(Order.provider_id, actor.provider_id, few=few), Order.ref.is_not(None))
    if actor.authority_id is not None:
        return of(Order.authority_id, actor.authority_id, few=few)
    return false()


def of(column: InstrumentedAttribute[UUID], id_: UUID, *, few: bool = False) -> ColumnElement[bool]:
    """Orders of one organisation; ``few`` as above."""
    return (func.coalesce(column, column) if few else column) == id_


def by_name(name: str) -> ColumnElement[bool]:
    """An order by its ref or its id."""
    try:
        return Order.id == UUID(name)
    except ValueError:
        return false() if unstorable(name) else Order.ref == name.upper()


def find(session: Session, actor: Actor, name: str, *, lock: bool = False) -> Order:
    """One order the actor may see; ``NotFound`` otherwise. ``lock`` keeps others off the row."""
    query: Select[Order] = select(Order).where(visible(actor), by_name(name))
    if lock:
        query = query.with_for_update(of=Order).execution_options(populate_existing=True)
    order = session.scalars(query).one_or_none()
    if order is None:
        raise NotFound
    return order


def is_served(order: Order) -> bool:
    """Whether the provider was ever told of the order."""
    return order.state is not OrderState.DRAFT and order.ref is not None
