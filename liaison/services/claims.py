"""A message in a worker's hands: claimed, looked at again, given back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import CursorResult, Row, Update, bindparam, exists, select, update
from sqlalchemy.orm import Session, aliased

from liaison.domain.vocabulary import Channel
from liaison.models import Message, Order, WebhookEndpoint
from liaison.models.work import MessageState
from liaison.services import apart, due_messages, reasons, undelivered
from liaison.services.outbox import SENT_BY

log = structlog.get_logger("liaison.worker")


@dataclass(frozen=True)
class Claimed:
    """A message in a worker's hands; ``fence`` proves the claim."""

    id: UUID
    fence: int
    idem: str
    channel: Channel
    address: str
    letter: str
    params: dict[str, Any]
    created_at: datetime
    sealed_link: str | None = None
    attempts: int = 1
    endpoint_id: UUID | None = None


def claim(
    session: Session, now: datetime, limit: int = 2, channel: Channel | None = None
) -> list[Claimed]:
    """Claims messages that are due, or whose worker let its lease run out.

    What is urgent does not queue behind a slow mail server's backlog of routine.
    """
    due: list[Row[Any]] = []
    for one in (channel,) if channel else SENT_BY:
        due += due_messages.look(session, now, one, limit, lock=True)
    due = sorted(due, key=lambda row: not row.urgent)[:limit]
    ids = [row.id for row in _one_an_endpoint(session, due, now)]
    if not ids:
        return []
    rows = session.execute(_taking(ids, now)).all()
    return sorted((Claimed(*row) for row in rows), key=lambda claimed: ids.index(claimed.id))


def _taking(ids: Sequence[UUID], now: datetime) -> Any:
    """Takes them into a worker's hands, and gives back what a ``Claimed`` is made of."""
    return (
        update(Message)
        .where(Message.id.in_(ids))
        .values(
            state=MessageState.SENDING,
            fence=Message.fence + 1,
            attempts=Message.attempts + 1,
            lease_until=now + due_messages.LEASE,
        )
        .returning(*(getattr(Message, name) for name in Claimed.__dataclass_fields__))
        .execution_options(synchronize_session=False)
    )


def _one_an_endpoint(session: Session, due: list[Row[Any]], now: datetime) -> list[Row[Any]]:
    """Without those whose endpoint another worker has just claimed a message of.

    Whoever claims holds the row of their provider's first endpoint; what the one before them did
    is seen by asking again.
    """
    first = {row.endpoint_id: row for row in reversed(due) if row.endpoint_id}
    if not first:
        return due
    mine = set(session.scalars(_GATES, {"endpoints": list(first)}))
    free = mine - due_messages.taken(session, now)
    alone = {row.id for endpoint, row in first.items() if endpoint in free}
    return [row for row in due if not row.endpoint_id or row.id in alone]


_gate, _theirs, _earlier = (aliased(WebhookEndpoint, name=n) for n in ("gate", "theirs", "earlier"))
_GATES = (
    select(_theirs.id)
    .join(_gate, _gate.provider_id == _theirs.provider_id)
    .where(
        _theirs.id.in_(bindparam("endpoints", expanding=True)),
        ~exists().where(_earlier.provider_id == _gate.provider_id, _earlier.id < _gate.id),
    )
    .with_for_update(skip_locked=True, key_share=True, of=_gate)
)
"""Holds the first endpoint of each provider concerned; those whose provider nobody else holds."""


def still_wanted(session: Session, claimed: Claimed, now: datetime) -> bool:
    """Looks again, just before sending: is the claim ours, is there still a reason, and is the
    address still its contact's?
    """
    found = reasons.of_message(session, claimed.id)
    ours = found.state is MessageState.SENDING and found.fence == claimed.fence
    wanted = reasons.has_reason(found) and not reasons.holds(found, now)
    return ours and wanted and not reasons.lost(found, now)


def drop(session: Session, claimed: Claimed, now: datetime) -> bool:
    """Cancels a claimed message that is wanted no longer; one that is only held, or was, waits on.

    One whose address is its contact's no more fails for good, and is told of. False where another
    worker took over.
    """
    found = reasons.of_message(session, claimed.id)
    if reasons.has_reason(found) and (why := reasons.lost(found, now)):
        return _fail(session, claimed, why, now)
    values: dict[str, Any] = {"state": MessageState.CANCELLED, "sealed_link": None}
    held = found.wanted in reasons.HELD_BY_A_PAUSE
    if reasons.has_reason(found) and (held or found.contact_id):
        # It was held, or its address was verified anew between the two looks. As if it had not
        # been claimed: no try was made.
        values = {"state": MessageState.QUEUED, "attempts": Message.attempts - 1}
    return change(session, claimed, values | {"lease_until": None}, MessageState.SENDING)


def _fail(session: Session, claimed: Claimed, why: str, now: datetime) -> bool:
    """Nobody is written to at somebody else's address: a person must call whoever counts now."""
    message = _held(session, claimed)
    if message is None:
        return False
    message.state, message.last_error = MessageState.FAILED, why
    message.lease_until = message.sealed_link = None
    message.attempts -= 1  # no try was made
    session.flush()

    def failed(error: Exception) -> None:
        # What cannot be told of must not be claimed with every lease, for ever.
        log.warning("nobody told of a notice", message=str(claimed.id), error=type(error).__name__)

    apart.done(session, lambda: undelivered.tell(session, message, now), failed)
    return True


def _held(session: Session, claimed: Claimed) -> Message | None:
    """The message, locked, while the claim is ours: its order first, as every verb does."""
    session.execute(
        select(Order.id)
        .join(Message, Message.order_id == Order.id)
        .where(Message.id == claimed.id)
        .with_for_update(of=Order)
    )
    return session.scalars(
        select(Message)
        .where(
            Message.id == claimed.id,
            Message.fence == claimed.fence,
            Message.state == MessageState.SENDING,
        )
        .with_for_update(of=Message)
        .execution_options(populate_existing=True)
    ).one_or_none()


def change(
    session: Session, claimed: Claimed, values: dict[str, Any], *states: MessageState
) -> bool:
    """Writes to a message under the claim's fence; False where another worker took over."""
    step: Update = (
        update(Message)
        .where(
            Message.id == claimed.id,
            Message.fence == claimed.fence,
            Message.state.in_(states),
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    result = session.execute(step)
    return isinstance(result, CursorResult) and result.rowcount == 1
