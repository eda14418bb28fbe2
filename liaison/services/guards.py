"""What every verb asks first: which order, whose, in which state, since when."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.errors import Forbidden, Stale, StaleFactor
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


def unheld(session: Session, order_id: UUID) -> Order | None:
    """The order, locked and read anew; None where somebody has it in hand: a job waits for nobody.

    Only for what the worker looks for by itself: who acts for a person waits in ``order_for``.
    """
    return session.scalars(
        select(Order)
        .where(Order.id == order_id)
        .with_for_update(of=Order, skip_locked=True)
        .execution_options(populate_existing=True)
    ).one_or_none()


def fresh_factor(
    actor: Actor, now: datetime, *, passkey: bool = False, recovery: bool = False
) -> None:
    """Refuses unless the second factor was given within the last five minutes.

    ``passkey``: no other factor counts. ``recovery``: a recovery code counts too; it signs a
    person in and lets them take a new authenticator (NIST SP 800-63B-4, 4.2), and nothing else.
    """
    via = actor.via
    if via is None or not is_fresh(actor, now) or (via.factor == "recovery" and not recovery):
        raise StaleFactor("Give a fresh code from your authenticator; nothing was sent.")
    if passkey and via.factor != "passkey":
        raise Forbidden("Your authority issues with a passkey only; nothing was sent.")


def is_fresh(actor: Actor, now: datetime) -> bool:
    """Whether any factor was given within the last five minutes."""
    at = actor.via.factor_at if actor.via else None
    return at is not None and now - at <= FRESH
