"""What the endpoint gives, read strictly: an answer of another shape is ``Unreadable``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from liaison.client.errors import Unreadable

GENESIS = "0" * 64
"""The hash before the first entry of a stream."""

_PLAIN = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{0,500}")


@dataclass(frozen=True)
class Head:
    """A place in a stream: the number of an entry, and its hash. What a program keeps."""

    seq: int = 0
    hash: str = GENESIS


TYPES = frozenset(
    {
        "erased",
        "order.acknowledged",
        "order.declined",
        "order.disposed",
        "order.doubted",
        "order.escalated",
        "order.expired",
        "order.extended",
        "order.extension_requested",
        "order.fetched",
        "order.issued",
        "order.message",
        "order.mla_recorded",
        "order.preservation_amended",
        "order.preserved",
        "order.ratification_overdue",
        "order.ratified",
        "order.released",
        "order.route_reported",
        "order.vouched",
        "order.withdrawn",
    }
)
"""The types of entry that there were when this version was made; more may come."""


@dataclass(frozen=True)
class OrderName:
    """Which order an entry is about. The chain covers ``id``; ``ref`` is for people."""

    id: str
    ref: str | None


@dataclass(frozen=True)
class Entry:
    """One entry of the stream, as it came. ``at`` is RFC 3339 in UTC, the text that was hashed."""

    seq: int
    id: str
    type: str
    at: str
    actor: str
    order: OrderName | None
    data: dict[str, Any] | None
    """None once erased."""
    salt: str | None
    digest: str
    prev: str
    hash: str

    @property
    def place(self) -> Head:
        """Where this entry stands: keep it, and go on from it."""
        return Head(self.seq, self.hash)

    def as_json(self) -> dict[str, Any]:
        """The entry as the endpoint gave it."""
        order = self.order and {"id": self.order.id, "ref": self.order.ref}
        return {**vars(self), "order": order}


@dataclass(frozen=True)
class Page:
    """Some entries, where the stream ends, and in how many seconds to ask again."""

    entries: tuple[Entry, ...]
    next: int
    more: bool
    head: Head
    interval: float = 30.0


@dataclass(frozen=True)
class Identity:
    """Whose key it is and what it may do. ``expires_at``: RFC 3339, None for never."""

    provider_id: str
    provider: str
    scopes: tuple[str, ...]
    expires_at: str | None

    @property
    def stream(self) -> str:
        """The name of the provider's stream, which each hash covers."""
        return f"provider:{self.provider_id}"


class Order(Mapping[str, Any]):
    """An order as the provider sees it: ``order["targets"]``, and what is asked for most."""

    def __init__(self, view: dict[str, Any]) -> None:
        self._view = view
        self.id, self.ref = _text(view, "id"), _text(view, "ref")
        self.state, self.urgency = _text(view, "state"), _text(view, "urgency")
        self.version = _number(view, "version")
        """What ``if_version`` of an act takes: act only if nobody acted since."""
        self.is_drill = view.get("test") is True

    def __getitem__(self, name: str) -> Any:
        return self._view[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._view)

    def __len__(self) -> int:
        return len(self._view)

    def __repr__(self) -> str:
        return f"<Order {self.ref} {self.state}>"


def page(body: Any, interval: float) -> Page:
    """A page of the stream."""
    told = _object(body, "the answer")
    return Page(
        tuple(entry(event) for event in listed(body, "events")),
        _number(told, "next"),
        told.get("more") is True,
        _head(_object(told.get("head"), "head")),
        interval,
    )


def entry(body: Any) -> Entry:
    """One entry."""
    told = _object(body, "an entry")
    data = told.get("data")
    return Entry(
        seq=_number(told, "seq"),
        id=_text(told, "id"),
        type=_text(told, "type"),
        at=_text(told, "at"),
        actor=_text(told, "actor"),
        order=_order_name(told.get("order")),
        data=None if data is None else _object(data, "data"),
        salt=_or_none(_text, told, "salt"),
        digest=_text(told, "digest"),
        prev=_text(told, "prev"),
        hash=_text(told, "hash"),
    )


def identity(body: Any) -> Identity:
    """Whose key it is."""
    told = _object(body, "the answer")
    provider = _object(told.get("provider"), "provider")
    scopes = told.get("scopes")
    if not isinstance(scopes, list):
        raise Unreadable("scopes: a list is missing")
    return Identity(
        _text(provider, "id"),
        _text(provider, "name"),
        tuple(str(scope) for scope in scopes),
        _or_none(_text, told, "expires_at"),
    )


def listed(body: Any, name: str) -> list[dict[str, Any]]:
    """The objects of a list in an answer."""
    found = _object(body, "the answer").get(name)
    if not isinstance(found, list):
        raise Unreadable(f"{name}: a list is missing")
    return [_object(item, name) for item in found]


def order(body: Any) -> Order:
    """An order."""
    return Order(_object(body, "an order"))


def _order_name(body: Any) -> OrderName | None:
    if body is None:
        return None
    told = _object(body, "order")
    return OrderName(_text(told, "id"), _or_none(_text, told, "ref"))


def _head(told: dict[str, Any]) -> Head:
    return Head(_number(told, "seq"), _text(told, "hash"))


def _object(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unreadable(f"{name} is no JSON object")
    return value


def _number(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name)
    if type(value) is not int or value < 0:
        raise Unreadable(f"{name}: a whole number is missing")
    return value


def _text(told: Mapping[str, Any], name: str) -> str:
    """Short and on one line: it becomes a line on a terminal, or a variable of a command."""
    value = told.get(name)
    if not isinstance(value, str) or not _PLAIN.fullmatch(value):
        raise Unreadable(f"{name}: a text on one line is missing")
    return value


def _or_none(
    read: Callable[[Mapping[str, Any], str], str], told: Mapping[str, Any], name: str
) -> str | None:
    return None if told.get(name) is None else read(told, name)
