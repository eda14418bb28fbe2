"""The ledger: every act appends entries to streams, each chained to the one before.

``hash = SHA-256(RFC 8785 of {stream, seq, type, at, actor, order, digest, prev})`` and
``digest = SHA-256(salt || RFC 8785 of data)``; ``order`` is the order's id or null, ``at`` is
RFC 3339 in UTC. Data and salt can be erased one day; the chain still holds. An entry's id is a
UUID of version 7 made of its moment and its hash, so that it cannot be changed unnoticed either.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import rfc8785
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.errors import FieldError, Invalid
from liaison.models import Entry, Order, Stream
from liaison.models.base import insert_once
from liaison.models.ledger import GENESIS

PORTAL = "portal"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOWEST = -(2**31)
"""Below every number a row can have: an entry put in before the first is read too."""


@dataclass(frozen=True)
class Record:
    """An entry about to be written."""

    stream: str
    type: str
    actor: str
    data: Mapping[str, Any]
    order_id: UUID | None = None


@dataclass(frozen=True)
class Break:
    """The first entry of a stream that does not hold, and why."""

    stream: str
    seq: int
    reason: str


@dataclass(frozen=True)
class Head:
    """The last entry of a stream as somebody noted it."""

    seq: int
    hash: str


def provider_stream(provider_id: UUID) -> str:
    """What both sides may see."""
    return f"provider:{provider_id}"


def authority_stream(authority_id: UUID) -> str:
    """What only the contact point may see."""
    return f"authority:{authority_id}"


def act(order: Order, type_: str, actor: Actor, data: Mapping[str, Any]) -> list[Record]:
    """An act on an order, for both sides.

    From where and with which factor a contact-point officer acted is the contact point's own
    matter: it stands in the authority's stream, beside the shared entry.
    """
    by: dict[str, Any] = {"name": actor.name, "organisation": actor.organisation}
    via = actor.via and {
        "factor": actor.via.factor,
        "session": actor.via.session,
        "address": actor.via.address,
    }
    shared = {**data, "by": by}
    if via and actor.is_provider:
        shared["via"] = via
    records = [Record(provider_stream(order.provider_id), type_, actor.id, shared, order.id)]
    if via and actor.is_contact_point:
        own = {"act": type_, "by": by, "via": via}
        records.append(
            Record(
                authority_stream(order.authority_id), "order.attributed", actor.id, own, order.id
            )
        )
    return records


def own(order: Order, type_: str, actor: Actor, data: Mapping[str, Any]) -> Record:
    """An act that only the contact point may see."""
    by = {"name": actor.name, "organisation": actor.organisation}
    shared = {**data, "by": by}
    return Record(authority_stream(order.authority_id), type_, actor.id, shared, order.id)


def record(session: Session, now: datetime, *records: Record) -> list[Entry]:
    """Appends entries: the last write of a transaction, for it takes the streams' locks.

    Streams are locked in the order of their ids, so that two acts cannot wait for each other.
    """
    session.flush()
    return [_append(session, now, r) for r in sorted(records, key=lambda r: r.stream)]


def _append(session: Session, now: datetime, r: Record) -> Entry:
    seq, prev = _next(session, r.stream)
    data = rfc8785.dumps(dict(r.data))
    salt = secrets.token_bytes(16)
    entry = Entry(
        stream=r.stream,
        seq=seq,
        type=r.type,
        at=now,
        actor=r.actor,
        order_id=r.order_id,
        data=data.decode(),
        salt=salt.hex(),
        digest=hashlib.sha256(salt + data).hexdigest(),
        prev=prev,
    )
    entry.hash = entry_hash(entry)
    entry.id = entry_id(entry)
    session.add(entry)
    session.execute(update(Stream).where(Stream.id == r.stream).values(head=entry.hash))
    session.flush()
    return entry


def _next(session: Session, stream: str) -> tuple[int, str]:
    step = (
        update(Stream)
        .where(Stream.id == stream)
        .values(seq=Stream.seq + 1)
        .returning(Stream.seq, Stream.head)
        .execution_options(synchronize_session=False)
    )
    row = session.execute(step).one_or_none()
    if row is None:
        insert_once(session, Stream, {"id": stream, "seq": 0, "head": GENESIS})
        row = session.execute(step).one()
    return row.seq, row.head


def entry_hash(entry: Entry) -> str:
    """The hash an entry must have."""
    return hashlib.sha256(
        rfc8785.dumps(
            {
                "stream": entry.stream,
                "seq": entry.seq,
                "type": entry.type,
                "at": rfc3339(entry.at),
                "actor": entry.actor,
                "order": str(entry.order_id) if entry.order_id else None,
                "digest": entry.digest,
                "prev": entry.prev,
            }
        )
    ).hexdigest()


def entry_id(entry: Entry) -> UUID:
    """The id an entry must have: milliseconds of its moment, then 74 bits of its hash."""
    moment = (entry.at - _EPOCH) // timedelta(milliseconds=1)
    bits = int(entry.hash[:32], 16) >> (128 - 74)
    number = moment << 80 | 7 << 76 | (bits >> 62) << 64 | 2 << 62 | bits & (1 << 62) - 1
    return UUID(int=number)


def verify(
    session: Session, stream: str | None = None, noted: Mapping[str, Head] | None = None
) -> Iterator[Break | Stream]:
    """Walks each stream's chain; yields a ``Break`` for the first bad entry, else the stream.

    ``noted`` holds heads that somebody wrote down earlier: each must still stand, so that a
    history cut off or rewritten from its end is found too.
    """
    heads = noted or {}
    wanted = select(Stream).order_by(Stream.id)
    if stream is not None:
        wanted = wanted.where(Stream.id == stream)
    found = session.scalars(wanted).all()
    for row in found:
        yield _walk(session, row, heads.get(row.id)) or row
    yield from _without_stream(session, stream)
    for name in [*heads, *([stream] if stream else [])]:
        if name not in {row.id for row in found}:
            yield Break(name, 0, "there is no such stream")


def _without_stream(session: Session, stream: str | None) -> Iterator[Break]:
    orphans = select(Entry.stream).where(Entry.stream.not_in(select(Stream.id))).distinct()
    for name in session.scalars(orphans.order_by(Entry.stream)).all():
        if stream in (None, name):
            yield Break(name, 1, "the stream it belongs to was removed")


def _walk(session: Session, stream: Stream, noted: Head | None) -> Break | None:
    after, prev = _LOWEST, GENESIS
    expected = 1
    while True:
        begun = expected
        with closing(_entries(session, stream.id, after)) as entries:
            for entry in entries:
                found = _break(stream.id, entry, expected, prev, noted)
                if found:
                    return found
                assert isinstance(entry, Entry)
                after, prev, expected = entry.seq, entry.hash, expected + 1
                session.expunge(entry)
        # Acts go on while we read: the head is read after its entries, and what came meanwhile
        # is walked too.
        session.refresh(stream)
        if stream.seq < expected or expected == begun:
            break
    if stream.seq < expected - 1:
        return Break(stream.id, stream.seq + 1, "it stands behind the stream's head")
    if stream.seq >= expected:
        return Break(stream.id, expected, "it is missing, and the stream's head knows it")
    if stream.head != prev:
        return Break(stream.id, stream.seq, "the stream's head has another hash")
    if noted and noted.seq >= expected:
        return Break(stream.id, expected, f"the head that was noted is entry {noted.seq}")
    return None


def _break(
    stream: str, entry: Entry | Break, expected: int, prev: str, noted: Head | None
) -> Break | None:
    if isinstance(entry, Break):
        return entry
    if entry.seq > expected:
        return Break(stream, expected, "it is missing")
    fault = _fault(entry, expected, prev)
    if not fault and noted and noted.seq == expected and noted.hash != entry.hash:
        fault = "it is another one than the head that was noted"
    return Break(stream, entry.seq, fault) if fault else None


def _entries(session: Session, stream: str, after: int) -> Generator[Entry | Break]:
    """The entries in order; one that cannot be read at all is a break."""
    query = select(Entry).where(Entry.stream == stream, Entry.seq > after).order_by(Entry.seq)
    rows = session.scalars(query.execution_options(yield_per=500))
    try:
        for entry in rows:
            after = entry.seq
            yield entry
    except _UNREADABLE:
        # Rows are read in batches: look for the one that fails.
        yield from _one_by_one(session, stream, after)
    finally:
        rows.close()


_UNREADABLE = (ValueError, TypeError, DBAPIError)
"""Somebody wrote what no time, id or text can be read from."""


def _one_by_one(session: Session, stream: str, after: int) -> Iterator[Entry | Break]:
    numbers = select(Entry.seq).where(Entry.stream == stream, Entry.seq > after)
    for seq in session.scalars(numbers.order_by(Entry.seq)).all():
        try:
            yield session.scalars(
                select(Entry).where(Entry.stream == stream, Entry.seq == seq)
            ).one()
        except _UNREADABLE:
            yield Break(stream, seq, "it cannot be read: a time, an id or a text was changed")
            return


def read_heads(text: str) -> dict[str, Head]:
    """Heads as a poll or a checkpoint gives them: ``{stream: {"seq": …, "hash": …}}``."""
    try:
        data = json.loads(text)
        return {str(k): Head(int(v["seq"]), str(v["hash"])) for k, v in data.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        detail = 'A file of heads looks like {"provider:…": {"seq": 12, "hash": "…"}}.'
        raise Invalid([FieldError("", detail)]) from None


def _fault(entry: Entry, expected: int, prev: str) -> str | None:
    if entry.seq != expected:
        return "it stands where no entry can be"
    if entry.prev != prev:
        return "it does not follow the entry before it"
    try:
        if not _data_hold(entry):
            return "its data were changed"
        if entry_hash(entry) != entry.hash:
            return "it was changed"
    except (ValueError, TypeError, AttributeError):
        return "it was changed"
    return None if entry.id == entry_id(entry) else "its id was changed"


def _data_hold(entry: Entry) -> bool:
    """Whether data and salt fit the digest, or both are erased."""
    if entry.data is None or entry.salt is None:
        return entry.data is entry.salt
    salt = bytes.fromhex(entry.salt)
    digest = hashlib.sha256(salt + entry.data.encode()).hexdigest()
    return salt.hex() == entry.salt and digest == entry.digest


def entry_data(entry: Entry) -> dict[str, Any] | None:
    """An entry's data; None once erased."""
    if entry.data is None:
        return None
    data: dict[str, Any] = json.loads(entry.data)
    return data
