"""The ledger: every act appends entries to streams, each chained to the one before.

``hash = SHA-256(RFC 8785 of {stream, seq, type, at, actor, order, digest, prev})`` and
``digest = SHA-256(salt || RFC 8785 of data)``; ``order`` is the order's id or null, ``at`` is
RFC 3339 in UTC. An entry's id is a UUID of version 7 made of its moment and its hash, so that it
cannot be changed unnoticed either.

Data and salt can be erased when retention ends; the chain still holds. The same transaction then
appends an entry of the type ``erased`` to the same stream, whose data name the entries:
``{"seqs": [3, 4]}``. Data that are gone without such an entry are a break (``ledger_check``).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import rfc8785
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.models import Entry, Order, Stream
from liaison.models.base import insert_once, rows_of
from liaison.models.deeds import Deed, bare
from liaison.models.ledger import GENESIS, AnyEntry, EntryRow
from liaison.models.looks import Look
from liaison.services import webhooks

PORTAL = "portal"
ERASED = "erased"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Record:
    """An entry about to be written."""

    stream: str
    type: str
    actor: str
    data: Mapping[str, Any]
    order_id: UUID | None = None


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


def record(session: Session, now: datetime, *records: Record) -> list[EntryRow]:
    """Appends entries: the last write of a transaction, for it takes the streams' locks.

    Streams are locked in the order of their ids, so that two acts cannot wait for each other.
    """
    session.flush()
    return [_append(session, now, r) for r in sorted(records, key=lambda r: r.stream)]


class _Head(NamedTuple):
    """Where a stream ends. With it, whether anybody listens: most providers have no webhook, and
    each act would ask."""

    seq: int
    head: str
    heard: bool


_HEAD = Look(
    select(Stream.seq, Stream.head, webhooks.listens(bindparam("provider")).label("heard"))
    .where(Stream.id == bindparam("stream"))
    .with_for_update(of=Stream),
    _Head,
)
_MOVE = Deed(
    update(rows_of(Stream))
    .where(Stream.id == bindparam("stream"))
    .values(seq=bindparam("number"), head=bindparam("hash"))
)
_ENTER = Deed(insert(rows_of(Entry)), EntryRow._fields)


def _append(session: Session, now: datetime, r: Record) -> EntryRow:
    provider = webhooks.provider_of(r.stream)
    seq, prev, heard = _next(session, r.stream, provider)
    data = rfc8785.dumps(dict(r.data))
    salt = secrets.token_bytes(16)
    digest = hashlib.sha256(salt + data).hexdigest()
    told = data.decode(), salt.hex(), digest
    entry = EntryRow(r.stream, seq, r.type, now, r.actor, r.order_id, *told, prev)
    entry = entry._replace(hash=entry_hash(entry))
    entry = entry._replace(id=entry_id(entry))
    # Bare statements: an entry is written once and never touched again by this session.
    connection = bare(session)
    _ENTER.on(connection, entry._asdict())
    _MOVE.on(connection, {"stream": r.stream, "number": seq, "hash": entry.hash})
    if provider is not None and heard:
        webhooks.announce(session, provider, entry)
    return entry


def _next(session: Session, stream: str, provider: UUID | None) -> tuple[int, str, bool]:
    """The number of the next entry, the head before it, and whether a webhook is told of it.

    The stream is locked until the commit.
    """
    connection = bare(session)
    rows = _HEAD.within(connection, stream=stream, provider=provider)
    if not rows:
        insert_once(session, Stream, {"id": stream, "seq": 0, "head": GENESIS})
        rows = _HEAD.within(connection, stream=stream, provider=provider)
    return rows[0].seq + 1, rows[0].head, rows[0].heard


def entry_hash(entry: AnyEntry) -> str:
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


def entry_id(entry: AnyEntry) -> UUID:
    """The id an entry must have: milliseconds of its moment, then 74 bits of its hash."""
    moment = (entry.at - _EPOCH) // timedelta(milliseconds=1)
    bits = int(entry.hash[:32], 16) >> (128 - 74)
    number = moment << 80 | 7 << 76 | (bits >> 62) << 64 | 2 << 62 | bits & (1 << 62) - 1
    return UUID(int=number)


def erased_seqs(entry: Entry) -> set[int]:
    """The entries of its stream whose data an ``erased`` entry took; any other names none."""
    if entry.type != ERASED or entry.data is None:
        return set()
    try:
        return {seq for seq in json.loads(entry.data)["seqs"] if type(seq) is int}
    except (ValueError, TypeError, KeyError, RecursionError):
        return set()  # put in by hand


def entry_data(entry: Entry) -> dict[str, Any] | None:
    """An entry's data; None once erased."""
    if entry.data is None:
        return None
    data: dict[str, Any] = json.loads(entry.data)
    return data
