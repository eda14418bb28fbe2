"""A stream as its organisation's program reads it: page by page, with the head to check against."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.domain.permissions import Verb, may
from liaison.domain.vocabulary import Urgency
from liaison.errors import NotFound
from liaison.models import Entry, Order, Stream
from liaison.models.ledger import GENESIS


@dataclass(frozen=True)
class Head:
    """The end of a stream: number and hash of its last entry."""

    seq: int
    hash: str


@dataclass(frozen=True)
class Page:
    """Entries with the ref of their order, if they have one; ``more`` when others follow."""

    entries: tuple[tuple[Entry, str | None], ...]
    next: int
    more: bool


def stream_of(actor: Actor) -> str:
    """The one stream a reader can open: its provider's, or its contact point's own."""
    if not may(actor.roles, Verb.READ_ORDERS):
        raise NotFound
    if actor.provider_id is not None:
        return f"provider:{actor.provider_id}"
    if actor.authority_id is not None:
        return f"authority:{actor.authority_id}"
    raise NotFound


def head(session: Session, actor: Actor) -> Head:
    """Where the stream ends now."""
    row = session.execute(
        select(Stream.seq, Stream.head).where(Stream.id == stream_of(actor))
    ).one_or_none()
    return Head(row.seq, row.head) if row else Head(0, GENESIS)


def page(session: Session, actor: Actor, end: Head, after: int, limit: int) -> Page:
    """The entries behind ``after``, at most ``limit``, none behind the head that was read."""
    rows = session.execute(
        select(Entry, Order.ref)
        .outerjoin(Order, Order.id == Entry.order_id)
        .where(Entry.stream == stream_of(actor), Entry.seq > after, Entry.seq <= end.seq)
        .order_by(Entry.seq)
        .limit(limit)
    ).all()
    last = rows[-1][0].seq if rows else after
    return Page(tuple((entry, ref) for entry, ref in rows), last, last < end.seq)


def emergency_open(session: Session, actor: Actor) -> bool:
    """Whether an emergency still waits for its provider's answer; a drill is polled for alike."""
    own = Order.provider_id == actor.provider_id
    if actor.provider_id is None:
        own = Order.authority_id == actor.authority_id
    waiting = [state for state in OrderState if state.is_open]
    found = session.scalar(
        select(
            exists().where(
                own,
                Order.state.in_(waiting),
                Order.urgency == Urgency.EMERGENCY,
            )
        )
    )
    return bool(found)
