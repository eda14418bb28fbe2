"""What a gateway reports of a text message or an automatic call that it took."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.documents.letters import one_line
from liaison.domain.gateway import GatewayStatus
from liaison.domain.vocabulary import Channel
from liaison.errors import NotFound
from liaison.models import Message, Order
from liaison.models.work import MessageState
from liaison.services import undelivered

BY_TELEPHONE = (Channel.TEXT, Channel.VOICE)

LONGEST_DETAIL = 400
"""Characters of a gateway's own words that are kept."""


def report(
    session: Session, message_id: UUID, status: GatewayStatus, detail: str, now: datetime
) -> None:
    """Notes what became of a message. The same report twice, or an older one late, does nothing.

    One that failed after all goes the way of a notice whose tries are used up: while there is
    still a reason for it, a person must call. ``NotFound``: no message of this gateway.
    """
    message = _locked(session, message_id)
    if status.has_arrived:
        message.delivered_at = message.delivered_at or now
    elif status.has_failed and message.delivered_at is None:
        _fail(session, message, status, detail, now)
    session.flush()


def _locked(session: Session, message_id: UUID) -> Message:
    """The message, held with its order: the order first, as every verb does."""
    ours = Message.id == message_id, Message.channel.in_(BY_TELEPHONE)
    session.execute(
        select(Order.id)
        .join(Message, Message.order_id == Order.id)
        .where(*ours)
        .with_for_update(of=Order)
    )
    message = session.scalars(
        select(Message)
        .where(*ours, Message.attempts > 0)
        .with_for_update(of=Message)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if message is None:
        raise NotFound
    return message


def clean(text: str) -> str:
    """What somebody said, on one line, without what no database keeps."""
    return one_line(re.sub("[\ud800-\udfff]", "", text))


def _fail(
    session: Session, message: Message, status: GatewayStatus, detail: str, now: datetime
) -> None:
    if message.state not in (MessageState.SENT, MessageState.SENDING):
        return  # told before; tried again by now; or taken back, so that nobody waits for it
    message.state, message.lease_until = MessageState.FAILED, None
    message.last_error = f"{status.value}: {clean(detail)[:LONGEST_DETAIL]}".removesuffix(": ")
    session.flush()
    undelivered.tell(session, message, now)
