"""Whether the ledger holds: each stream's chain, and what its orders say must stand in it.

Whoever can write to the database can also cut a stream's newest entries off and move its head
back. Orders that still stand give that away (``ledger_orders``). Where they went too, or where no
order needs what was cut off, only a head that was noted elsewhere tells.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from liaison.errors import FieldError, Invalid
from liaison.models import Entry, Stream
from liaison.models.ledger import GENESIS
from liaison.services import ledger_orders
from liaison.services.ledger import entry_hash, entry_id, erased_seqs

_LOWEST = -(2**31)
"""Below every number a row can have: an entry put in before the first is read too."""


@dataclass(frozen=True)
class Break:
    """The first entry of a stream that does not hold, or an order whose entry is not there."""

    stream: str
    seq: int
    """0 where an order's entry is not there: nobody can say where it stood."""
    reason: str
    order: str | None = None
    """The ref of the order whose entry is not there; the id of one without a ref."""

    @property
    def place(self) -> str:
        """Where to look."""
        return f"order {self.order}" if self.order else f"entry {self.seq}"


@dataclass(frozen=True)
class Head:
    """The last entry of a stream as somebody noted it."""

    seq: int
    hash: str


def verify(
    session: Session, stream: str | None = None, noted: Mapping[str, Head] | None = None
) -> Iterator[Break | Stream]:
    """Walks each stream's chain; yields a ``Break`` for the first bad entry, else the stream.

    Where the chain holds, but orders lack entries, a ``Break`` for each of them instead.
    ``noted`` holds heads that somebody wrote down earlier: each must still stand, so that a
    history cut off or rewritten from its end is found too.
    """
    heads = noted or {}
    lacking = _lacking(session, stream)
    wanted = select(Stream).order_by(Stream.id)
    if stream is not None:
        wanted = wanted.where(Stream.id == stream)
    found = session.scalars(wanted).all()
    for row in found:
        absent = lacking.pop(row.id, [])
        broken = _walk(session, row, heads.get(row.id))
        if broken:
            yield broken
        elif absent:
            yield from absent
        else:
            yield row
    yield from _without_stream(session, stream)
    for name in [*heads, *([stream] if stream else [])]:
        if name not in {row.id for row in found}:
            yield Break(name, 0, "there is no such stream")
    for absent in lacking.values():
        yield from absent


def _lacking(session: Session, stream: str | None) -> dict[str, list[Break]]:
    """By stream, the orders whose entries are not there."""
    lacking: dict[str, list[Break]] = {}
    for one in ledger_orders.missing(session):
        if stream in (None, one.stream):
            broken = Break(one.stream, 0, one.reason, one.order)
            lacking.setdefault(one.stream, []).append(broken)
    return lacking


def _without_stream(session: Session, stream: str | None) -> Iterator[Break]:
    orphans = select(Entry.stream).where(Entry.stream.not_in(select(Stream.id))).distinct()
    for name in session.scalars(orphans.order_by(Entry.stream)).all():
        if stream in (None, name):
            yield Break(name, 1, "the stream it belongs to was removed")


def _walk(session: Session, stream: Stream, noted: Head | None) -> Break | None:
    after, prev = _LOWEST, GENESIS
    expected = 1
    emptied: set[int] = set()
    while True:
        begun = expected
        with closing(_entries(session, stream.id, after)) as entries:
            for entry in entries:
                found = _break(stream.id, entry, expected, prev, noted)
                if found:
                    return found
                assert isinstance(entry, Entry)
                after, prev, expected = entry.seq, entry.hash, expected + 1
                # Only what was emptied before it: an erasure announces nothing.
                emptied -= erased_seqs(entry)
                if entry.data is None:
                    emptied.add(entry.seq)
                session.expunge(entry)
        # Acts go on while we read: the head is read after its entries, and what came meanwhile
        # is walked too.
        session.refresh(stream)
        if stream.seq < expected or expected == begun:
            break
    return _at_the_end(stream, expected, prev, noted) or _unaccounted(stream, emptied)


def _at_the_end(stream: Stream, expected: int, prev: str, noted: Head | None) -> Break | None:
    if stream.seq < expected - 1:
        return Break(stream.id, stream.seq + 1, "it stands behind the stream's head")
    if stream.seq >= expected:
        return Break(stream.id, expected, "it is missing, and the stream's head knows it")
    if stream.head != prev:
        return Break(stream.id, stream.seq, "the stream's head has another hash")
    if noted and noted.seq >= expected:
        return Break(stream.id, expected, f"the head that was noted is entry {noted.seq}")
    return None


def _unaccounted(stream: Stream, emptied: set[int]) -> Break | None:
    if not emptied:
        return None
    reason = "its data are gone, and no later entry says that they were erased"
    return Break(stream.id, min(emptied), reason)


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


def read_heads(text: str, stream: str | None = None) -> dict[str, Head]:
    """Heads as a checkpoint gives them: ``{stream: {"seq": …, "hash": …}}``.

    With ``stream`` also the bare head of that stream, as a poll gives it.
    """
    try:
        data = json.loads(text)
        if stream is not None and "seq" in data:
            data = {stream: data}
        return {str(k): Head(int(v["seq"]), str(v["hash"])) for k, v in data.items()}
    except (ValueError, TypeError, KeyError, AttributeError):
        detail = (
            'A file of heads looks like {"provider:…": {"seq": 12, "hash": "…"}}; '
            "with --stream also like the head of a poll."
        )
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
