"""The portal's JSON endpoint for a provider's program: reads, acts, and follows the stream."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from importlib import metadata
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from liaison.client import shapes
from liaison.client.acts import Acts, OrderLike
from liaison.client.exchange import Answer, Exchange, base_url
from liaison.client.following import Follower, interval
from liaison.client.hooks import Hooks
from liaison.client.patience import Time
from liaison.client.shapes import Entry, Head, Identity, Order, Page

PATIENCE = 60.0
"""Seconds for one call, tries and pauses together."""
READ = 15.0
"""Seconds without a byte after which a connection is given up; a long poll's wait comes on top."""


def version() -> str:
    """Of this client."""
    try:
        return metadata.version("liaison")
    except metadata.PackageNotFoundError:
        return "0"


def key_here(file: Path | None = None) -> str:
    """The key from this file, that of ``LIAISON_KEY_FILE``, or ``LIAISON_KEY``."""
    named = os.environ.get("LIAISON_KEY_FILE")
    if file is None and named:
        file = Path(named)
    key = os.environ.get("LIAISON_KEY", "") if file is None else file.read_text(encoding="utf-8")
    if not key.strip():
        raise ValueError("set LIAISON_KEY, or name a file with LIAISON_KEY_FILE")
    return key


class Client(Acts, Hooks):
    """One provider's key at one portal. Not for several threads at once.

    ``url`` is the portal's address (``https://liaison.example``); plain http is refused but to this
    machine, unless ``plain_http``. Every call may raise ``Problem`` (the portal refused),
    ``Unreachable`` (no answer in ``patience`` seconds) or ``Unreadable``; lost connections, 429 and
    5xx were tried again by then. Each act bears an ``Idempotency-Key``: one is made where none is
    given. Give one of your own, made of what you act on (``f"ack-{entry.id}"``), and the act is
    done once even where your program ends in the middle and begins anew. ``tell`` is called with a
    line for people when the first try of a call fails and more follow.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        patience: float = PATIENCE,
        plain_http: bool = False,
        transport: httpx.BaseTransport | None = None,
        time: Time | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        key = key.strip()
        if not key or not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("that is no key: it begins with lsn_ and has no spaces")
        self.time = time or Time()
        self._http = httpx.Client(
            base_url=base_url(url, plain_http=plain_http),
            headers={
                "Authorization": f"Bearer {key}",
                "Accept": "application/json",
                "User-Agent": f"liaison-client/{version()}",
            },
            transport=transport,
            mounts={"all://localhost": None, "all://127.0.0.1": None, "all://[::1]": None},
        )
        self._exchange = Exchange(self._http, patience, self.time, tell)
        self._kept: tuple[tuple[int, int], str, Page] | None = None

    @classmethod
    def from_environment(cls, **options: Any) -> Self:
        """With ``LIAISON_URL``, and ``LIAISON_KEY`` or the file that ``LIAISON_KEY_FILE`` names."""
        url = os.environ.get("LIAISON_URL", "")
        if not url:
            raise ValueError("set LIAISON_URL to the portal's address")
        return cls(url, key_here(), **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Gives the connection back."""
        self._http.close()

    # Reading

    def whoami(self) -> Identity:
        """Whose key this is, and what it may do."""
        return shapes.identity(self._get("/whoami").json())

    def events(self, after: int = 0, *, limit: int = 100, wait: int = 0) -> Page:
        """A page of the stream, as it is told: ``stream`` checks it too.

        ``limit`` 1 to 500; ``wait`` 0 to 25 seconds for something new. While there is nothing new,
        no body is sent. A page with entries is never taken from memory: whoever asks for it again
        wants to see whether it still is what it was.
        """
        kept = self._kept if self._kept and self._kept[0] == (after, limit) else None
        answer = self._get(
            "/events",
            {"after": after, "limit": limit, "wait": wait},
            headers={"If-None-Match": kept[1]} if kept else {},
            read=READ + wait,
        )
        pause = interval(answer.headers, self.time.wall, waited=wait > 0)
        if answer.status == HTTPStatus.NOT_MODIFIED and kept:
            return replace(kept[2], interval=pause)
        page = shapes.page(answer.json(), pause)
        etag = answer.headers.get("ETag", "")
        # One that is not ASCII is none of ours, and could not be sent back.
        keeps = etag and etag.isascii() and not page.entries
        self._kept = ((after, limit), etag, page) if keeps else None
        return page

    def follow(self, place: Head | None = None, known: Head | None = None) -> Follower:
        """The stream page by page from ``place`` on, each checked: see ``stream``."""
        return Follower(self, self.whoami().stream, place, known)

    def stream(
        self, place: Head | None = None, known: Head | None = None, *, once: bool = False
    ) -> Iterator[Entry]:
        """The entries after ``place``, each once, in sequence, checked; it waits for new ones.

        ``place``: the ``entry.place`` you kept of the last one you handled; ``known``: the end of
        the stream as you noted it (``page.head``), if you did. First it is checked that the
        history still has both. ``once``: ends where the stream ends. Raises ``HistoryBroken``
        where an entry was changed, dropped, swapped, or the past rewritten: none of that page is
        given out.
        """
        follower = self.follow(place, known)
        while not (once and follower.chain.is_at_end and follower.polls):
            yield from follower.page(wait=0 if once else 25)

    def orders(
        self, *, state: str | None = None, urgency: str | None = None, limit: int = 50
    ) -> Iterator[Order]:
        """All orders served on you, oldest first; ``limit`` at most in one answer."""
        after: str | None = None
        while True:
            query = {"state": state, "urgency": urgency, "after": after, "limit": limit}
            told = self._get("/orders", {k: v for k, v in query.items() if v is not None}).json()
            yield from (shapes.order(view) for view in shapes.listed(told, "orders"))
            after = told.get("next")
            if not isinstance(after, str):
                return

    def order(self, order: OrderLike) -> Order:
        """One order. The first fetch is noted: the contact point sees that you have it."""
        return shapes.order(self._get(_path(order)).json())

    def attachment(self, order: OrderLike, attachment: str) -> bytes:
        """A file of the thread, at most 10 MB. Compare with its ``sha256`` in the thread."""
        return self._get(f"{_path(order)}/attachments/{quote(attachment, safe='')}").body

    def signed_order(self, order: OrderLike) -> str:
        """The order as it was served, a JWS in compact form: keep it, it proves what was asked."""
        return self._get(f"{_path(order)}/order.jws").body.decode("ascii")

    def order_pdf(self, order: OrderLike) -> bytes:
        """The same set for people, with the signed order attached."""
        return self._get(f"{_path(order)}/order.pdf").body

    # How

    def _get(
        self,
        path: str,
        query: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        read: float = READ,
    ) -> Answer:
        return self._exchange.send("GET", path, params=query, headers=headers or {}, read=read)

    def _act(self, order: OrderLike, act: str, how: Mapping[str, Any], **fields: Any) -> Order:
        unknown = set(how) - {"idempotency_key", "if_version"}
        if unknown:
            raise TypeError(f"unknown: {', '.join(sorted(unknown))}")
        answer = self._post(
            f"{_path(order)}/{act}", fields, how.get("idempotency_key"), how.get("if_version")
        )
        return shapes.order(answer.json())

    def _webhook(
        self, verb: str, path: str, fields: Mapping[str, Any] | None = None, key: str | None = None
    ) -> Any:
        place = f"/webhooks{path}"
        if verb == "POST":
            return self._post(place, fields or {}, key).json()
        if verb == "GET":
            return self._get(place).json()
        return self._exchange.send(verb, place, read=READ, headers={})

    def _post(
        self,
        path: str,
        fields: Mapping[str, Any],
        key: str | None = None,
        if_version: int | None = None,
    ) -> Answer:
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": key or str(uuid.uuid4()),
        }
        if if_version is not None:
            headers["If-Match"] = f'"{if_version}"'
        told = {name: value for name, value in fields.items() if value is not None}
        body = json.dumps(told, default=_moment).encode()
        return self._exchange.send("POST", path, content=body, headers=headers, read=60.0)


def _path(order: OrderLike) -> str:
    name = order.id if isinstance(order, Order) else order
    if not name or name in (".", ".."):
        raise ValueError("which order?")
    return f"/orders/{quote(name, safe='')}"


def _moment(value: object) -> str:
    if not isinstance(value, datetime):
        raise TypeError(f"{value!r} has no place in a request")
    if value.tzinfo is None:
        raise ValueError(f"{value} has no time zone")
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
