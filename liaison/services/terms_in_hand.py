"""The terms an order was issued under, read once while the order is in hand.

One rung asks for them ten times, and of a memorandum's many orders all have the same.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from liaison.domain.terms import Terms, terms_from_json
from liaison.models import Order

_NOTED: WeakKeyDictionary[Order, str] = WeakKeyDictionary()
_READ: WeakKeyDictionary[Order, tuple[dict[str, Any], Terms]] = WeakKeyDictionary()


def note(order: Order, terms: str) -> None:
    """Keeps the terms with an order, from the text that was read together with it.

    For orders that were served: their terms change no more. They are read when they are asked
    for: terms that cannot be read are the fault of one order, and stop no other's ladder.
    """
    _NOTED[order] = terms


def of(order: Order) -> Terms:
    """The terms that were noted, or else those of its row."""
    if (noted := _NOTED.get(order)) is not None:
        return _read(noted)
    assert order.terms is not None, "an order that was issued carries its terms"
    known = _READ.get(order)
    if known is None or known[0] is not order.terms:
        _READ[order] = known = order.terms, _read(json.dumps(order.terms))
    return known[1]


@lru_cache(maxsize=256)
def _read(terms: str) -> Terms:
    return terms_from_json(json.loads(terms))
