"""Requests of keys as they are collected in memory, alike ones together, until they are written.

A poll that finds nothing comes again and again: an hour of them is one row. Anything else is as
much one row as it comes within a minute. Nobody's requests take more room than there is.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from uuid import UUID

from liaison.models.base import new_id
from liaison.services.key_log import Alike, Noted

POLLED, ELSE = timedelta(hours=1), timedelta(minutes=1)
"""How long requests that are alike are one row: those that only look, and all others."""
OWN = 100
"""Rows of one key under way at a time. What comes beyond is told less exactly, and counted."""
MOST = 2_000
"""Rows of all keys that wait to be written; beyond it the oldest are lost."""
BATCH = 500
"""Rows handed over at a time."""

_LOOKS = frozenset({"GET", "HEAD"})


@dataclass
class _Row:
    """One row under way; ``written`` is how many requests of it the database knows of."""

    id: UUID
    alike: Alike
    first_at: datetime
    last_at: datetime
    request_id: str
    count: int = 1
    written: int = 0

    @property
    def is_calm(self) -> bool:
        """Somebody looked, and all was well: it need not be told at once."""
        return self.alike.problem is None and self.alike.method in _LOOKS

    def is_over(self, now: datetime) -> bool:
        """Whether what comes now is another row."""
        polled = self.is_calm and self.alike.order_name is None
        return abs(now - self.first_at) >= (POLLED if polled else ELSE)

    @property
    def is_written(self) -> bool:
        return self.written == self.count

    def as_it_stands(self) -> Noted:
        """What the database is to know."""
        return Noted(self.id, self.alike, self.first_at, self.last_at, self.count, self.request_id)


class Notes:
    """What one process has collected. Any thread may call."""

    def __init__(self) -> None:
        self._open: dict[Alike, _Row] = {}
        self._over: deque[_Row] = deque()
        self._own: Counter[UUID] = Counter()
        self._lost = 0
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._open) + len(self._over)

    def note(self, alike: Alike, request_id: str, now: datetime) -> None:
        """One request that was answered."""
        with self._lock:
            row = self._open.get(alike)
            if row is None and self._own[alike.api_key_id] >= OWN:
                alike = alike._replace(order_name=None, pointers=(), address="")
                row = self._open.get(alike)
            if row is not None and not row.is_over(now):
                row.count += 1
                row.last_at, row.request_id = max(row.last_at, now), request_id
                return
            if row is not None:
                self._close(row)
            self._make_room()
            self._open[alike] = _Row(new_id(), alike, now, now, request_id)
            self._own[alike.api_key_id] += 1

    def due(self, *, everything: bool) -> list[Noted]:
        """What is to be written, the oldest first; but for ``everything`` not who only looked."""
        with self._lock:
            rows = [*self._over, *self._open.values()]
            due = [r for r in rows if not r.is_written and (everything or not r.is_calm)]
            return [row.as_it_stands() for row in due[:BATCH]]

    def settle(self, written: Iterable[Noted], now: datetime) -> None:
        """The database knows of these; what is over and known is forgotten."""
        known = {noted.id: noted.count for noted in written}
        with self._lock:
            for row in (*self._over, *self._open.values()):
                row.written = known.get(row.id, row.written)
            self._over = deque(row for row in self._over if not row.is_written)
            for row in list(self._open.values()):
                if row.is_written and row.is_over(now):
                    self._forget(row)

    def lost(self) -> int:
        """How many requests were lost since this was asked last."""
        with self._lock:
            lost, self._lost = self._lost, 0
        return lost

    def _close(self, row: _Row) -> None:
        self._forget(row)
        if not row.is_written:
            self._over.append(row)

    def _forget(self, row: _Row) -> None:
        del self._open[row.alike]
        self._own[row.alike.api_key_id] -= 1
        if not self._own[row.alike.api_key_id]:
            del self._own[row.alike.api_key_id]

    def _make_room(self) -> None:
        while len(self) >= MOST:
            if self._over:
                row = self._over.popleft()
            else:
                row = next(iter(self._open.values()))
                self._forget(row)
            self._lost += row.count - row.written
