"""What could not be delivered: who is told of it, trying it anew, and saying it is dealt with."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import CLOCK, Actor
from liaison.domain.ladder import Whom
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import LONGEST_NOTE, check_texts
from liaison.errors import FieldError, Invalid, NotFound
from liaison.models import Message, Order
from liaison.models.work import MessageState
from liaison.queries import deliveries, registry
from liaison.services import call_tasks, canaries, ledger, outbox, portal_log, reasons
from liaison.services.organisations import AlreadyDone

UNDELIVERED = "The notice could not be delivered."
CAME_BACK = "The notice came back: nobody got it."

ONCE_ONLY = frozenset({"invitation", "factor_reset", "register/contact_code"})
"""Letters with a secret that was forgotten with their last try: nobody can send them again."""


def tell(session: Session, message: Message, now: datetime) -> None:
    """A notice did not arrive, whoever found out: a person must call, and all can see why.

    The caller holds the order's row and then the message's, as every verb does. One that was
    tried anew and fails again is told again: the fence tells the two apart. Nobody is called
    about what is wanted no more, nor about a webhook: its provider reads the stream itself. While
    somebody holds the ladder nobody is called either: ``catch_up`` does when it goes on.
    """
    if message.letter == canaries.LETTER:
        # It carries nothing for anybody; that it did not come back is told of by itself.
        message.state = MessageState.CANCELLED
        return
    if message.order_id is None:
        portal_log.note(session, now, "letter_failed", CLOCK.id, ledger.PORTAL, _letter(message))
        return
    order = session.get_one(Order, message.order_id)
    if message.endpoint_id is None and reasons.is_awaited(message.wanted, order):
        if not reasons.is_held(message.wanted, order, now):
            _call(session, order, message, now)
        _tell_duty_officer(session, order, message, now)
    ledger.record(session, now, ledger.own(order, "order.delivery_failed", CLOCK, _notice(message)))


def catch_up(session: Session, order: Order, now: datetime) -> None:
    """A ladder goes on: a call for each of its notices that failed meanwhile, as ``tell`` opens.

    The same call as before has the same key, and is opened once.
    """
    failed = session.scalars(
        select(Message).where(
            Message.order_id == order.id,
            Message.endpoint_id.is_(None),
            Message.state == MessageState.FAILED,
            Message.settled_at.is_(None),
            Message.wanted.in_(reasons.HELD_BY_A_PAUSE),
        )
    ).all()
    for message in failed:
        if reasons.is_awaited(message.wanted, order):
            _call(session, order, message, now)


def _call(session: Session, order: Order, message: Message, now: datetime) -> None:
    contact = message.contact
    called = [contact] if contact else _duty_officers(session, order, now)
    why = CAME_BACK if message.bounced_at else UNDELIVERED
    for person in called:
        key = f"undelivered:{message.id}:{message.fence}"
        call_tasks.open_task(session, order, person, why, key, message.wanted, now)


def _tell_duty_officer(session: Session, order: Order, message: Message, now: datetime) -> None:
    contact = message.contact
    if contact is None or contact.authority_id is not None:
        return  # the mail that failed was to us: another one would only fail again
    params = {"addressee": contact.name}
    key = f"undelivered:{message.id}:{message.fence}"
    notice = outbox.Notice("delivery_failed", message.wanted, key, params)
    for officer in _duty_officers(session, order, now):
        outbox.queue(session, order, officer, notice, now)


def _duty_officers(session: Session, order: Order, now: datetime) -> list[Any]:
    return registry.addressees(session, order, Whom.DUTY_OFFICER, now)


def _notice(message: Message) -> dict[str, Any]:
    who = message.contact.name if message.contact else message.address
    return {
        "letter": message.letter,
        "channel": message.channel.value,
        "to": who if message.endpoint_id is None else "the provider's program",
        "attempts": message.attempts,
        "error": message.last_error,
        "bounced": message.bounced_at is not None,
    }


def _letter(message: Message) -> dict[str, Any]:
    return {
        "letter": message.letter,
        "attempts": message.attempts,
        "bounced": message.bounced_at is not None,
    }


def retry(session: Session, actor: Actor, message_id: UUID, now: datetime) -> Message:
    """Tries a failed notice anew, at once: the same row under the same key, its tries from one.

    Only while it is wanted, and only where its address is still its contact's, and verified.
    """
    message, order = _held(session, actor, message_id)
    if reason := why_not(message, order, now):
        raise AlreadyDone(f"{reason} It was not sent again.")
    message.state, message.attempts, message.next_at = MessageState.QUEUED, 0, now
    message.lease_until = message.sent_at = message.delivered_at = message.bounced_at = None
    session.flush()
    told = {"letter": message.letter, "channel": message.channel.value, "to": _to(message)}
    _record(session, actor, order, "retried", told, now)
    return message


def settle(session: Session, actor: Actor, message_id: UUID, note: str, now: datetime) -> Message:
    """A person has dealt with it, and says how; it is listed no more."""
    message, order = _held(session, actor, message_id)
    check_texts(("/note", note, LONGEST_NOTE))
    if not note.strip():
        raise Invalid([FieldError("/note", "Say in a few words what was done instead.")])
    message.settled_at, message.settled_by = now, actor.name
    session.flush()
    told = {"letter": message.letter, "to": _to(message), "note": note.strip()}
    _record(session, actor, order, "settled", told, now)
    return message


def why_not(message: Message, order: Order | None, now: datetime) -> str:
    """Why a failed message cannot be tried anew; empty where it can."""
    if order is None and message.letter in ONCE_ONLY:
        return "Its link or code is forgotten: make a new one where it was made."
    if order is not None and not reasons.is_wanted(message.wanted, order.state):
        return f"Its reason is gone: the order is {order.state.label.lower()}."
    if order is not None and not reasons.is_awaited(message.wanted, order):
        return "The escalation is closed: open it again first."
    contact = message.contact
    return reasons.astray(contact, message.channel, message.address, now) if contact else ""


def _held(session: Session, actor: Actor, message_id: UUID) -> tuple[Message, Order | None]:
    """The failed message that nobody has dealt with, and its order; both locked, in that order."""
    demand(actor, Verb.HANDLE_UNDELIVERED)
    order = session.scalars(
        select(Order)
        .join(Message, Message.order_id == Order.id)
        .where(Message.id == message_id, deliveries.readable(actor))
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    ).one_or_none()
    message = session.scalars(
        select(Message)
        .outerjoin(Order, Order.id == Message.order_id)
        .where(Message.id == message_id, deliveries.readable(actor))
        .with_for_update(of=Message)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if message is None:
        raise NotFound
    if message.settled_at is not None:
        raise AlreadyDone(f"{message.settled_by} has dealt with it already. Nothing was changed.")
    if message.state is not MessageState.FAILED:
        raise AlreadyDone("It is not undelivered any more. Nothing was changed.")
    return message, order


def _to(message: Message) -> str:
    if message.endpoint_id is not None:
        return "the provider's program"
    return message.contact.name if message.contact else message.address


def _record(
    session: Session,
    actor: Actor,
    order: Order | None,
    act: str,
    told: dict[str, Any],
    now: datetime,
) -> None:
    if order is not None:
        ledger.record(session, now, ledger.own(order, f"order.delivery_{act}", actor, told))
        return
    # No address: the log holds none that was typed.
    told.pop("to")
    whose = portal_log.organisation_of_actor(actor)
    portal_log.note(
        session, now, f"letter_{act}", actor.id, whose, {**told, **portal_log.by(actor)}
    )
