"""The chain of a stream, followed entry by entry: nobody rewrites what was read once.

``digest = SHA-256(salt || RFC 8785 of data)``,
``hash = SHA-256(RFC 8785 of {stream, seq, type, at, actor, order, digest, prev})``, and an entry's
id is a UUID of version 7 made of its moment and its hash. Data and salt are null once erased; then
a later entry of the type ``erased`` names them: ``{"seqs": [3, 4]}``.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

from liaison.client.canonical import NotCanonical, canonical
from liaison.client.errors import Fault, HistoryBroken
from liaison.client.shapes import Entry, Head, Page

ERASED = "erased"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Chain:
    """Checks each page of one stream against all that was read before.

    ``place`` is the last entry read, ``known`` the end of the stream as it was told last: both may
    come from an earlier run. Ends that were told before hold as well, until they are reached. A
    page either holds as a whole, or raises ``HistoryBroken`` and changes nothing here. The first
    page must begin with the entry at ``place`` itself (``ask`` says from where to ask), to see that
    it still is what it was.
    """

    def __init__(self, stream: str, place: Head | None = None, known: Head | None = None) -> None:
        self.stream = stream
        self.place = place or Head()
        self.known = max(self.place, known or Head(), key=lambda head: head.seq)
        self._told = {head.seq: head.hash for head in (self.known, self.place)}
        self._seen = self.place.seq == 0
        self._emptied: set[int] = set()

    @property
    def ask(self) -> int:
        """Where the next page must begin: ``after`` of the request."""
        return self.place.seq if self._seen else self.place.seq - 1

    @property
    def is_at_end(self) -> bool:
        """Whether all was read that was told of."""
        return self._seen and self.place.seq >= self.known.seq

    def read(self, page: Page) -> tuple[Entry, ...]:
        """The page's new entries, once the whole of it was found to hold."""
        self._is_not_shorter(page.head)
        entries = page.entries
        last = self.place if self._seen else None
        for number, entry in enumerate(entries):
            self._in_place(entries, number, self.ask + 1 + number)
            _holds(self.stream, entry)
            self._follows(entry, last, page.head)
            last = entry.place
        self._nothing_lacks(page, last)
        self._erased_are_named(page)
        new = entries if self._seen else entries[1:]
        self.place, self.known, self._seen = last or self.place, page.head, True
        self._told[page.head.seq] = page.head.hash
        self._told = {seq: hash_ for seq, hash_ in self._told.items() if seq >= self.place.seq}
        return new

    def _is_not_shorter(self, head: Head) -> None:
        if head.seq < self.known.seq:
            raise HistoryBroken(
                Fault.SHORTER,
                head.seq + 1,
                f"entry {head.seq + 1} is gone: the stream ends at {head.seq}, and it had "
                f"{self.known.seq} entries before",
            )

    def _in_place(self, entries: tuple[Entry, ...], number: int, wanted: int) -> None:
        found = entries[number].seq
        if found == wanted:
            return
        if found < wanted or any(entry.seq == wanted for entry in entries[number:]):
            raise HistoryBroken(
                Fault.SWAPPED,
                wanted,
                f"entry {wanted} is not in its place: entry {found} stands there",
            )
        raise _missing(wanted, f"after entry {wanted - 1} comes entry {found}")

    def _follows(self, entry: Entry, last: Head | None, head: Head) -> None:
        if self._told.get(entry.seq, entry.hash) != entry.hash:
            raise _rewritten(entry.seq)
        if entry.seq == head.seq and entry.hash != head.hash:
            raise _rewritten(entry.seq)
        if last is not None and entry.prev != last.hash:
            raise HistoryBroken(
                Fault.REWRITTEN,
                entry.seq,
                f"entry {entry.seq} does not follow entry {last.seq} as it was read: one of the "
                "two was changed, and its hash with it",
            )

    def _nothing_lacks(self, page: Page, last: Head | None) -> None:
        if page.head.seq == self.known.seq and page.head.hash != self.known.hash:
            raise _rewritten(page.head.seq)
        reached = last.seq if last else self.ask
        if not page.entries and page.head.seq > reached:
            raise _missing(reached + 1, f"the stream goes on to {page.head.seq}")
        if reached > page.head.seq:
            wrong = page.head.seq + 1
            text = f"entry {wrong} stands behind the end that was told, {page.head.seq}"
            raise HistoryBroken(Fault.REWRITTEN, wrong, text)

    def _erased_are_named(self, page: Page) -> None:
        """Data that are gone must be named by a later entry, once the end was seen after them."""
        named = {seq for entry in page.entries for seq in _names(entry)}
        left = self._emptied - named
        at_end = not page.entries or page.entries[-1].seq == page.head.seq
        if left and at_end:
            seq = min(left)
            text = f"the data of entry {seq} are gone, and no later entry says they were erased"
            raise HistoryBroken(Fault.CHANGED, seq, text)
        self._emptied = left | {e.seq for e in page.entries if e.data is None} - named


def _holds(stream: str, entry: Entry) -> None:
    """An entry by itself: its data, its fields, its id."""
    if (entry.data is None) is not (entry.salt is None):
        raise _changed(entry, "of its data and their salt one is gone")
    try:
        if entry.data is not None and _digest(entry) != entry.digest:
            raise _changed(entry, "its data are not those that were recorded")
        if entry_hash(stream, entry) != entry.hash:
            raise _changed(entry, "its type, time, actor, order or place was changed")
    except NotCanonical as error:
        raise _changed(entry, str(error)) from None
    if _id(entry) != entry.id:
        raise _changed(entry, "its id is not its own")


def _digest(entry: Entry) -> str:
    try:
        salt = bytes.fromhex(entry.salt or "")
    except ValueError:
        return ""
    return hashlib.sha256(salt + canonical(entry.data)).hexdigest()


def entry_hash(stream: str, entry: Entry) -> str:
    """The hash an entry must have in this stream."""
    told = {
        "stream": stream,
        "seq": entry.seq,
        "type": entry.type,
        "at": entry.at,
        "actor": entry.actor,
        "order": entry.order.id if entry.order else None,
        "digest": entry.digest,
        "prev": entry.prev,
    }
    return hashlib.sha256(canonical(told)).hexdigest()


def _id(entry: Entry) -> str:
    """The id it must have: milliseconds of its moment, then 74 bits of its hash."""
    try:
        moment = (datetime.fromisoformat(entry.at) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, TypeError):
        return ""
    bits = int(entry.hash[:32], 16) >> (128 - 74)
    number = moment << 80 | 7 << 76 | (bits >> 62) << 64 | 2 << 62 | bits & (1 << 62) - 1
    return str(UUID(int=number)) if 0 <= number < 1 << 128 else ""


def _names(entry: Entry) -> set[int]:
    """The entries whose data an ``erased`` entry took; any other names none."""
    if entry.type != ERASED or entry.data is None:
        return set()
    seqs = entry.data.get("seqs")
    return {seq for seq in seqs if type(seq) is int} if isinstance(seqs, list) else set()


def _changed(entry: Entry, what: str) -> HistoryBroken:
    return HistoryBroken(Fault.CHANGED, entry.seq, f"entry {entry.seq} was changed: {what}")


def _missing(seq: int, why: str) -> HistoryBroken:
    return HistoryBroken(Fault.DROPPED, seq, f"entry {seq} is missing: {why}")


def _rewritten(seq: int) -> HistoryBroken:
    return HistoryBroken(
        Fault.REWRITTEN,
        seq,
        f"entry {seq} is not the one that stood there before: it or one before it was rewritten",
    )
