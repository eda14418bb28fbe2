"""The outbox: notices on their way out, at least once, under a stable key.

Sending has three phases: ``claim`` (and commit), ``still_wanted`` and the sending itself with
no transaction open, then ``confirm`` or ``put_off`` under the fence that the claim gave. Whoever
was overtaken by another worker changes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CursorResult,
    Select,
    TextClause,
    Update,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session, aliased

from liaison.domain.lifecycle import SERVED, OrderState
from liaison.domain.vocabulary import Channel, Urgency
from liaison.models import Contact, DeliveryAttempt, Message, Order, WebhookEndpoint
from liaison.models.base import insert_once, new_id
from liaison.models.webhooks import EndpointState
from liaison.models.work import MessageState, Wanted

LEASE = timedelta(seconds=45)
"""Longer than one batch can take: a message takes at most 20 s."""

STRAY_LEASE = 2 * LEASE
"""A lease that ends later than this was given by a clock that was wrong, and holds nothing.

Not a single lease: two workers ask for the time one after the other, and whoever asked first may
look at what the second has just claimed.
"""

URGENT_DELAYS = tuple(timedelta(seconds=s) for s in (5, 15, 45, 120))
DELAYS = tuple(timedelta(seconds=s) for s in (5, 300, 1800, 7200, 18000, 36000))

URGENT_WEBHOOK_DELAYS = (*URGENT_DELAYS, *DELAYS[1:])
"""A program that was away is told all the same when it is back: nobody is woken by it."""

URGENT_LONGEST, LONGEST = timedelta(minutes=5), timedelta(hours=12)
"""No notice waits longer for its next try, whatever the other side asks for."""

SENT_BY = (Channel.EMAIL, Channel.TEXT, Channel.VOICE, Channel.WEBHOOK)
"""Ways by which messages leave; a phone call is made by a person."""

LONGEST_ANSWER = 500
"""Characters of what the other side said that are kept of each try."""

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


@dataclass(frozen=True)
class Tried:
    """What came of one try: how long it took, what the other side said."""

    took: timedelta
    status: int | None
    answer: str


MOST_A_PROVIDER = 2
"""Webhooks of one provider that are under way at once: its endpoints alone take no whole lane."""

SENT_BY_US = (Channel.EMAIL, Channel.TEXT, Channel.VOICE)
"""Ways to a person that need no person of ours."""


def queue(
    session: Session,
    order: Order,
    contact: Contact,
    notice: Notice,
    now: datetime,
    channel: Channel = Channel.EMAIL,
) -> bool:
    """Puts one notice to one contact into the outbox; whether it was not there already.

    Nothing goes to an address or a number that was never verified: it may be anybody's.
    """
    by_mail = channel is Channel.EMAIL
    if (contact.email_verified_at if by_mail else contact.phone_verified_at) is None:
        return False
    params = {
        "ref": order.name,
        "urgency": order.urgency.value,
        "provider": order.provider.name,
        "authority": order.authority.name,
        "name": contact.name,
        "test": order.test,
        **notice.params,
    }
    return insert_once(
        session,
        Message,
        {
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
        },
    )


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
) -> bool:
    """Puts a letter to an address into the outbox; ``key`` names its reason.

    About somebody's access, or about an ``order``: then it is taken back with its reason
    (``wanted``), and as urgent as the order.
    ``sealed_link`` is a link, or a code, that opens a door to whoever reads it: it is forgotten
    once the letter is on its way.
    """
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
            "urgent": order is None or order.urgency is Urgency.EMERGENCY,
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


HELD_BY_A_PAUSE = (Wanted.UNTIL_ACKNOWLEDGED, Wanted.UNTIL_PRESERVED)
"""What is not sent while a question stops the order's clock, or a person holds its ladder."""


def is_due(session: Session, now: datetime, channel: Channel | None = None) -> bool:
    """Whether any message is due: asked before a writing transaction is begun for it."""
    values = _moments(now)
    for one in (channel,) if channel else SENT_BY:
        if session.execute(_ANY_DUE, {**values, "channel": one}).first() is not None:
            return True
    return False


def _moments(now: datetime) -> dict[str, Any]:
    """What ``_due`` compares with."""
    return {
        "now": now,
        "urgent_stray": now + URGENT_LONGEST,
        "stray": now + LONGEST,
        "stray_lease": now + STRAY_LEASE,
    }


def _due() -> tuple[ColumnElement[bool] | TextClause, ...]:
    """What is to be sent now: its time has come, or its time is one that cannot be.

    A first try is due at once, whatever the clock of whoever queued it said. A time or a lease
    further ahead than any that is ever given comes from a clock that was set back since.
    """
    return (
        UNSENT,
        Message.channel == bindparam("channel"),
        or_(
            Message.attempts == 0,
            Message.next_at <= bindparam("now"),
            and_(
                Message.urgent,
                Message.channel != Channel.WEBHOOK,
                Message.next_at > bindparam("urgent_stray"),
            ),
            Message.next_at > bindparam("stray"),
        ),
        or_(
            Message.lease_until.is_(None),
            Message.lease_until <= bindparam("now"),
            Message.lease_until > bindparam("stray_lease"),
        ),
        or_(Message.wanted.not_in(HELD_BY_A_PAUSE), ~_held()),
        or_(
            Message.endpoint_id.is_(None),
            and_(Message.endpoint_id.not_in(_busy()), Message.endpoint_id.not_in(_crowded())),
        ),
    )


def _busy() -> Select[UUID | None]:
    """Endpoints to which a message is under way: a slow one must not keep every thread busy."""
    held = aliased(Message, name="held")
    return select(held.endpoint_id).where(*_under_way(held))


def _crowded() -> Select[UUID]:
    """Endpoints of providers that have as many under way as they may, to whichever of theirs."""
    held, owner = aliased(Message, name="held"), aliased(WebhookEndpoint)
    providers = (
        select(owner.provider_id)
        .join(held, held.endpoint_id == owner.id)
        .where(*_under_way(held))
        .group_by(owner.provider_id)
        .having(func.count() >= MOST_A_PROVIDER)
    )
    sibling = aliased(WebhookEndpoint)
    return select(sibling.id).where(sibling.provider_id.in_(providers))


def _under_way(held: type[Message]) -> tuple[ColumnElement[bool] | TextClause, ...]:
    """``held`` is a message under the name "held", in a worker's hands at this moment."""
    return (
        text("held.state IN ('queued', 'sending') AND held.state = 'sending'"),
        held.endpoint_id.is_not(None),
        held.lease_until > bindparam("now"),
        held.lease_until <= bindparam("stray_lease"),
    )


def _held() -> ColumnElement[bool]:
    """A question stops the order's clock, or a person holds its ladder or has closed it.

    A pause counts until its end, whether its timer has fired or not: if that one fails, our own
    people must still be told.
    """
    holding = select(Order.id).where(
        Order.id == Message.order_id,
        or_(
            Order.clock_stopped_at.is_not(None),
            Order.ladder_closed_at.is_not(None),
            Order.ladder_paused_until > bindparam("now"),
        ),
    )
    return holding.correlate(Message).exists()


_ANY_DUE = select(Message.id).where(*_due()).limit(1)
_NEXT_DUE = (
    select(Message)
    .where(*_due(), Message.urgent == bindparam("urgent"))
    .order_by(Message.next_at, Message.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True, of=Message)
    .execution_options(populate_existing=True)
)


def claim(
    session: Session, now: datetime, limit: int = 2, channel: Channel | None = None
) -> list[Claimed]:
    """Claims messages that are due, or whose worker let its lease run out.

    What is urgent does not queue behind a slow mail server's backlog of routine.
    """
    values = _moments(now)
    due: list[Message] = []
    for urgent in (True, False):
        for one in (channel,) if channel else SENT_BY:
            asked = {**values, "channel": one, "urgent": urgent, "limit": limit - len(due)}
            due += session.scalars(_NEXT_DUE, asked) if len(due) < limit else ()
    due = _one_an_endpoint(session, due, values)
    for message in due:
        message.state = MessageState.SENDING
        message.fence += 1
        message.attempts += 1
        message.lease_until = now + LEASE
    session.flush()
    return [_claimed(message) for message in due]


def _one_an_endpoint(
    session: Session, due: list[Message], values: Mapping[str, Any]
) -> list[Message]:
    """Without those whose endpoint another worker has just claimed a message of.

    Whoever claims holds the row of their provider's first endpoint; what the one before them did
    is seen by asking again.
    """
    first = {message.endpoint_id: message for message in reversed(due) if message.endpoint_id}
    if not first:
        return due
    theirs, earlier = aliased(WebhookEndpoint), aliased(WebhookEndpoint)
    is_later = exists().where(
        earlier.provider_id == WebhookEndpoint.provider_id, earlier.id < WebhookEndpoint.id
    )
    gates = select(WebhookEndpoint.provider_id).where(
        WebhookEndpoint.provider_id.in_(select(theirs.provider_id).where(theirs.id.in_(first))),
        ~is_later,
    )
    held = session.scalars(
        gates.with_for_update(skip_locked=True, key_share=True, of=WebhookEndpoint)
    ).all()
    mine = select(theirs.id).where(theirs.id.in_(first), theirs.provider_id.in_(held))
    free = set(session.scalars(mine))
    free -= {*session.scalars(_busy(), values), *session.scalars(_crowded(), values)}
    alone = {message.id for endpoint, message in first.items() if endpoint in free}
    return [message for message in due if not message.endpoint_id or message.id in alone]


def _claimed(m: Message) -> Claimed:
    return Claimed(
        m.id,
        m.fence,
        m.idem,
        m.channel,
        m.address,
        m.letter,
        m.params,
        m.created_at,
        m.sealed_link,
        m.attempts,
        m.endpoint_id,
    )


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


def still_wanted(session: Session, claimed: Claimed, now: datetime) -> bool:
    """Looks again, just before sending: is the claim ours, and is there still a reason?"""
    found = session.execute(
        select(Message.state, Message.fence, Message.wanted, *_REASONS)
        .outerjoin(Order, Order.id == Message.order_id)
        .outerjoin(WebhookEndpoint, WebhookEndpoint.id == Message.endpoint_id)
        .where(Message.id == claimed.id)
    ).one()
    ours = found.state is MessageState.SENDING and found.fence == claimed.fence
    until = found.ladder_paused_until
    held = found.clock_stopped_at is not None or (until is not None and now < until)
    return ours and _has_reason(found) and not (held and found.wanted in HELD_BY_A_PAUSE)


_REASONS = (
    Order.state.label("order_state"),
    Order.clock_stopped_at,
    Order.ladder_closed_at,
    Order.ladder_paused_until,
    WebhookEndpoint.state.label("endpoint"),
)


def _has_reason(found: Any) -> bool:
    """Whether a message is still to be sent, now or when nobody holds it any more."""
    listens = found.endpoint is None or found.endpoint is EndpointState.ACTIVE
    state, wanted = found.order_state, found.wanted
    taken_over = found.ladder_closed_at is not None and wanted in HELD_BY_A_PAUSE
    return listens and not taken_over and (state is None or state in WANTED_IN[wanted])


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


def drop(session: Session, claimed: Claimed) -> bool:
    """Cancels a claimed message that is wanted no longer; one that is only held waits on."""
    found = session.execute(
        select(Message.wanted, *_REASONS)
        .outerjoin(Order, Order.id == Message.order_id)
        .outerjoin(WebhookEndpoint, WebhookEndpoint.id == Message.endpoint_id)
        .where(Message.id == claimed.id)
    ).one()
    values: dict[str, Any] = {"state": MessageState.CANCELLED, "sealed_link": None}
    if found.wanted in HELD_BY_A_PAUSE and _has_reason(found):
        # As if it had not been claimed: no try was made.
        values = {"state": MessageState.QUEUED, "attempts": Message.attempts - 1}
    return _under_fence(session, claimed, values | {"lease_until": None}, MessageState.SENDING)


def confirm(
    session: Session, claimed: Claimed, provider_ref: str, now: datetime, tried: Tried
) -> bool:
    """Notes that the other side took the message; False where another worker took over.

    A message that was cancelled while it was being sent has arrived all the same: that is noted.
    """
    _note_try(session, claimed, now, tried, ok=True)
    values = {
        "state": MessageState.SENT,
        "sent_at": now,
        "provider_ref": provider_ref[:200],
        "lease_until": None,
        "last_error": None,
        "sealed_link": None,
    }
    return _under_fence(session, claimed, values, MessageState.SENDING, MessageState.CANCELLED)


def put_off(
    session: Session,
    claimed: Claimed,
    error: str,
    now: datetime,
    tried: Tried,
    *,
    permanent: bool = False,
    retry_after: timedelta | None = None,
) -> Message | None:
    """Notes a failure. Gives back the message when its retries are used up, else None."""
    _note_try(session, claimed, now, tried, ok=False)
    if claimed.endpoint_id is None:
        # The order first, as every verb does: a failure writes to it, and the two must not
        # wait for each other. A webhook's does not; whoever puts it off holds its endpoint
        # by now, and perhaps a stream, and must wait for no order.
        session.execute(
            select(Order.id)
            .join(Message, Message.order_id == Order.id)
            .where(Message.id == claimed.id)
            .with_for_update(of=Order)
        )
    message = session.scalars(
        select(Message)
        .where(Message.id == claimed.id)
        .with_for_update(of=Message)
        .execution_options(populate_existing=True)
    ).one()
    if message.fence != claimed.fence or message.state is not MessageState.SENDING:
        return None
    message.last_error = error[:500]
    message.lease_until = None
    delays = _delays(message)
    if permanent or message.attempts > len(delays):
        message.state, message.sealed_link = MessageState.FAILED, None
        return message
    delay = delays[message.attempts - 1] * random.uniform(0.8, 1.2)  # noqa: S311 - jitter
    message.state = MessageState.QUEUED
    longest = URGENT_LONGEST if message.urgent else LONGEST
    message.next_at = now + max(delay, min(retry_after or timedelta(0), longest))
    return None


def _delays(message: Message) -> tuple[timedelta, ...]:
    if not message.urgent:
        return DELAYS
    return URGENT_WEBHOOK_DELAYS if message.channel is Channel.WEBHOOK else URGENT_DELAYS


def _note_try(session: Session, claimed: Claimed, now: datetime, tried: Tried, *, ok: bool) -> None:
    """One row a try, whoever holds the message by now: it was made all the same."""
    session.execute(
        insert(DeliveryAttempt).values(
            id=new_id(),
            message_id=claimed.id,
            number=claimed.attempts,
            at=now,
            took_ms=tried.took // timedelta(milliseconds=1),
            ok=ok,
            status=tried.status,
            answer=tried.answer[:LONGEST_ANSWER],
        )
    )


def _under_fence(
    session: Session, claimed: Claimed, values: dict[str, Any], *states: MessageState
) -> bool:
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
