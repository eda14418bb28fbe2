"""A stream as the portal writes it, and a portal that tells it: what the client is tried on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import rfc8785

from liaison.client import Time
from liaison.models import Entry
from liaison.models.ledger import GENESIS
from liaison.services.ledger import entry_hash, entry_id

PROVIDER = "01930000-0000-7000-8000-000000000001"
STREAM = f"provider:{PROVIDER}"
ORDER = "01930000-0000-7000-8000-0000000000aa"
BEGAN = datetime(2026, 11, 23, 12, tzinfo=UTC)
KEY = "lsn_for-the-tests"

Json = dict[str, Any]


def written(count: int, *, word: str = "first") -> list[Json]:
    """So many entries, chained, with texts of several scripts in their data."""
    told: list[Json] = []
    for seq in range(1, count + 1):
        told.append(entry(seq, told[-1]["hash"] if told else GENESIS, {"n": seq, "é😀": word}))
    return told


def entry(seq: int, prev: str, data: Any, type_: str = "order.message") -> Json:
    """One entry, hashed by the server's own code."""
    salt, body = bytes([seq]) * 16, rfc8785.dumps(data)
    row = Entry(stream=STREAM, seq=seq, type=type_, at=BEGAN + timedelta(seconds=seq), actor="p:1")
    row.order_id = None
    row.digest, row.prev = hashlib.sha256(salt + body).hexdigest(), prev
    row.hash = entry_hash(row)
    return {
        "seq": seq,
        "id": str(entry_id(row)),
        "type": type_,
        "at": f"2026-11-23T12:00:{seq:02}Z",
        "actor": "p:1",
        "order": None,
        "data": data,
        "salt": salt.hex(),
        "digest": row.digest,
        "prev": prev,
        "hash": row.hash,
    }


@dataclass
class Portal:
    """Tells ``entries``; ``head`` and ``answers`` are told instead of the truth where they are set.

    ``asked`` has every request; a function in ``first`` answers one before all else.
    """

    entries: list[Json]
    head: Json | None = None
    first: list[Callable[[httpx.Request], httpx.Response]] = field(default_factory=list)
    asked: list[httpx.Request] = field(default_factory=list)
    interval: str = "30"
    retry_after: str = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if self.first:
            return self.first.pop(0)(request)
        if request.url.path.endswith("/api/v1/whoami"):
            return httpx.Response(200, json=whoami())
        return self._page(request)

    @property
    def pages(self) -> list[httpx.Request]:
        return [request for request in self.asked if request.url.path.endswith("/events")]

    def _page(self, request: httpx.Request) -> httpx.Response:
        after, limit = (int(request.url.params[name]) for name in ("after", "limit"))
        found = [e for e in self.entries if e["seq"] > after][:limit]
        last = self.entries[-1] if self.entries else {"seq": 0, "hash": GENESIS}
        head = self.head or {"seq": last["seq"], "hash": last["hash"]}
        reached = found[-1]["seq"] if found else after
        told = {"events": found, "next": reached, "more": reached < head["seq"], "head": head}
        etag = f'"{hashlib.sha256(json.dumps([told, after, limit]).encode()).hexdigest()}"'
        headers = {"ETag": etag, "X-Poll-Interval": self.interval}
        if self.retry_after:
            headers["Retry-After"] = self.retry_after
        if request.headers.get("If-None-Match") == etag:
            return httpx.Response(304, headers=headers)
        return httpx.Response(200, json=told, headers=headers)


def whoami() -> Json:
    return {
        "provider": {"id": PROVIDER, "name": "Meridian Telecom"},
        "key": {"id": PROVIDER, "name": "Poller", "prefix": "lsn_for"},
        "scopes": ["read", "respond"],
        "expires_at": None,
    }


class Clock:
    """Time that passes in sleeps only."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def time(self) -> Time:
        return Time(self.sleep, lambda: self.now, lambda: self.now, lambda: 1.0)


def erased(told: list[Json], *seqs: int) -> Iterator[Json]:
    """The stream after the data of these were erased, and with the entry that says so."""
    for found in told:
        gone = {"data": None, "salt": None} if found["seq"] in seqs else {}
        yield found | gone
    yield entry(len(told) + 1, told[-1]["hash"], {"seqs": list(seqs)}, "erased")
