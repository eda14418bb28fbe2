"""What every verb asks first: which order, whose, in which state, since when."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.errors import Forbidden, Stale
from liaison.models import Order
from liaison.queries import orders

FRESH = timedelta(minutes=5)
"""How long a second factor counts as fresh (design: step-up before issuing)."""


def order_for(
    session: Session, actor: Actor, name: str, action: Action, version: int | None = None
) -> tuple[Order, OrderState]:
    """The order, locked, and the state the act leads to.

    ``version`` is the one the actor has read; another one means that somebody acted meanwhile.
    """
    order = orders.find(session, actor, name, lock=True)
    if version is not None and version != order.version:
        raise Stale(
            f"Order {order.name} changed since you read it: it is {order.state.label.lower()} now. "
            "Nothing was done. Read it again, then decide."
        )
    return order, decide(order.state, action, actor.roles)


def fresh_factor(actor: Actor, now: datetime) -> None:
    """Refuses unless the second factor was given within the last five minutes."""
    at = actor.via.factor_at if actor.via else None
    if at is None or now - at > FRESH:
        raise Forbidden("Give a fresh code from your authenticator; nothing was sent.")
