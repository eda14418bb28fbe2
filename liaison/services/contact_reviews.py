"""Entries that nobody has looked at in time: the owner is reminded, then the other side is told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import Role, Status
from liaison.models import Authority, Contact, Person, Provider
from liaison.services import apart, contact_letters, contact_scope, outbox

log = structlog.get_logger("liaison.worker")

AGAIN = timedelta(days=14)
"""How often the owner is reminded."""
SUPERVISORS_AFTER = timedelta(days=28)
"""From when on after its review date a stale entry is a supervisor's matter, too."""


def is_due(session: Session, now: datetime) -> bool:
    """Whether anybody is to be reminded: asked before a writing transaction is begun."""
    return session.scalars(_due(now).limit(1)).first() is not None


def run(session: Session, now: datetime, base_url: str) -> int:  # noqa: ARG001 - letters know it
    """Reminds of all stale entries of one organisation, in one letter; how many they are.

    An organisation that fails stops no other: it is logged, and tried again at the next look.
    """
    for authority_id, provider_id in _organisations(session, now):
        act = partial(_of_one, session, authority_id, provider_id, now)
        if count := apart.done(session, act, _failed):
            return count
    return 0


def _failed(error: Exception) -> int:
    log.warning("contacts not reminded of", error=type(error).__name__)
    return 0


def _organisations(session: Session, now: datetime) -> list[tuple[UUID | None, UUID | None]]:
    """Those with stale entries, the one that waits longest first."""
    due = _due(now).order_by(None)
    whose = (Contact.authority_id, Contact.provider_id)
    found = session.execute(
        due.with_only_columns(*whose).group_by(*whose).order_by(func.min(Contact.review_on), *whose)
    )
    return [(authority_id, provider_id) for authority_id, provider_id in found]


def _of_one(
    session: Session, authority_id: UUID | None, provider_id: UUID | None, now: datetime
) -> int:
    stale = session.scalars(
        _due(now)
        .where(
            Contact.authority_id.is_not_distinct_from(authority_id),
            Contact.provider_id.is_not_distinct_from(provider_id),
        )
        .with_for_update(skip_locked=True, of=Contact)
        .execution_options(populate_existing=True)
    ).all()
    if stale:
        _remind(session, list(stale), now)
    for contact in stale:
        contact.nagged_at = now
    session.flush()
    return len(stale)


def _due(now: datetime) -> Select[Contact]:
    open_ones = (Status.ACTIVE, Status.SUSPENDED)
    return (
        select(Contact)
        .outerjoin(Provider, Provider.id == Contact.provider_id)
        .outerjoin(Authority, Authority.id == Contact.authority_id)
        .where(
            Contact.review_on < _today(now),
            Contact.removed_at.is_(None),
            or_(Contact.nagged_at.is_(None), Contact.nagged_at <= now - AGAIN),
            or_(Provider.status.in_(open_ones), Authority.status.in_(open_ones)),
        )
        .order_by(Contact.review_on, Contact.id)
    )


def _remind(session: Session, stale: list[Contact], now: datetime) -> None:
    first = stale[0]
    owners = contact_letters.keepers(session, first)
    _write(session, owners, stale, "contact_review", now)
    late = [c for c in stale if c.review_on <= _today(now) - SUPERVISORS_AFTER]
    # Where nobody keeps the entries, nobody else will look at them.
    if told := (late if owners else stale):
        _write(session, _supervisors(session, first, now), told, "contact_review_late", now)


def _supervisors(session: Session, contact: Contact, now: datetime) -> contact_letters.Addressees:
    authorities = (
        {contact.authority_id}
        if contact.authority_id is not None
        else contact_letters.parties(session, contact, now)
    )
    of = Person.authority_id.in_(authorities)
    return contact_letters.people(session, of, (Role.SUPERVISOR,))


def _write(
    session: Session,
    readers: contact_letters.Addressees,
    stale: list[Contact],
    letter: str,
    now: datetime,
) -> None:
    first = stale[0]
    organisation = contact_scope.of(session, first)
    for address, name in readers.items():
        params = {
            "name": name,
            "organisation": organisation.name,
            "contacts": ", ".join(f"{c.name} ({c.function.label})" for c in stale),
            "count": len(stale),
            "since": min(c.review_on for c in stale).isoformat(),
            "path": "/contacts" if letter == "contact_review" else f"/contacts/{first.id}",
        }
        key = f"{letter}:{organisation.id}:{now.isoformat()}"
        outbox.queue_letter(session, address, f"register/{letter}", params, key, now)


def _today(now: datetime) -> date:
    return now.astimezone(UTC).date()
