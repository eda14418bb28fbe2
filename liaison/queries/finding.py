"""Finding orders by a word: ref, provider, case number, reference, or an identifier.

Each kind of word is looked up in an index and gives a bounded number of orders, so that a search
never reads what is stored; where more fit, that is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, literal, select, union_all
from sqlalchemy.orm import Session

from liaison.domain import order_keys
from liaison.domain.actors import Actor
from liaison.domain.order_keys import KeyKind
from liaison.domain.reading import unstorable
from liaison.models import Order, OrderKey, Provider
from liaison.queries.orders import visible
from liaison.queries.queue_views import Stretch

Condition = ColumnElement[bool]

MOST = 100
"""Orders looked through for each kind of word; of refs the latest."""

MOST_PROVIDERS = 10

Part = Select[UUID]


@dataclass(frozen=True)
class Found:
    """What a word may mean: these orders, and whether more of them fit than are looked through."""

    ids: frozenset[UUID]
    more: bool


def find(
    session: Session, actor: Actor, text: str, places: Sequence[Stretch], *narrowed: Condition
) -> Found:
    """The orders that a typed word may mean.

    Those of a provider that is named are looked for in these places of the queue only, for it may
    have any number. A provider finds what was served on it, by what it was served with.
    """
    text = text.strip()
    if not text or unstorable(text):
        return Found(frozenset(), more=False)
    parts = _by_identifier(actor, text) + _by_beginning(actor, text)
    if not actor.is_provider:
        parts += _by_provider(session, actor, text, places, narrowed)
    bounded = [part.limit(MOST + 1).subquery() for part in parts]
    numbered = [select(literal(n), part.c[0]) for n, part in enumerate(bounded)]
    found: dict[int, list[UUID]] = {}
    for number, id_ in session.execute(union_all(*numbered)):
        found.setdefault(number, []).append(id_)
    ids = frozenset(id_ for of_part in found.values() for id_ in of_part[:MOST])
    return Found(ids, more=any(len(of_part) > MOST for of_part in found.values()))


def _keys(actor: Actor, kind: KeyKind) -> Part:
    whose = (
        OrderKey.provider_id == actor.provider_id
        if actor.is_provider
        else OrderKey.authority_id == actor.authority_id
    )
    return select(OrderKey.order_id).where(whose, OrderKey.kind == kind.value)


def _by_identifier(actor: Actor, text: str) -> list[Part]:
    latest = OrderKey.order_id.desc()
    return [
        _keys(actor, KeyKind.TARGET).where(OrderKey.key == key).order_by(latest)
        for key in order_keys.as_identifier(text)
    ]


def _by_beginning(actor: Actor, text: str) -> list[Part]:
    """The whole word apart: it must not be lost among many that begin with it."""
    stretch = order_keys.as_beginning(text)
    if stretch is None:
        return []
    first, last = stretch
    latest, parts = OrderKey.order_id.desc(), []
    for kind in order_keys.BY_BEGINNING:
        longer = (OrderKey.key > first, OrderKey.key < last)
        parts += [
            _keys(actor, kind).where(OrderKey.key == first).order_by(latest),
            _keys(actor, kind).where(*longer).order_by(OrderKey.key.desc(), latest),
        ]
    return parts


def _by_provider(
    session: Session,
    actor: Actor,
    text: str,
    places: Sequence[Stretch],
    narrowed: tuple[Condition, ...],
) -> list[Part]:
    named = func.lower(Provider.name).contains(text.lower(), autoescape=True)
    query = select(Provider.id).where(named).order_by(Provider.name).limit(MOST_PROVIDERS)
    return [
        select(Order.id)
        .where(visible(actor), Order.provider_id == provider, place.where(), *narrowed)
        .order_by(*place.order())
        for provider in session.scalars(query)
        for place in places
    ]
