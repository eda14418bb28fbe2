"""Which order follows on which, for the contact point only: the two providers learn nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.models import Order, Provider, Route
from liaison.queries.orders import visible


@dataclass(frozen=True)
class Linked:
    """Where an order comes from, and what came of the providers that were named on it."""

    follows: Order | None
    made: Mapping[UUID, Order]
    """By the id of the route."""
    known: Mapping[UUID, Provider]
    """The provider that the register knows, by the id of the route."""


NOTHING = Linked(None, {}, {})


def linked(session: Session, actor: Actor, order: Order) -> Linked:
    """The links of an order that the actor may see."""
    if not actor.is_contact_point:
        return NOTHING
    follows = _of(session, actor, order.follows_id) if order.follows_id else None
    if not order.routes:
        return Linked(follows, {}, {})
    asked = {route.provider_id for route in order.routes if route.provider_id is not None}
    providers = {
        provider.id: provider
        for provider in session.scalars(select(Provider).where(Provider.id.in_(asked)))
    }
    return Linked(
        follows,
        _made(session, actor, order),
        {r.id: providers[r.provider_id] for r in order.routes if r.provider_id is not None},
    )


def _of(session: Session, actor: Actor, id_: UUID) -> Order | None:
    return session.scalars(
        select(Order).where(visible(actor), Order.id == id_).options(joinedload(Order.provider))
    ).one_or_none()


def _made(session: Session, actor: Actor, order: Order) -> dict[UUID, Order]:
    found = session.scalars(
        select(Order)
        .where(visible(actor), Order.follows_id == order.id)
        .options(joinedload(Order.provider))
        .order_by(Order.id)
    ).all()
    standing = [o for o in found if o.ref or o.state is not OrderState.WITHDRAWN]
    made: dict[UUID, Order] = {}
    for route in order.routes:
        for one in standing:
            if is_of(one, route):
                made[route.id] = one
    return made


def is_of(order: Order, route: Route) -> bool:
    """Whether an order was made from a route: to its provider, at the moment that is noted."""
    return order.created_at == route.followed_at and order.provider_id == route.provider_id
