"""The names of an order's two sides, for notices.

Whoever has read them together with the order notes them here: loading both organisations takes
longer than the rest of a rung.
"""

from __future__ import annotations

from typing import NamedTuple
from weakref import WeakKeyDictionary

from liaison.models import Order


class PartyNames(NamedTuple):
    """As the register has them at this moment."""

    provider: str
    authority: str


_NOTED: WeakKeyDictionary[Order, PartyNames] = WeakKeyDictionary()


def note(order: Order, provider: str, authority: str) -> None:
    """Keeps the names with an order in hand, as long as it is in hand."""
    _NOTED[order] = PartyNames(provider, authority)


def of(order: Order) -> PartyNames:
    """The names that were noted, or else those of its organisations."""
    return _NOTED.get(order) or PartyNames(order.provider.name, order.authority.name)
