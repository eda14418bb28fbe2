"""Whether a ladder waits for a provider to open: its calendar, from the order's own terms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.ladder import Ladder, Whom
from liaison.domain.office_hours import Calendar
from liaison.domain.terms import Terms
from liaison.domain.vocabulary import MemorandumState, Urgency
from liaison.models import Contact, Memorandum, Order, Provider
from liaison.queries.duty import knows_holidays, public_holidays

_YEARS_AHEAD = 4
"""Beyond it nothing of a ladder lies: sixty days to a rung, and its repeats (ladder_entry.py)."""


def calendar(session: Session, order: Order, terms: Terms, start: datetime) -> Calendar | None:
    """The calendar that an order's ladder goes by; None where nothing waits.

    Only routine orders wait, and only where the terms say so. Hours and holidays are those of
    the terms; time zone and country those that the register has now. ``start`` is any moment of
    the climb.
    """
    if order.urgency is not Urgency.ROUTINE or not waits(terms):
        return None
    provider = session.get_one(Provider, order.provider_id)
    ladder = terms.ladders[order.urgency]
    return of_provider(provider, terms, start, _named(session, ladder, provider.id))


def waits(terms: Terms) -> bool:
    """Whether the provider is ever closed under these terms."""
    return bool(terms.office_hours) or terms.observes_holidays


def of_provider(
    provider: Provider, terms: Terms, start: datetime, named: Iterable[str] = ()
) -> Calendar:
    """When a provider is open under these terms, from about ``start`` on."""
    zone = ZoneInfo(provider.time_zone)
    off: frozenset[date] = frozenset()
    if terms.observes_holidays:
        off = public_holidays(provider.country, start.year - 1, start.year + _YEARS_AHEAD)
    return Calendar(zone, terms.office_hours, off, frozenset(named))


def _named(session: Session, ladder: Ladder, provider_id: UUID) -> list[str]:
    """Those of the ladder's named contacts who are at the provider."""
    ids = {UUID(r.contact) for r in ladder.rungs if r.whom is Whom.NAMED and r.contact}
    if not ids:
        return []
    found = select(Contact.id).where(Contact.id.in_(ids), Contact.provider_id == provider_id)
    return [str(id_) for id_ in session.scalars(found)]


def unknown_holidays(session: Session) -> list[str]:
    """Providers whose public holidays a memorandum speaks of, and we do not know them; by name."""
    rows = session.execute(
        select(Provider.name, Provider.country, Memorandum.terms)
        .join(Memorandum, Memorandum.provider_id == Provider.id)
        .where(Memorandum.state == MemorandumState.AGREED)
        .order_by(Provider.name)
    )
    found = (
        name
        for name, country, terms in rows
        if terms.get("observes_holidays") and not knows_holidays(country)
    )
    return list(dict.fromkeys(found))
