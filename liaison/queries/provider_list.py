"""The list of providers, page by page, searched by name or by what leads to one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import HoldingKind
from liaison.models import Holding, Provider
from liaison.queries import register_pages
from liaison.queries.proposals import Proposal, propose

PAGE = 100


@dataclass(frozen=True)
class Found:
    """One page of the list, and whose the text is where it is an address, number or domain."""

    rows: list[register_pages.Listed]
    proposals: list[Proposal]
    total: int
    page: int

    @property
    def pages(self) -> int:
        """How many there are, at least one."""
        return max(1, -(-self.total // PAGE))


def find(session: Session, actor: Actor, day: date, text: str, page: int) -> Found:
    """Providers by name that the actor may read about.

    ``text`` finds a part of the name, the legal name or a domain, and what it leads to.
    """
    wanted = text.strip().lower()
    proposals = [p for p in propose(session, wanted) if _may_read(actor, p.provider.id)]
    ids = _matching(session, actor, wanted)
    # Who is meant by an address has no part of it in the name.
    known = set(ids)
    ids += [p.provider.id for p in proposals if p.provider.id not in known]
    page = min(max(page, 1), max(1, -(-len(ids) // PAGE)))
    here = ids[(page - 1) * PAGE : page * PAGE]
    providers = {p.id: p for p in session.scalars(select(Provider).where(Provider.id.in_(here)))}
    in_force = register_pages.in_force(session, actor, day, here)
    rows = [register_pages.Listed(providers[row], in_force.get(row)) for row in here]
    return Found(rows, proposals, len(ids), page)


def _matching(session: Session, actor: Actor, wanted: str) -> list[UUID]:
    """By name. The letters are compared here: a database may not know the case of all of them."""
    rows = session.execute(
        select(Provider.id, Provider.name, Provider.legal_name)
        .where(register_pages.visible(actor))
        .order_by(Provider.name)
    ).all()
    if not wanted:
        return [row.id for row in rows]
    domains = select(Holding.provider_id).where(
        Holding.kind == HoldingKind.DOMAIN, Holding.key.contains(wanted, autoescape=True)
    )
    by_domain = set(session.scalars(domains))
    return [
        row.id
        for row in rows
        if wanted in row.name.lower() or wanted in row.legal_name.lower() or row.id in by_domain
    ]


def _may_read(actor: Actor, provider_id: UUID) -> bool:
    return actor.is_contact_point or actor.provider_id == provider_id
