"""Why a notice is sent: is there still a reason, does a person or a question hold it, and is the
address still its contact's?
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from liaison.domain.lifecycle import SERVED, OrderState
from liaison.domain.vocabulary import Channel
from liaison.models import Contact, Message, Order, WebhookEndpoint
from liaison.models.contact_rows import AnyContact
from liaison.models.deeds import bare
from liaison.models.looks import Look
from liaison.models.webhooks import EndpointState
from liaison.models.work import MessageState, Wanted
from liaison.queries import duty

HELD_BY_A_PAUSE = (Wanted.UNTIL_ACKNOWLEDGED, Wanted.UNTIL_PRESERVED)
"""What is not sent while a question stops the order's clock, or a person holds its ladder."""

WANTED_IN: dict[Wanted, Sequence[OrderState]] = {
    Wanted.UNTIL_ACKNOWLEDGED: (OrderState.ISSUED,),
    Wanted.UNTIL_PRESERVED: (OrderState.ISSUED, OrderState.ACKNOWLEDGED),
    Wanted.UNTIL_AUTHORISED: (OrderState.SUBMITTED,),
    # A verb takes them back; what was withdrawn needs nobody behind it.
    Wanted.UNTIL_RATIFIED: tuple(s for s in SERVED if s is not OrderState.WITHDRAWN),
    # Taken back by the second person who vouches, or with the order's end.
    Wanted.UNTIL_VOUCHED: tuple(OrderState),
    # A date that nears, an MLA request that was announced: from the acknowledgement on.
    Wanted.WHILE_KEPT: (OrderState.ACKNOWLEDGED, OrderState.PRESERVED),
    Wanted.UNTIL_DISPOSED: (OrderState.RELEASED, OrderState.EXPIRED),
    # Taken back by the answer, or by a withdrawal.
    Wanted.UNTIL_ANSWERED: tuple(OrderState),
    Wanted.ALWAYS: tuple(OrderState),
}


def is_wanted(wanted: Wanted, state: OrderState) -> bool:
    """Whether a notice about an order in this state still makes sense."""
    return state in WANTED_IN[wanted]


def is_awaited(wanted: Wanted, order: Order) -> bool:
    """The same for one order, whose ladder a person may have closed to take over."""
    taken_over = order.ladder_closed_at is not None and wanted in HELD_BY_A_PAUSE
    return is_wanted(wanted, order.state) and not taken_over


def is_held(wanted: Wanted, order: Order, now: datetime) -> bool:
    """Whether a person holds what such a notice belongs to; a question's pause hides its calls."""
    until = order.ladder_paused_until
    return wanted in HELD_BY_A_PAUSE and until is not None and now < until


class Looked(NamedTuple):
    """What is looked at just before sending: the message, its order, its endpoint, its contact.

    The contact's values stand under the contact's own names, for ``astray``; None without one.
    """

    state: MessageState
    fence: int
    wanted: Wanted
    order_state: OrderState | None
    clock_stopped_at: datetime | None
    ladder_closed_at: datetime | None
    ladder_paused_until: datetime | None
    endpoint: EndpointState | None
    contact_id: UUID | None
    channel: Channel
    address: str
    name: str
    email: str
    phone: str
    email_verified_at: datetime | None
    phone_verified_at: datetime | None
    removed_at: datetime | None
    wrong_number_at: datetime | None


_OF_MESSAGE = Look(
    select(
        Message.state,
        Message.fence,
        Message.wanted,
        Order.state,
        Order.clock_stopped_at,
        Order.ladder_closed_at,
        Order.ladder_paused_until,
        WebhookEndpoint.state,
        Message.contact_id,
        Message.channel,
        Message.address,
        *(getattr(Contact, name) for name in Looked._fields[11:]),
    )
    .outerjoin(Order, Order.id == Message.order_id)
    .outerjoin(WebhookEndpoint, WebhookEndpoint.id == Message.endpoint_id)
    .outerjoin(Contact, Contact.id == Message.contact_id)
    .where(Message.id == bindparam("message")),
    Looked,
)


def of_message(session: Session, id_: UUID) -> Looked:
    """A message as it stands now. The statement is made once: it is asked for each one sent."""
    (found,) = _OF_MESSAGE.within(bare(session), message=id_)
    return found


def has_reason(found: Looked) -> bool:
    """Whether a message is still to be sent, now or when nobody holds it any more."""
    listens = found.endpoint is None or found.endpoint is EndpointState.ACTIVE
    state, wanted = found.order_state, found.wanted
    taken_over = found.ladder_closed_at is not None and wanted in HELD_BY_A_PAUSE
    return listens and not taken_over and (state is None or state in WANTED_IN[wanted])


def holds(found: Looked, now: datetime) -> bool:
    """Whether a question stops the order's clock, or a person holds its ladder at this moment."""
    until = found.ladder_paused_until
    held = found.clock_stopped_at is not None or (until is not None and now < until)
    return held and found.wanted in HELD_BY_A_PAUSE


def astray(contact: AnyContact, channel: Channel, address: str, now: datetime) -> str:
    """Why nobody is reached at an address on behalf of a contact; empty where it is theirs.

    Theirs is what is registered for them and verified, and what nobody was told to be wrong.
    """
    by_mail = channel is Channel.EMAIL
    if contact.removed_at is not None and contact.removed_at <= now:
        return f"{contact.name} is not registered any more."
    if address != (contact.email if by_mail else contact.phone):
        return f"{contact.name} has another address now: whatever is sent next goes there."
    if not by_mail and contact.wrong_number_at is not None:
        return f"The number of {contact.name} is wrong."
    if not duty.is_verified(contact, channel):
        return f"The {'address' if by_mail else 'number'} of {contact.name} is not verified."
    return ""


def lost(found: Looked, now: datetime) -> str:
    """The same for the row of ``of_message``; what goes to no contact is never astray."""
    contact = cast(AnyContact, found)  # as far as is asked
    return astray(contact, found.channel, found.address, now) if found.contact_id else ""
