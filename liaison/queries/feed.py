"""A stream as its organisation's program reads it: page by page, with the head to check against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Exists,
    Text,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.domain.permissions import Verb, may
from liaison.domain.vocabulary import Urgency
from liaison.errors import NotFound
from liaison.models import ApiKey, Entry, Order, Stream
from liaison.models.base import dashed, rows_of
from liaison.models.ledger import GENESIS
from liaison.models.looks import Look, Looking
from liaison.services.keys import FIND, KnownKey

_KEY, _STREAM, _ENTRY, _ORDER = (rows_of(table) for table in (ApiKey, Stream, Entry, Order))


@dataclass(frozen=True)
class Head:
    """The end of a stream: number and hash of its last entry."""

    seq: int
    hash: str


class Told(NamedTuple):
    """An entry as it is told: ``id`` and ``order_id`` as texts; ``ref`` is the order's."""

    seq: int
    id: str
    type: str
    at: datetime
    actor: str
    order_id: str | None
    ref: str | None
    data: str | None
    salt: str | None
    digest: str
    prev: str
    hash: str


@dataclass(frozen=True)
class Page:
    """Entries of a stream; ``more`` when others follow."""

    entries: Sequence[Told]
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


def head(found: KnownKey) -> Head:
    """Where the stream ended at that look."""
    return Head(0, GENESIS) if found.seq is None else Head(found.seq, found.head or GENESIS)


def page(looking: Looking, actor: Actor, end: Head, after: int, limit: int) -> Page:
    """The entries behind ``after``, at most ``limit``, none behind the head that was read."""
    rows = looking.all(_PAGE, stream=stream_of(actor), after=after, end=end.seq, most=limit)
    last = rows[-1].seq if rows else after
    return Page(rows, last, last < end.seq)


def emergency_open(session: Session, actor: Actor) -> bool:
    """Whether an emergency still waits for its provider's answer; a drill is polled for alike."""
    return bool(session.scalar(select(_waits(actor.provider_id, actor.authority_id))))


def _waits(provider: Any, authority: Any) -> ColumnElement[bool]:
    """Whether an emergency of one of them waits; the other is null."""
    return or_(
        _emergency(_ORDER.c.provider_id == provider), _emergency(_ORDER.c.authority_id == authority)
    )


def _emergency(own: ColumnElement[bool]) -> Exists:
    """Whether an emergency of these orders waits for its provider.

    Whatever is open ranks no lower than the third in the queue. That says nothing new, but lets
    the index by urgency be read no further, however many emergencies have ended. The state is
    hidden from PostgreSQL's planner, which would read all that is open by it.
    """
    order = _ORDER.c
    state = func.coalesce(order.state, literal_column("''", Text))
    return exists().where(
        own,
        order.urgency == _constant(Urgency.EMERGENCY),
        order.queue_rank <= literal_column("3"),
        or_(*(state == _constant(open_) for open_ in OrderState if open_.is_open)),
    )


def _constant(value: str) -> Any:
    """Written into the statement, which is the same for everybody: nothing is bound anew."""
    return literal_column(f"'{value}'", Text)


LOOK = Look(
    FIND.statement.add_columns(
        _STREAM.c.seq,
        _STREAM.c.head,
        _waits(_KEY.c.provider_id, _KEY.c.authority_id).label("urgent"),
    ).outerjoin(
        _STREAM,
        _STREAM.c.id
        == func.coalesce(
            literal_column("'provider:'", Text) + dashed(_KEY.c.provider_id),
            literal_column("'authority:'", Text) + dashed(_KEY.c.authority_id),
        ),
    ),
    KnownKey,
)
"""With the key, where its organisation's stream ends and whether an emergency waits: a poll that
finds nothing new is this one statement."""

_PAGE = Look(
    select(
        _ENTRY.c.seq,
        dashed(_ENTRY.c.id).label("id"),
        _ENTRY.c.type,
        _ENTRY.c.at,
        _ENTRY.c.actor,
        dashed(_ENTRY.c.order_id).label("order_id"),
        _ORDER.c.ref,
        _ENTRY.c.data,
        _ENTRY.c.salt,
        _ENTRY.c.digest,
        _ENTRY.c.prev,
        _ENTRY.c.hash,
    )
    .outerjoin_from(_ENTRY, _ORDER, _ORDER.c.id == _ENTRY.c.order_id)
    .where(
        _ENTRY.c.stream == bindparam("stream"),
        _ENTRY.c.seq > bindparam("after"),
        _ENTRY.c.seq <= bindparam("end"),
    )
    .order_by(_ENTRY.c.seq)
    .limit(bindparam("most")),
    Told,
)


SKEW = timedelta(hours=4)
"""Twice by how much a clock may have stood wrong when an entry was written, and more."""


def first_since(session: Session, stream: str, moment: datetime) -> int:
    """A number before which no entry of a stream is as young as ``moment``; 1 at least.

    Found by halves, some twenty single rows however long the stream is. Clocks that were set back
    left moments out of order: by up to two hours that hides nothing.
    """
    low, high = 1, (session.scalar(select(Stream.seq).where(Stream.id == stream)) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        at = session.scalar(select(Entry.at).where(Entry.stream == stream, Entry.seq == middle))
        if at is not None and at >= moment - SKEW:
            high = middle
        else:
            low = middle + 1
    return low
