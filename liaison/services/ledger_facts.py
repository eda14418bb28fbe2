"""What stands beside orders, held against the ledger: rows, texts and files.

Each act that adds a row appends its entry in the same transaction, and neither is ever taken
away. So the two are as many, and say the same. Texts are compared here and not in the database:
one entry that somebody filled with anything must not stop the whole look.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all
from sqlalchemy.orm import Session

from liaison.models import (
    Attachment,
    Blob,
    Doubt,
    Entry,
    Extension,
    FollowUp,
    Order,
    OrderNote,
    Report,
    Route,
    ThreadMessage,
    Vouch,
)
from liaison.services.ledger import authority_stream, provider_stream

VOIDED = "order.vouch_voided"


@dataclass(frozen=True)
class Fault:
    """Rows of an order that its entries do not bear out; ``shared``: of the provider's stream."""

    order_id: UUID
    shared: bool
    reason: str


@dataclass(frozen=True)
class _Kind:
    """Rows of one table, and the entries that came with them."""

    word: str
    rows: Select[UUID, int]
    """Order and number of its rows."""
    types: tuple[str, ...]
    shared: bool = True


def _rows(table: Any, *only: ColumnElement[bool]) -> Select[UUID, int]:
    return select(table.order_id, func.count()).where(*only).group_by(table.order_id)


_VOUCHES = (
    select(Doubt.order_id, func.count())
    .join(Vouch, Vouch.doubt_id == Doubt.id)
    .group_by(Doubt.order_id)
)

_KINDS = (
    _Kind("messages", _rows(ThreadMessage), ("order.message",)),
    _Kind("notes", _rows(OrderNote), ("order.noted",), shared=False),
    _Kind("doubts", _rows(Doubt), ("order.doubted",)),
    _Kind("vouches", _VOUCHES, ("order.vouched",)),
    _Kind("other providers named", _rows(Route), ("order.route_reported",)),
    _Kind("reports", _rows(Report), ("order.preserved", "order.preservation_amended")),
    _Kind("extensions asked for", _rows(Extension), ("order.extension_requested",)),
    _Kind(
        "extensions confirmed",
        _rows(Extension, Extension.confirmed_at.is_not(None)),
        ("order.extended",),
    ),
    _Kind("requests that followed", _rows(FollowUp), ("order.mla_recorded",)),
)


def faults(session: Session) -> Iterator[Fault]:
    """First where the numbers differ, then where texts and files do."""
    yield from _miscounted(session)
    yield from _changed(session)
    yield from _files(session)


def _miscounted(session: Session) -> Iterator[Fault]:
    rows = union_all(
        *(
            select(literal(number), found.c[0], found.c[1])
            for number, kind in enumerate(_KINDS)
            for found in [kind.rows.subquery()]
        )
    )
    have = {(number, order_id): count for number, order_id, count in session.execute(rows)}
    told = _told(session)
    for number, order_id in sorted(have.keys() | told.keys()):
        kind = _KINDS[number]
        there, said = have.get((number, order_id), 0), told.get((number, order_id), 0)
        if there > said:
            reason = f"of its {there} {kind.word} only {max(said, 0)} stand in the ledger"
            yield Fault(order_id, kind.shared, reason)
        elif there < said:
            reason = f"of its {said} {kind.word} in the ledger only {there} are there"
            yield Fault(order_id, kind.shared, reason)


def _told(session: Session) -> Counter[tuple[int, UUID]]:
    """How many rows an order's entries tell of, by kind.

    A vouch that counts no more is gone, and has two entries: whose it was, and that it is gone.
    """
    number_of = {t: number for number, kind in enumerate(_KINDS) for t in kind.types}
    vouched = number_of["order.vouched"]
    home = (Order.provider_id, Order.authority_id)
    entries = (
        select(Entry.type, Entry.order_id, Entry.stream, *home, func.count())
        .join(Order, Order.id == Entry.order_id)
        .where(Entry.type.in_([*number_of, VOIDED]))
        .group_by(Entry.type, Entry.order_id, Entry.stream, *home)
    )
    told: Counter[tuple[int, UUID]] = Counter()
    for type_, order_id, stream, provider_id, authority_id, count in session.execute(entries):
        assert order_id is not None
        number = vouched if type_ == VOIDED else number_of[type_]
        shared = type_ != VOIDED and _KINDS[number].shared
        # In the stream of its side only: no entry elsewhere makes up for one.
        if stream == (provider_stream(provider_id) if shared else authority_stream(authority_id)):
            told[number, order_id] += -2 * count if type_ == VOIDED else count
    return told


# What they say


def _changed(session: Session) -> Iterator[Fault]:
    """Messages, notes and names of other providers that are not what their entries say."""
    rows: dict[str, Counter[tuple[UUID, bytes]]] = {
        "order.message": Counter(_messages(session)),
        "order.noted": Counter(
            (order_id, _mark(text))
            for order_id, text in session.execute(select(OrderNote.order_id, OrderNote.text))
        ),
        "order.route_reported": Counter(
            (order_id, _mark(named, path))
            for order_id, named, path in session.execute(
                select(Route.order_id, Route.named, Route.path)
            )
        ),
    }
    erased: set[tuple[str, UUID]] = set()
    entries = select(Entry.type, Entry.order_id, Entry.data).where(
        Entry.type.in_(list(rows)), Entry.order_id.is_not(None)
    )
    for type_, order_id, data in session.execute(entries.execution_options(yield_per=500)):
        assert order_id is not None
        if data is None:
            erased.add((type_, order_id))
        else:
            rows[type_][order_id, _said(type_, data)] -= 1
    for type_, word in _WORDS.items():
        changed = {order for (order, _), left in rows[type_].items() if left > 0}
        for order_id in sorted(changed):
            if (type_, order_id) not in erased:
                reason = f"{word} is not what its {type_} says"
                yield Fault(order_id, type_ != "order.noted", reason)


_WORDS = {
    "order.message": "a message, or a file beside it,",
    "order.noted": "a note",
    "order.route_reported": "another provider that was named",
}


def _messages(session: Session) -> Iterator[tuple[UUID, bytes]]:
    files: dict[UUID, list[str]] = {}
    beside = select(Attachment.message_id, Attachment.sha256).order_by(Attachment.position)
    for message_id, sha256 in session.execute(beside):
        files.setdefault(message_id, []).append(sha256)
    found = select(ThreadMessage.order_id, ThreadMessage.id, ThreadMessage.side, ThreadMessage.text)
    for order_id, id_, side, text in session.execute(found.execution_options(yield_per=500)):
        yield order_id, _mark(str(id_), side, text, *files.get(id_, []))


def _said(type_: str, data: str) -> bytes:
    """The mark a row must have to say what its entry says."""
    try:
        told = json.loads(data)
        if type_ == "order.message":
            files = [file["sha256"] for file in told.get("attachments", [])]
            return _mark(told["id"], told["side"], told["text"], *files)
        if type_ == "order.noted":
            return _mark(told["text"])
        return _mark(told["provider"], told["path"])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return b""  # filled by hand: no row says this


def _mark(*parts: object) -> bytes:
    return hashlib.sha256(json.dumps(parts).encode()).digest()


def _files(session: Session) -> Iterator[Fault]:
    """Orders beside which a file lies whose bytes are others than its name says."""
    stored = select(Blob.sha256, Blob.content).execution_options(yield_per=1)
    changed = [
        name
        for name, content in session.execute(stored)
        if hashlib.sha256(content).hexdigest() != name
    ]
    if not changed:
        return
    # One is enough to call somebody.
    orders = (
        select(ThreadMessage.order_id, func.min(Attachment.sha256))
        .join(Attachment, Attachment.message_id == ThreadMessage.id)
        .where(Attachment.sha256.in_(changed[:500]))
        .group_by(ThreadMessage.order_id)
        .order_by(ThreadMessage.order_id)
    )
    for order_id, sha256 in session.execute(orders).all():
        yield Fault(order_id, True, f"the bytes of its file {sha256[:12]}… were changed")


def places(session: Session, found: list[Fault]) -> dict[UUID, tuple[str | None, UUID, UUID]]:
    """Ref, provider and authority of the orders with a fault."""
    ids = {fault.order_id for fault in found}
    rows = select(Order.id, Order.ref, Order.provider_id, Order.authority_id)
    return {
        id_: (ref, provider_id, authority_id)
        for id_, ref, provider_id, authority_id in session.execute(rows)
        if id_ in ids
    }
