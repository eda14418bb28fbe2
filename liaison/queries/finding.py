"""Finding orders by a word: ref, provider, case number, or an identifier in any spelling."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, or_, select

from liaison.domain import targets
from liaison.domain.vocabulary import TargetType
from liaison.models import Order, OrderTarget, Provider


def matches(text: str) -> ColumnElement[bool]:
    """The orders that a typed word may mean."""
    folded = text.casefold()
    return or_(
        func.lower(Order.ref).contains(folded, autoescape=True),
        Order.provider_id.in_(
            select(Provider.id).where(func.lower(Provider.name).contains(folded, autoescape=True))
        ),
        Order.investigating_authority["case_number"].as_string() == text,
        Order.id.in_(
            select(OrderTarget.order_id).where(OrderTarget.search_key.in_(_search_keys(text)))
        ),
    )


def _search_keys(text: str) -> list[str]:
    """The word as every kind of identifier it could be, in the normal form of that kind."""
    keys = []
    for kind in TargetType:
        try:
            keys.append(targets.parse(kind, text).search_key)
        except ValueError:
            continue
    return keys
