"""Contacts as people read them: one's own first, then those on the other side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session, selectinload

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.models import Authority, Contact, Memorandum, Provider
from liaison.queries import contact_rungs

MOST_STALE = 100
"""Stale entries listed at once."""


@dataclass(frozen=True)
class Group:
    """The contacts of one organisation; ``own``: the reader's."""

    organisation: Provider | Authority
    contacts: list[Contact]
    own: bool = False


def groups(session: Session, actor: Actor, now: datetime) -> list[Group]:
    """One's own contacts first, then the contact points' with which a memorandum is agreed."""
    demand(actor, Verb.READ_REGISTER)
    if actor.provider_id is not None:
        own = session.get_one(Provider, actor.provider_id)
        found = [Group(own, standing(session, Contact.provider_id == own.id), own=True)]
        parties = _parties(session, Memorandum.provider_id == own.id, now)
        ordered = sorted({m.authority for m in parties}, key=lambda authority: authority.name)
        return found + [Group(a, standing(session, Contact.authority_id == a.id)) for a in ordered]
    if actor.authority_id is not None:
        ours = session.get_one(Authority, actor.authority_id)
        return [Group(ours, standing(session, Contact.authority_id == ours.id), own=True)]
    return []


def standing(session: Session, whose: ColumnElement[bool]) -> list[Contact]:
    """Those that were not removed, with the changes that wait."""
    return list(
        session.scalars(
            select(Contact)
            .where(whose, Contact.removed_at.is_(None))
            .options(selectinload(Contact.changes))
            .order_by(Contact.position, Contact.id)
        )
    )


def of_provider(session: Session, provider_id: UUID) -> list[Contact]:
    """A provider's, for its page."""
    return standing(session, Contact.provider_id == provider_id)


def stale(session: Session, actor: Actor, now: datetime) -> list[Contact]:
    """Entries past their review date: one's own, and those of providers one has agreed with."""
    return _to_look_at(session, actor, now, Contact.review_on < now.astimezone(UTC).date())


def wrong_numbers(session: Session, actor: Actor, now: datetime) -> list[Contact]:
    """Of the same those whose number was told to be wrong, and was not verified since."""
    return _to_look_at(session, actor, now, Contact.wrong_number_at.is_not(None))


def _to_look_at(
    session: Session, actor: Actor, now: datetime, why: ColumnElement[bool]
) -> list[Contact]:
    demand(actor, Verb.READ_REGISTER)
    if actor.provider_id is not None:
        whose: ColumnElement[bool] = Contact.provider_id == actor.provider_id
    elif actor.authority_id is not None:
        parties = _parties(session, Memorandum.authority_id == actor.authority_id, now)
        providers = {m.provider_id for m in parties}
        ours = Contact.authority_id == actor.authority_id
        whose = or_(ours, Contact.provider_id.in_(providers))
    else:
        whose = false()
    return list(
        session.scalars(
            select(Contact)
            .where(whose, Contact.removed_at.is_(None), why)
            .order_by(Contact.review_on, Contact.id)
            .limit(MOST_STALE)
        )
    )


def _parties(session: Session, party: ColumnElement[bool], now: datetime) -> list[Memorandum]:
    return contact_rungs.memoranda(session, party, now)
