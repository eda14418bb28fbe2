"""What happened last to each of many orders: one query for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.models import Entry, Order

ATTRIBUTION = "order.attributed"
"""Says from where an act was done; it is a note to an act, never an act of its own."""


def readable(actor: Actor) -> ColumnElement[bool]:
    """The entries an actor may read: a provider its own stream, an authority both sides'."""
    if actor.provider_id is not None:
        return Entry.stream == f"provider:{actor.provider_id}"
    return or_(
        Entry.stream == f"authority:{actor.authority_id}", Entry.stream.startswith("provider:")
    )


def entries(
    session: Session, actor: Actor, found: Sequence[Order]
) -> dict[UUID, tuple[str, datetime]]:
    """Type and time of the latest readable entry of each order.

    ``found`` are orders the actor may see; entries of others are never asked for.
    """
    ids = [order.id for order in found]
    wanted = and_(Entry.order_id.in_(ids), readable(actor), Entry.type != ATTRIBUTION)
    latest_first = (Entry.at.desc(), Entry.stream.desc(), Entry.seq.desc())
    place = func.row_number().over(partition_by=Entry.order_id, order_by=latest_first)
    told = (
        select(Entry.order_id, Entry.type, Entry.at, place.label("place")).where(wanted).subquery()
    )
    rows = session.execute(select(told.c.order_id, told.c.type, told.c.at).where(told.c.place == 1))
    return {order_id: (type_, at) for order_id, type_, at in rows if order_id is not None}
