"""What was sent, what came of it, and what reached nobody: for an order, a contact, the desk."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    TextClause,
    and_,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Session, joinedload, selectinload

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand, may
from liaison.domain.vocabulary import Term
from liaison.errors import NotFound
from liaison.models import (
    Contact,
    CounterpartRequest,
    DeliveryAttempt,
    Invitation,
    Message,
    Order,
    Person,
    RequestLetter,
)
from liaison.models.work import MessageState
from liaison.queries import orders
from liaison.services.outbox import UNSENT
from liaison.services.reasons import HELD_BY_A_PAUSE

PAGE = 50
MOST_OF_AN_ORDER = 50
"""Deliveries told on an order's page; one that nobody answers is paged for without end."""
MOST_OF_A_CONTACT = 20
MOST_COUNTED = 99
MOST_TRIES = 20

LATE_IF_URGENT, LATE = timedelta(seconds=30), timedelta(minutes=5)
"""So long past its time a notice that has not left waits too long."""

UNSETTLED = text("message.state = 'failed' AND message.settled_at IS NULL")
"""As text: only so may SQLite use the index of what failed and nobody has dealt with."""


class Stand(Term):
    """Where a delivery stands, as it is told."""

    WAITING = "waiting", "Queued", "It leaves in a moment, or at its next try."
    LATE = "late", "Queued too long", "It should have left: look whether the worker runs."
    SENT = "sent", "Sent", "The next station took it."
    DELIVERED = "delivered", "Delivered", "The other side says that it has arrived."
    ANSWERED = "answered", "Answered", "The addressee replied to it."
    BOUNCED = "bounced", "Came back", "A mail server sent it back."
    FAILED = "failed", "Not delivered", "No further try is made."
    TAKEN_BACK = "taken_back", "Taken back", "Its reason was gone before it left."


_CAME_BACK = f"{Stand.BOUNCED.label}:"
"""How the reason of a letter that came back is kept (services/bounces.py)."""

_STATUS_TWICE = re.compile(r"(\d\.\d+\.\d+) (?=.*\b\1\b)")


def reason(kept: str) -> str:
    """What a mail server said, without the words and the status that stand there already.

    ``Came back: 5.2.2 552 5.2.2 Mailbox full`` is ``552 5.2.2 Mailbox full``.
    """
    if not kept.startswith(_CAME_BACK):
        return kept
    return _STATUS_TWICE.sub("", kept.removeprefix(_CAME_BACK).strip(), count=1)


@dataclass(frozen=True)
class Delivery:
    """One message and where it stands; ``tries`` newest first, none for the provider's side."""

    message: Message
    stand: Stand
    order: Order | None
    tries: list[DeliveryAttempt]

    @property
    def at(self) -> datetime:
        """When it came to where it stands; when it was queued, where nothing came of it yet."""
        m = self.message
        known = {
            Stand.ANSWERED: m.answered_at,
            Stand.BOUNCED: m.bounced_at,
            Stand.DELIVERED: m.delivered_at,
            Stand.SENT: m.sent_at,
            Stand.FAILED: self.tries[0].at if self.tries else None,
        }
        return known.get(self.stand) or m.created_at

    @property
    def to(self) -> str:
        """The address, of a webhook its host alone: the rest of it may be a secret."""
        if self.message.endpoint_id is None:
            return self.message.address
        return urlsplit(self.message.address).hostname or "its program"

    @property
    def fault(self) -> str:
        """Why it failed last. Of a webhook less is told: its server may quote the whole address."""
        if self.message.endpoint_id is None or not self.message.last_error:
            return reason(self.message.last_error or "")
        return self.said(self.tries[0]) if self.tries else "not taken"

    def outcome(self, tried: DeliveryAttempt) -> str:
        """What came of one try: ``taken``, ``not taken``, ``came back``."""
        if (tried.answer or "").startswith(_CAME_BACK):
            return Stand.BOUNCED.label.lower()
        return "taken" if tried.ok else "not taken"

    def said(self, tried: DeliveryAttempt) -> str:
        """What the other side said to one try; of a webhook its status alone."""
        if self.message.endpoint_id is None:
            return reason(tried.answer or "") or str(tried.status or "")
        return str(tried.status) if tried.status else "no answer"


@dataclass(frozen=True)
class Undelivered:
    """What waits too long, the longest first; a page of what failed, the newest first."""

    late: list[Delivery]
    failed: list[Delivery]
    older: UUID | None


def of_order(
    session: Session,
    actor: Actor,
    order: Order,
    now: datetime,
    *,
    most: int | None = MOST_OF_AN_ORDER,
) -> list[Delivery]:
    """The deliveries of an order that the actor may see, the newest first; ``most`` None: all.

    A provider sees what left for its own people and what of that did not arrive; how often we
    tried, and what servers said, is ours.
    """
    query = select(Message).where(Message.order_id == order.id)
    if not actor.is_contact_point:
        ours = Message.contact.has(Contact.provider_id == actor.provider_id)
        query = query.where(
            ours, or_(Message.sent_at.is_not(None), Message.state == MessageState.FAILED)
        )
    query = query.order_by(Message.id.desc()).limit(most).options(joinedload(Message.contact))
    if actor.is_contact_point:
        query = query.options(selectinload(Message.tries))
    return [_told(m, order, now, tries=actor.is_contact_point) for m in session.scalars(query)]


def of_contact(session: Session, actor: Actor, contact: Contact, now: datetime) -> list[Delivery]:
    """The last deliveries to a contact, about orders of the actor's own side alone."""
    if actor.authority_id is not None:
        mine: ColumnElement[bool] = Order.authority_id == actor.authority_id
    else:
        left = or_(Message.sent_at.is_not(None), Message.state == MessageState.FAILED)
        mine = and_(Order.provider_id == actor.provider_id, Order.ref.is_not(None), left)
    query = (
        select(Message, Order)
        .join(Order, Order.id == Message.order_id)
        .where(Message.contact_id == contact.id, mine)
        .order_by(Message.id.desc())
        .limit(MOST_OF_A_CONTACT)
    )
    if actor.is_contact_point:
        query = query.options(selectinload(Message.tries))
    found = session.execute(query).all()
    return [_told(m, order, now, tries=actor.is_contact_point) for m, order in found]


def undelivered(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    before: UUID | None = None,
    programs: bool = False,
) -> Undelivered:
    """What reached nobody: of the actor's own authority; ``programs``: webhooks instead.

    ``before`` is the place of a page: the last message of the one before it.
    """
    demand(actor, Verb.READ_UNDELIVERED)
    kind = Message.endpoint_id.is_not(None) if programs else Message.endpoint_id.is_(None)
    query = _seen(actor).where(UNSETTLED, kind)
    last = session.get(Message, before) if before else None
    if last is not None:
        query = query.where(
            Message.created_at <= last.created_at,
            or_(Message.created_at < last.created_at, Message.id < last.id),
        )
    query = query.order_by(Message.created_at.desc(), Message.id.desc()).limit(PAGE + 1)
    found = session.execute(query).all()
    late = session.execute(
        _seen(actor).where(*_late(now), kind).order_by(Message.next_at, Message.id).limit(PAGE)
    ).all()
    return Undelivered(
        late=[_told(m, order, now) for m, order in (late if last is None else ())],
        failed=[_told(m, order, now) for m, order in found[:PAGE]],
        older=found[PAGE - 1][0].id if len(found) > PAGE else None,
    )


def find(session: Session, actor: Actor, message_id: UUID, now: datetime) -> Delivery:
    """One delivery of the actor's own authority; another's and an absent one are alike."""
    demand(actor, Verb.READ_UNDELIVERED)
    found = session.execute(_seen(actor).where(Message.id == message_id)).one_or_none()
    if found is None:
        raise NotFound
    return _told(found[0], found[1], now)


def count(session: Session, actor: Actor) -> int:
    """How many notices to people failed and were not dealt with: ``MOST_COUNTED`` at most."""
    if not may(actor.roles, Verb.READ_UNDELIVERED):
        return 0
    rows = (
        select(literal(1))
        .select_from(Message)
        .outerjoin(Order, Order.id == Message.order_id)
        .where(UNSETTLED, Message.endpoint_id.is_(None), readable(actor))
        .limit(MOST_COUNTED)
    )
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0


def unsettled(session: Session) -> int:
    """The same for the whole installation, for whoever runs it."""
    rows = select(literal(1)).select_from(Message).where(UNSETTLED).limit(MOST_COUNTED)
    return session.scalar(select(func.count()).select_from(rows.subquery())) or 0


def readable(actor: Actor) -> ColumnElement[bool]:
    """Messages of the actor's own orders; to administrators the letters about access.

    A letter without an order belongs to whom it is addressed to: our own people and contacts, the
    providers' (the contact point keeps the register), a counterpart whose request we handle. One
    to another authority's people is nobody else's to see. The order is joined by the caller.
    """
    mine = orders.visible(actor, few=True)
    if actor.authority_id is None:
        return false()
    if may(actor.roles, Verb.READ_REQUESTS):
        mine = or_(mine, _of_a_request(actor.authority_id))
    if may(actor.roles, Verb.MANAGE_PEOPLE):
        mine = or_(mine, and_(Message.order_id.is_(None), _to_ours(actor.authority_id)))
    return mine


def _of_a_request(authority_id: UUID) -> ColumnElement[bool]:
    letter = (
        select(RequestLetter.id)
        .join(CounterpartRequest, CounterpartRequest.id == RequestLetter.request_id)
        .where(
            RequestLetter.message_id == Message.id,
            CounterpartRequest.authority_id == authority_id,
        )
    )
    return and_(Message.order_id.is_(None), exists(letter))


def _to_ours(authority_id: UUID) -> ColumnElement[bool]:
    return or_(
        *(
            Message.address.in_(
                select(who.email).where(
                    or_(who.authority_id == authority_id, who.provider_id.is_not(None))
                )
            )
            for who in (Person, Invitation, Contact)
        )
    )


def _seen(actor: Actor) -> Select[Message, Order]:
    return (
        select(Message, Order)
        .outerjoin(Order, Order.id == Message.order_id)
        .where(readable(actor))
        .options(joinedload(Message.contact), selectinload(Message.tries))
    )


def _late(now: datetime) -> tuple[ColumnElement[bool] | TextClause, ...]:
    return (
        UNSENT,
        Message.next_at <= now - LATE_IF_URGENT,
        or_(Message.urgent, Message.next_at <= now - LATE),
        or_(
            Order.id.is_(None),
            Message.wanted.not_in(HELD_BY_A_PAUSE),
            and_(
                Order.clock_stopped_at.is_(None),
                Order.ladder_paused_at.is_(None),
                Order.ladder_closed_at.is_(None),
            ),
        ),
    )


def _told(message: Message, order: Order | None, now: datetime, *, tries: bool = True) -> Delivery:
    tried = message.tries[: -MOST_TRIES - 1 : -1] if tries else []
    return Delivery(message, stand(message, order, now), order, tried)


def stand(message: Message, order: Order | None, now: datetime) -> Stand:
    """Where a message stands at a moment."""
    if message.answered_at is not None:
        return Stand.ANSWERED
    if message.bounced_at is not None:
        return Stand.BOUNCED
    if message.state is MessageState.SENT:
        return Stand.DELIVERED if message.delivered_at is not None else Stand.SENT
    if message.state is MessageState.FAILED:
        return Stand.FAILED
    if message.state is MessageState.CANCELLED:
        return Stand.TAKEN_BACK
    late = message.next_at <= now - (LATE_IF_URGENT if message.urgent else LATE)
    return Stand.LATE if late and not _is_held(message, order) else Stand.WAITING


def _is_held(message: Message, order: Order | None) -> bool:
    if order is None or message.wanted not in HELD_BY_A_PAUSE:
        return False
    holding = (order.clock_stopped_at, order.ladder_paused_at, order.ladder_closed_at)
    return any(since is not None for since in holding)
