"""The rules of the Parties, to be read. Only ``extension_limits`` applies one to an order."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.errors import Forbidden, NotFound
from liaison.models import Order, PartyRule


def rules(session: Session, actor: Actor) -> list[PartyRule]:
    """All of them, the general ones first, then by name. Contact points read them."""
    _demand_reader(actor)
    return sorted(_kept(session), key=lambda rule: (bool(rule.countries), rule.name.casefold()))


def rule(session: Session, actor: Actor, rule_id: UUID) -> PartyRule:
    """One rule; one that was removed is absent."""
    _demand_reader(actor)
    found = session.get(PartyRule, rule_id)
    if found is None or found.removed_at is not None:
        raise NotFound
    return found


def for_country(session: Session, code: str) -> list[PartyRule]:
    """The rules that name a country, the narrowest first, then the general ones."""
    wanted = code.strip().upper()
    found = [rule for rule in _kept(session) if not rule.countries or wanted in rule.countries]
    return sorted(
        found, key=lambda rule: (not rule.countries, len(rule.countries), rule.name.casefold())
    )


def for_order(session: Session, order: Order) -> list[PartyRule]:
    """The rules of the Party that asks; none for a domestic order."""
    party = order.origin.get("party")
    return for_country(session, party) if isinstance(party, str) and party else []


def _kept(session: Session) -> list[PartyRule]:
    return list(session.scalars(select(PartyRule).where(PartyRule.removed_at.is_(None))))


def _demand_reader(actor: Actor) -> None:
    demand(actor, Verb.READ_REGISTER)
    if not actor.is_contact_point:
        raise Forbidden("The rules of the Parties are the contact points' help.")
