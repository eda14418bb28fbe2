"""Which provider an address, a number or a name leads to: the longest match over the register."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from liaison.domain.holdings import Held, candidates
from liaison.domain.vocabulary import HoldingKind, Status, TargetType
from liaison.models import Holding, Order, Provider

AT_ONCE = 5000
"""Keys asked for in one query; both databases take several times as many."""


FOUND_BY = frozenset(
    {
        TargetType.IP_ADDRESS,
        TargetType.IP_RANGE,
        TargetType.EMAIL,
        TargetType.PHONE,
        TargetType.DOMAIN,
        TargetType.URL,
    }
)
"""Targets that lead to a provider. An account does not: many are named by an address elsewhere."""

_HOW = {
    HoldingKind.RANGE: "lies in",
    HoldingKind.PHONE: "begins with",
    HoldingKind.DOMAIN: "belongs to",
    HoldingKind.AS_NUMBER: "is",
}


@dataclass(frozen=True)
class Proposal:
    """A provider, and the registered range, prefix, domain or AS number that leads to it."""

    provider: Provider
    kind: HoldingKind
    key: str
    length: int

    @property
    def where(self) -> str:
        """``lies in Norvik Mobile’s 198.51.100.0/24``."""
        return f"{_HOW[self.kind]} {self.provider.name}’s {self.key}"


@dataclass(frozen=True)
class Elsewhere:
    """Targets that one entry of another provider covers, as they were entered."""

    values: list[str]
    proposal: Proposal

    @property
    def sentence(self) -> str:
        """``198.51.100.24 (and 3 more) lies in Norvik Mobile’s 198.51.100.0/24``."""
        more = len(self.values) - 1
        return f"{self.values[0]}{f' (and {more} more)' if more else ''} {self.proposal.where}"


def propose(session: Session, text: str) -> list[Proposal]:
    """Every provider that what was typed leads to, the longest match first; closed ones never."""
    return propose_many(session, [text])[text]


def propose_many(session: Session, texts: Iterable[str]) -> dict[str, list[Proposal]]:
    """The same for several at once; every text is in the answer, most with an empty list."""
    asked = {text: candidates(text) for text in texts}
    found = _found(session, {held for keys in asked.values() for held in keys})
    return {text: _nearest(keys, found) for text, keys in asked.items()}


def elsewhere(session: Session, order: Order) -> list[Elsewhere]:
    """What of an order is registered for another provider than the one it goes to."""
    values = [target.value for target in order.targets if target.type in FOUND_BY]
    found: dict[tuple[HoldingKind, str], Elsewhere] = {}
    for value, proposals in propose_many(session, values).items():
        if proposals and proposals[0].provider.id != order.provider_id:
            nearest = proposals[0]
            row = found.setdefault((nearest.kind, nearest.key), Elsewhere([], nearest))
            row.values.append(value)
    return list(found.values())


def _nearest(keys: Sequence[Held], found: Mapping[Held, Provider]) -> list[Proposal]:
    """One proposal of each provider: by its longest match."""
    nearest: dict[object, Proposal] = {}
    for held in keys:
        provider = found.get(held)
        if provider is not None:
            nearest.setdefault(provider.id, Proposal(provider, *held))
    return list(nearest.values())


def _found(session: Session, keys: set[Held]) -> dict[Held, Provider]:
    """Whose these keys are; asked by the primary key, nothing else is read."""
    rest, found = iter(sorted(keys)), {}
    while some := list(islice(rest, AT_ONCE)):
        query = (
            select(Holding.kind, Holding.key, Holding.length, Provider)
            .join(Provider, Provider.id == Holding.provider_id)
            .where(_among(some), Provider.status != Status.CLOSED)
        )
        for kind, key, length, provider in session.execute(query):
            found[Held(kind, key, length)] = provider
    return found


def _among(some: Sequence[Held]) -> ColumnElement[bool]:
    return or_(
        *(
            and_(Holding.kind == kind, Holding.key.in_([h.key for h in some if h.kind is kind]))
            for kind in dict.fromkeys(held.kind for held in some)
        )
    )
