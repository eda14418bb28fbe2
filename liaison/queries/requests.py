"""Reading counterparts' requests: always those of one's own authority."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, selectinload

from liaison.domain import request as rules
from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import unstorable
from liaison.domain.vocabulary import RequestState, Term
from liaison.errors import NotFound
from liaison.models import CounterpartRequest, Entry, Message, Order, ReportedBack, RequestLetter
from liaison.models.work import MessageState

PAGE = 50
MOST_COUNTED = 100
MOST_LINKED = 20
"""Other requests a page names beside its own."""

ANSWERED = (
    OrderState.PRESERVED,
    OrderState.DECLINED,
    OrderState.WITHDRAWN,
    OrderState.RELEASED,
    OrderState.EXPIRED,
    OrderState.DISPOSED,
)
"""States of an order that a counterpart wants to hear of without asking."""


class Shown(Term):
    """Which requests a list shows."""

    WAITING = "waiting", "Waiting for us", "No receipt, not reported back, a letter that failed."
    OPEN = "open", "Open", "Registered; orders can be made from them."
    CLOSED = "closed", "Closed", "The result was reported back."
    REFUSED = "refused", "Refused", "On a ground between Parties."
    ALL = "all", "All", "Open ones first."


@dataclass(frozen=True)
class Row:
    """A request in the list, with what waits."""

    request: CounterpartRequest
    orders: int
    news: bool
    failed: bool


@dataclass(frozen=True)
class Found:
    """A page of the list."""

    rows: list[Row]
    shown: Shown
    page: int
    has_more: bool


@dataclass(frozen=True)
class Happened:
    """One entry of a request's history."""

    at: datetime
    type: str
    who: str
    data: dict[str, Any]


def find(
    session: Session, actor: Actor, request_id: UUID, *, lock: bool = False
) -> CounterpartRequest:
    """One request; another authority's and an absent one are answered alike."""
    demand(actor, Verb.READ_REQUESTS)
    query: Select[CounterpartRequest] = select(CounterpartRequest).where(
        CounterpartRequest.id == request_id, _own(actor)
    )
    if lock:
        query = query.with_for_update(of=CounterpartRequest).execution_options(
            populate_existing=True
        )
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def listed(session: Session, actor: Actor, shown: Shown, text: str = "", page: int = 1) -> Found:
    """A page: open ones first, then the newest. ``text`` is a number, reference or authority."""
    demand(actor, Verb.READ_REQUESTS)
    news, failed = _news(), _failed()
    orders = (
        select(func.count(Order.id))
        .where(Order.request_id == CounterpartRequest.id)
        .correlate(CounterpartRequest)
        .scalar_subquery()
    )
    open_first = case((CounterpartRequest.state == RequestState.OPEN, 0), else_=1)
    query = (
        select(CounterpartRequest, orders, news, failed)
        .where(_own(actor), *_shown(shown), *_matches(text))
        .order_by(open_first, CounterpartRequest.id.desc())
        .limit(PAGE + 1)
        .offset((page - 1) * PAGE)
    )
    rows = [Row(*row) for row in session.execute(query)]
    return Found(rows[:PAGE], shown, page, len(rows) > PAGE)


def waiting(session: Session, actor: Actor) -> int:
    """How many wait for somebody of the contact point; at most ``MOST_COUNTED`` are counted."""
    some = select(CounterpartRequest.id).where(_own(actor), _waits()).limit(MOST_COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def orders_of(session: Session, request: CounterpartRequest) -> list[Order]:
    """Its orders in the order of their making; drafts that were discarded are left out."""
    query = (
        select(Order)
        .where(
            Order.request_id == request.id,
            or_(Order.state != OrderState.WITHDRAWN, Order.ref.is_not(None)),
        )
        .order_by(Order.id)
        .options(selectinload(Order.provider), selectinload(Order.reports))
    )
    return list(session.scalars(query))


def told_of(session: Session, orders: Sequence[Order]) -> dict[UUID, ReportedBack]:
    """What the counterpart was last told, by order."""
    query = select(ReportedBack).where(ReportedBack.order_id.in_([o.id for o in orders]))
    return {row.order_id: row for row in session.scalars(query)}


def is_news(order: Order, told: ReportedBack | None) -> bool:
    """Whether the counterpart has not heard of where the order stands; as ``_news`` asks it."""
    if order.ref is None or order.state not in ANSWERED:
        return False
    if told is None or order.preserved_until != told.until:
        return True
    return order.state is not told.state and order.state is not OrderState.DISPOSED


def letters_of(
    session: Session, request: CounterpartRequest
) -> list[tuple[RequestLetter, Message | None]]:
    """The letters to the counterpart with their ways out, the newest first."""
    query = (
        select(RequestLetter, Message)
        .outerjoin(Message, Message.id == RequestLetter.message_id)
        .where(RequestLetter.request_id == request.id)
        .order_by(RequestLetter.id.desc())
    )
    return [(letter, message) for letter, message in session.execute(query)]


def just_sent(
    session: Session,
    actor: Actor,
    request: CounterpartRequest,
    kind: rules.LetterKind,
    now: datetime,
) -> bool:
    """Whether the actor sent such a letter within the last minute: then it was sent twice."""
    query = select(RequestLetter.id).where(
        RequestLetter.request_id == request.id,
        RequestLetter.kind == kind.value,
        RequestLetter.by == actor.name,
        RequestLetter.at > now - timedelta(minutes=1),
    )
    return session.execute(query.limit(1)).first() is not None


def history(session: Session, request: CounterpartRequest) -> list[Happened]:
    """What was done to it, the newest first."""
    entries = session.scalars(
        select(Entry)
        .where(
            Entry.stream == f"authority:{request.authority_id}",
            Entry.order_id.is_(None),
            Entry.data.like(f'%"request":"{request.id}"%'),
        )
        .order_by(Entry.seq.desc())
    )
    read = [(entry, json.loads(entry.data)) for entry in entries if entry.data is not None]
    return [
        Happened(entry.at, entry.type, (data.get("by") or {}).get("name", ""), data)
        for entry, data in read
        # Somebody may have typed what looks like another request's id.
        if data.get("request") == str(request.id)
    ]


def same_reference(
    session: Session, authority_id: UUID, party: str, reference: str, but: UUID | None = None
) -> list[CounterpartRequest]:
    """Requests of a Party under a reference, the newest first."""
    query = select(CounterpartRequest).where(
        CounterpartRequest.authority_id == authority_id,
        CounterpartRequest.reference_key == rules.fold(reference),
        CounterpartRequest.party == party,
    )
    if but is not None:
        query = query.where(CounterpartRequest.id != but)
    return list(session.scalars(query.order_by(CounterpartRequest.id.desc()).limit(MOST_LINKED)))


def earlier(session: Session, request: CounterpartRequest) -> dict[str, CounterpartRequest]:
    """By reference as it was typed: the earlier requests it names that were registered here."""
    named = {str(row["reference"]): rules.fold(str(row["reference"])) for row in request.previous}
    if not named:
        return {}
    query = select(CounterpartRequest).where(
        CounterpartRequest.authority_id == request.authority_id,
        CounterpartRequest.party == request.party,
        CounterpartRequest.reference_key.in_(named.values()),
        CounterpartRequest.id != request.id,
    )
    known = {
        row.reference_key: row for row in session.scalars(query.order_by(CounterpartRequest.id))
    }
    return {text: known[key] for text, key in named.items() if key in known}


def _own(actor: Actor) -> ColumnElement[bool]:
    return CounterpartRequest.authority_id == actor.authority_id


def _shown(shown: Shown) -> list[ColumnElement[bool]]:
    if shown is Shown.ALL:
        return []
    if shown is Shown.WAITING:
        return [_waits()]
    return [CounterpartRequest.state == RequestState(shown.value)]


def _matches(text: str) -> list[ColumnElement[bool]]:
    if not text.strip():
        return []
    if unstorable(text):
        return [CounterpartRequest.id.is_(None)]
    return [
        or_(
            func.lower(CounterpartRequest.number).contains(text.strip().lower(), autoescape=True),
            CounterpartRequest.reference_key.contains(rules.fold(text), autoescape=True),
            func.lower(CounterpartRequest.requesting_authority).contains(
                text.strip().lower(), autoescape=True
            ),
        )
    ]


def _waits() -> ColumnElement[bool]:
    no_receipt = and_(
        CounterpartRequest.state == RequestState.OPEN, CounterpartRequest.receipt_at.is_(None)
    )
    return or_(no_receipt, _news(), _failed())


def _news() -> ColumnElement[bool]:
    """An order of it stands elsewhere than the counterpart was last told."""
    return exists(
        select(Order.id)
        .outerjoin(ReportedBack, ReportedBack.order_id == Order.id)
        .where(
            Order.request_id == CounterpartRequest.id,
            Order.ref.is_not(None),
            Order.state.in_(ANSWERED),
            or_(
                ReportedBack.order_id.is_(None),
                Order.preserved_until.is_distinct_from(ReportedBack.until),
                and_(
                    Order.state != ReportedBack.state,
                    Order.state != OrderState.DISPOSED,
                ),
            ),
        )
        .correlate(CounterpartRequest)
    )


def _failed() -> ColumnElement[bool]:
    """A letter did not arrive, and none of its kind went out since."""
    later = aliased(RequestLetter)
    again = exists(
        select(later.id).where(
            later.request_id == RequestLetter.request_id,
            later.kind == RequestLetter.kind,
            later.id > RequestLetter.id,
        )
    )
    return exists(
        select(RequestLetter.id)
        .join(Message, Message.id == RequestLetter.message_id)
        .where(
            RequestLetter.request_id == CounterpartRequest.id,
            Message.state == MessageState.FAILED,
            ~again,
        )
        .correlate(CounterpartRequest)
    )
