"""Whom an order waits for, in the queue's words: the most pressing of it, for whoever reads."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Role, Urgency
from liaison.models import CallTask, Contact, Order, OrderWriter
from liaison.models.work import CallState
from liaison.services.reasons import HELD_BY_A_PAUSE

OURS = frozenset({Role.OFFICER, Role.SUPERVISOR})
"""Who acts for the contact point."""

NOBODY = "Nobody"


def words(session: Session, actor: Actor, found: Sequence[Order]) -> dict[UUID, str]:
    """For each of some orders; a fixed number of queries."""
    if actor.is_provider:
        return {order.id: _for_provider(order) for order in found}
    calls = _open_calls(session, [order.id for order in found])
    own = _written_by(session, actor, [order.id for order in found if _needs_another(order)])
    # An auditor reads the same queue, and none of it is theirs to do.
    us = "You" if actor.roles & OURS else "Contact point"
    return {
        order.id: _for_contact_point(order, us, calls.get(order.id), own=order.id in own)
        for order in found
    }


def not_ratified(order: Order) -> bool:
    """Issued at once, and no second person stands behind it yet."""
    waits = order.ratify_by is not None and order.ratified_at is None
    return waits and order.state is not OrderState.WITHDRAWN


def _needs_another(order: Order) -> bool:
    return order.state is OrderState.SUBMITTED or not_ratified(order)


def _for_contact_point(order: Order, us: str, phone: str | None, *, own: bool) -> str:
    if phone:
        return f"{us}: phone {phone}"
    if order.doubt_open_since:
        return f"{us}: vouch"
    if order.question_open_since:
        return f"{us}: answer"
    another = "Another person" if own else us
    if order.state is OrderState.SUBMITTED:
        return f"{another}: authorise"
    if order.state is OrderState.DRAFT:
        return f"{us}: {_with_draft(order)}"
    if not_ratified(order):
        return f"{another}: ratify"
    owed = _provider_owes(order)
    return f"Provider: {owed[0]}" if owed else NOBODY


def _with_draft(order: Order) -> str:
    if order.returned_note:
        return "change and submit"
    at_once = order.urgency is Urgency.EMERGENCY
    return "check and issue" if at_once else "check and submit"


def _for_provider(order: Order) -> str:
    if order.doubt_open_since:
        return "Contact point: vouch"
    if order.question_open_since and order.state is not OrderState.ISSUED:
        return "Contact point: answer"
    owed = _provider_owes(order)
    if owed:
        return f"You: {owed[1]}"
    return "Contact point: ratify" if not_ratified(order) else NOBODY


def _provider_owes(order: Order) -> tuple[str, str] | None:
    """What it is called, and what the provider is told to do."""
    if order.state is OrderState.PRESERVED and order.extension_asked_at:
        return "the new date", "confirm the new date"
    ended = order.state in (OrderState.RELEASED, OrderState.EXPIRED)
    if ended and order.disposal_wanted:
        return "disposal", "confirm disposal"
    return {
        OrderState.ISSUED: ("acknowledgement", "acknowledge"),
        OrderState.ACKNOWLEDGED: ("preservation", "confirm preservation"),
    }.get(order.state)


def _open_calls(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    """Whom to phone, for each order with an open call: whoever has waited longest."""
    found = session.execute(
        select(CallTask.order_id, Contact.name)
        .join(Contact, Contact.id == CallTask.contact_id)
        .join(Order, Order.id == CallTask.order_id)
        .where(
            CallTask.order_id.in_(ids),
            CallTask.state == CallState.OPEN,
            # The ladder's are held while a question stops the clock.
            or_(Order.clock_stopped_at.is_(None), CallTask.wanted.not_in(HELD_BY_A_PAUSE)),
        )
        .order_by(CallTask.opened_at.desc(), CallTask.id.desc())
    )
    return {order_id: name for order_id, name in found}  # noqa: C416 - earlier ones win


def _written_by(session: Session, actor: Actor, ids: Collection[UUID]) -> set[UUID]:
    """Those the reader had a hand in: they cannot stand behind them themselves."""
    return set(
        session.scalars(
            select(OrderWriter.order_id).where(
                OrderWriter.order_id.in_(ids), OrderWriter.person_id == actor.person_id
            )
        )
    )
