"""The outbox: notices on their way out, at least once, under a stable key.

Verbs queue them here, and take them back. Sending has three phases: ``claims.claim`` (and
commit), ``claims.still_wanted`` and the sending itself with no transaction open, then
``tries.confirm`` or ``tries.put_off`` under the fence that the claim gave. Whoever was overtaken
by another worker changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import Channel, Urgency
from liaison.models import Message, Order
from liaison.models.base import insert_missing, insert_once, new_id
from liaison.models.contact_rows import AnyContact
from liaison.models.work import MessageState, Wanted
from liaison.services import party_names

SENT_BY = (Channel.EMAIL, Channel.TEXT, Channel.VOICE, Channel.WEBHOOK)
"""Ways by which messages leave; a phone call is made by a person."""

SENT_BY_US = (Channel.EMAIL, Channel.TEXT, Channel.VOICE)
"""Ways to a person that need no person of ours."""

UNSENT = text("message.state IN ('queued', 'sending')")
"""As text: only so may SQLite use the index of unsent messages.

A bound value is unknown when it plans, and a literal column comes out as ``(…) = 1``.
"""


@dataclass(frozen=True)
class Notice:
    """What a notice says: which letter, with what, for how long it makes sense."""

    letter: str
    wanted: Wanted
    key: str
    params: dict[str, Any]


def queue(
    session: Session,
    order: Order,
    contact: AnyContact,
    notice: Notice,
    now: datetime,
    channel: Channel = Channel.EMAIL,
) -> bool:
    """Puts one notice to one contact into the outbox; whether it was not there already.

    Nothing goes to an address or a number that was never verified: it may be anybody's.
    """
    row = _row(order, contact, notice, now, channel)
    return row is not None and insert_once(session, Message, row)


def post(
    session: Session,
    order: Order,
    contact: AnyContact,
    notice: Notice,
    now: datetime,
    channel: Channel,
) -> None:
    """The same for whoever need not know whether it was there already."""
    row = _row(order, contact, notice, now, channel)
    if row is not None:
        insert_missing(session, Message, row)


def _row(
    order: Order, contact: AnyContact, notice: Notice, now: datetime, channel: Channel
) -> dict[str, Any] | None:
    by_mail = channel is Channel.EMAIL
    if (contact.email_verified_at if by_mail else contact.phone_verified_at) is None:
        return None
    names = party_names.of(order)
    params = {
        "ref": order.name,
        "urgency": order.urgency.value,
        "provider": names.provider,
        "authority": names.authority,
        "name": contact.name,
        "test": order.test,
        **notice.params,
    }
    return {
        "id": new_id(),
        "idem": f"{order.id}:{notice.key}:{contact.id}:{channel.value}",
        "order_id": order.id,
        "contact_id": contact.id,
        "channel": channel,
        "address": contact.email if by_mail else contact.phone,
        "letter": notice.letter,
        "params": params,
        "wanted": notice.wanted,
        "urgent": order.urgency is Urgency.EMERGENCY,
        "state": MessageState.QUEUED,
        "created_at": now,
        "next_at": now,
        "fence": 0,
        "attempts": 0,
    }


def queue_letter(
    session: Session,
    address: str,
    letter: str,
    params: Mapping[str, Any],
    key: str,
    now: datetime,
    *,
    sealed_link: str | None = None,
    order: Order | None = None,
    wanted: Wanted = Wanted.ALWAYS,
    urgent: bool = False,
) -> bool:
    """Puts a letter to an address into the outbox; ``key`` names its reason.

    About somebody's access, or about an ``order``: then it is taken back with its reason
    (``wanted``), and as urgent as the order. Without one it is ``urgent`` only where somebody sits
    and waits for its link or code, or nobody would be called: a thousand letters of a register's
    review must not go before an emergency's page.
    ``sealed_link`` is a link, or a code, that opens a door to whoever reads it: it is forgotten
    once the letter is on its way.
    """
    waited_for = urgent or sealed_link is not None
    return insert_once(
        session,
        Message,
        {
            "id": new_id(),
            "idem": letter_idem(address, key),
            "order_id": order.id if order else None,
            "contact_id": None,
            "channel": Channel.EMAIL,
            "address": address,
            "letter": letter,
            "params": dict(params),
            "sealed_link": sealed_link,
            "wanted": wanted,
            "urgent": order.urgency is Urgency.EMERGENCY if order else waited_for,
            "state": MessageState.QUEUED,
            "created_at": now,
            "next_at": now,
            "fence": 0,
            "attempts": 0,
        },
    )


def letter_idem(address: str, key: str) -> str:
    """The key under which a letter of ``queue_letter`` is found again."""
    return f"access:{key}:{address}:{Channel.EMAIL.value}"


def cancel(session: Session, order: Order, *wanted: Wanted) -> None:
    """Takes unsent notices back whose reason is gone."""
    session.execute(
        update(Message)
        .where(
            Message.order_id == order.id,
            Message.wanted.in_(wanted),
            Message.state.in_((MessageState.QUEUED, MessageState.SENDING)),
        )
        .values(state=MessageState.CANCELLED, sealed_link=None)
        .execution_options(synchronize_session=False)
    )
