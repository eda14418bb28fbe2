"""Who may stand behind an order as the second person."""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action, OrderState, allowed
from liaison.domain.vocabulary import Role, Urgency
from liaison.models import Order, OrderWriter, Person, PersonRole

SHOWN = 10
"""So many names help; a list of everybody does not."""


def awaits_ratification(order: Order) -> bool:
    """Whether an emergency that was issued at once still needs a second person behind it."""
    unratified = order.ratify_by is not None and order.ratified_at is None
    return unratified and order.state is not OrderState.WITHDRAWN


def is_late(order: Order, now: datetime) -> bool:
    """Whether nobody has ratified it within the term's time."""
    due = order.ratify_by
    return awaits_ratification(order) and due is not None and due <= now


def open_acts(order: Order, actor: Actor) -> frozenset[Action]:
    """What pages offer: of the acts of the state those that this order still has use for."""
    acts = set(allowed(order.state, actor.roles))
    if order.urgency is not Urgency.EMERGENCY:
        acts.discard(Action.ISSUE)
    if not awaits_ratification(order):
        acts.discard(Action.RATIFY)
    return frozenset(acts)


def has_written(session: Session, order: Order, actor: Actor) -> bool:
    """Whether the actor wrote any part of the order, so that another person must act."""
    found = select(OrderWriter.order_id).where(
        OrderWriter.order_id == order.id, OrderWriter.person_id == actor.person_id
    )
    return actor.person_id is not None and session.scalar(found) is not None


def others(session: Session, order: Order, issuers: Set[Role] = frozenset()) -> list[str]:
    """Names of those who can authorise or ratify it: of its authority, none of its writers.

    ``issuers``: the roles the memorandum lets issue; empty where that does not matter.
    """
    roles = [r for r in Role if Action.AUTHORISE in allowed(OrderState.SUBMITTED, {r})]
    wanted = [role for role in roles if not issuers or role in issuers]
    wrote = select(OrderWriter.person_id).where(OrderWriter.order_id == order.id)
    found = session.scalars(
        select(Person.name)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(
            Person.authority_id == order.authority_id,
            Person.disabled_at.is_(None),
            PersonRole.role.in_(wanted),
            Person.id.not_in(wrote),
        )
        .distinct()
        .order_by(Person.name)
        .limit(SHOWN)
    )
    return list(found)


def was_let_go(session: Session, person_id: UUID | None) -> bool:
    """Whether the person's access has been ended."""
    gone = select(Person.id).where(Person.id == person_id, Person.disabled_at.is_not(None))
    return person_id is not None and session.scalar(gone) is not None
