"""What people answer to a text message, or press in an automatic call.

"1" acknowledges receipt, where the memorandum's term allows it and there is no doubt which order
is meant. Everything else is shown to the contact point on the order, and answered by nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor, at_the_telephone
from liaison.domain.ladder import Climb, Whom
from liaison.domain.lifecycle import OrderState
from liaison.domain.reading import unstorable
from liaison.errors import NotFound
from liaison.models import Contact, Message, Order
from liaison.models.work import MessageState, Wanted
from liaison.queries import duty, registry
from liaison.services import answers, escalation, ledger, outbox, reasons, throttle
from liaison.services.gateway_reports import BY_TELEPHONE, clean

YES = "1"

LOOKED_BACK = timedelta(days=7)
"""How old a message may be that a reply without its id belongs to."""
MOST_LOOKED_AT = 200

CROSSES_WITHIN = timedelta(hours=1)
"""How long a “1” may still mean the order that was texted, or answered, before.

Nobody answers a reply, so people send it again; and networks hand texts on late.
"""

MOST_AN_HOUR = 30
"""Replies of one number that are read in an hour; the others are dropped."""

REMEMBERED = timedelta(days=90)
"""How long a reply that comes a second time is known; a gateway's own repeats come in minutes."""

LONGEST_REPLY = 500
"""Characters that are kept of a reply."""


class Came(StrEnum):
    """What came of a reply."""

    ACKNOWLEDGED = "acknowledged"
    UNCLEAR = "unclear"
    """It could belong to several orders, or to a text that is not known to have left: none is
    acknowledged, our duty officer is told."""
    NOT_OPEN = "not_open"
    NOT_ALLOWED = "not_allowed"
    """The term does not allow it, or the number is not this contact's any more."""
    NOTED = "noted"
    DROPPED = "dropped"
    """It came before, or too many came."""


@dataclass(frozen=True)
class Reply:
    """A reply as the gateway hands it over.

    ``number``: whose telephone, where the gateway says; ``message_id``: which message it
    answers, where the person chose it; ``once`` is the gateway's own id of this reply.
    """

    text: str
    once: str
    number: str | None = None
    message_id: UUID | None = None


def take(session: Session, reply: Reply, now: datetime) -> Came:
    """Takes one reply; ``NotFound`` where nothing was sent to this number lately."""
    found = _messages(session, reply, now)
    if not found:
        raise NotFound
    if not _is_first(session, reply, found[0].address, now):
        return Came.DROPPED
    text = clean(reply.text)[:LONGEST_REPLY]
    if text != YES:
        return _note(session, found[:1], text, Came.NOTED, now)
    offered = [m for m in found if m.params.get("reply")]
    open_ = _one_an_order([m for m in offered if _state(session, m) is OrderState.ISSUED])
    if not open_:
        came = Came.NOT_OPEN if offered else Came.NOT_ALLOWED
        return _note(session, (offered or found)[:1], text, came, now)
    if len(open_) > 1 or not (reply.message_id or _is_clear(open_[0], offered, now)):
        return _note(session, open_, text, Came.UNCLEAR, now)
    return _acknowledge(session, open_[0], text, now)


def _messages(session: Session, reply: Reply, now: datetime) -> list[Message]:
    """What the reply can belong to, newest first; only what we have tried to send."""
    query = select(Message).where(
        Message.channel.in_(BY_TELEPHONE),
        Message.order_id.is_not(None),
        Message.contact_id.is_not(None),
        Message.attempts > 0,
    )
    if reply.message_id is not None:
        query = query.where(Message.id == reply.message_id)
    elif not reply.number:
        return []
    else:
        query = query.where(Message.created_at > now - LOOKED_BACK)
    if unstorable(reply.number or ""):
        return []  # nobody's number
    if reply.number:
        query = query.where(Message.address == reply.number)
    return list(session.scalars(query.order_by(Message.id.desc()).limit(MOST_LOOKED_AT)))


def _is_first(session: Session, reply: Reply, number: str, now: datetime) -> bool:
    once = hashlib.sha256(reply.once.encode(errors="replace")).hexdigest()
    of = hashlib.sha256(number.encode()).hexdigest()
    if throttle.count(session, f"reply:{once}", 1, REMEMBERED, now) is not None:
        return False
    return throttle.count(session, f"replies:{of}", MOST_AN_HOUR, timedelta(hours=1), now) is None


def _state(session: Session, message: Message) -> OrderState:
    return session.get_one(Order, message.order_id).state


def _one_an_order(messages: Sequence[Message]) -> list[Message]:
    """The newest of each order, one that has left before one that has not.

    The orders by their ids: so they are locked.
    """
    newest: dict[UUID, Message] = {}
    for message in sorted(messages, key=lambda m: m.state is not MessageState.SENT):
        assert message.order_id is not None
        newest.setdefault(message.order_id, message)
    return [newest[order_id] for order_id in sorted(newest)]


def _is_clear(message: Message, offered: Sequence[Message], now: datetime) -> bool:
    """Whether a reply that names no message can mean this one's order only.

    It has left, so that somebody can have read it; and no other order's was sent to the number or
    answered lately, whatever became of that order: a “1” sent twice must not acknowledge the next.
    """
    others = [m for m in offered if m.order_id != message.order_id]
    return message.state is MessageState.SENT and not any(_is_fresh(m, now) for m in others)


def _is_fresh(message: Message, now: datetime) -> bool:
    touched = (message.created_at, message.sent_at, message.answered_at)
    return any(at is not None and at > now - CROSSES_WITHIN for at in touched)


def _acknowledge(session: Session, message: Message, text: str, now: datetime) -> Came:
    """Receipt of exactly this order, by this contact, as if they had pressed it in the portal."""
    contact, order = _contact(message), _hold(session, message)
    if order.state is not OrderState.ISSUED:
        return _note(session, [message], text, Came.NOT_OPEN, now)
    if not _may(order, contact, message, now):
        return _note(session, [message], text, Came.NOT_ALLOWED, now)
    _keep(session, message, text, now)
    how = {"by_reply": contact.name, "number": message.address, "way": message.channel.value}
    answers.acknowledge(session, _actor(order, contact, message), order.name, now, how=how)
    return Came.ACKNOWLEDGED


def _may(order: Order, contact: Contact, message: Message, now: datetime) -> bool:
    """The terms say so, and it is still this contact's own verified number."""
    return (
        not reasons.astray(contact, message.channel, message.address, now)
        and duty.is_usable(contact, now)
        and escalation.may_reply(order, Climb.ACKNOWLEDGE, contact)
    )


def _actor(order: Order, contact: Contact, message: Message) -> Actor:
    ours = contact.authority_id is not None
    return at_the_telephone(
        contact_id=contact.id,
        name=contact.name,
        provider_id=contact.provider_id,
        authority_id=contact.authority_id,
        organisation=order.authority.name if ours else order.provider.name,
        way=message.channel,
        message=str(message.id),
        number=message.address,
    )


def _note(
    session: Session, messages: Sequence[Message], text: str, came: Came, now: datetime
) -> Came:
    """Acknowledges nothing: the contact point sees what was answered, on each order it may mean."""
    records = []
    for message in messages:
        contact, order = _contact(message), _hold(session, message)
        _keep(session, message, text, now)
        if came is Came.UNCLEAR:
            _tell_duty_officer(session, order, message, now)
        told = {
            "contact": contact.name,
            "number": message.address,
            "way": message.channel.value,
            "text": text,
            "came": came.value,
        }
        by = _actor(order, contact, message)
        records.append(ledger.own(order, "order.reply_received", by, told))
    ledger.record(session, now, *records)
    return came


def _tell_duty_officer(session: Session, order: Order, message: Message, now: datetime) -> None:
    params = {"addressee": _contact(message).name}
    key = f"unclear:{message.id}"
    # Nobody who holds or has closed the ladder holds this: it tells our own of what came in.
    notice = outbox.Notice("reply_unclear", Wanted.ALWAYS, key, params)
    for officer in registry.addressees(session, order, Whom.DUTY_OFFICER, now):
        outbox.queue(session, order, officer, notice, now)


def _contact(message: Message) -> Contact:
    assert message.contact is not None, "only what went to a contact is looked at"
    return message.contact


def _hold(session: Session, message: Message) -> Order:
    """The order, locked and read again."""
    return session.scalars(
        select(Order)
        .where(Order.id == message.order_id)
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    ).one()


def _keep(session: Session, message: Message, text: str, now: datetime) -> None:
    """The last answer stands on the message; the ledger has them all."""
    session.refresh(message, with_for_update=True)
    message.answered_at, message.answer = now, text
    session.flush()
