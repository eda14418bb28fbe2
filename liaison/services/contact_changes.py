"""Puts changes of contacts in use once their cooling-off is over and what is new is verified.

One that nobody verifies lapses: an old request is not to come true a year later.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain import contact_entry
from liaison.domain.actors import CLOCK
from liaison.domain.contact_entry import WAYS
from liaison.models import Contact, ContactChange, Verification
from liaison.queries import contact_rungs
from liaison.services import apart, contact_letters, contact_scope, contacts, verifications

log = structlog.get_logger("liaison.worker")

BY_ITSELF = "The portal"
LAPSED = (
    f"Nobody has verified what is new within {contacts.LAPSES_AFTER.days} days. Whoever still "
    "wants it asks for it again."
)
_AT_ONCE = 50


def is_due(session: Session, now: datetime) -> bool:
    """Whether any change can be put in use: asked before a writing transaction is begun."""
    return session.scalars(_due(now).limit(1)).first() is not None


def run(session: Session, now: datetime, base_url: str) -> int:  # noqa: ARG001 - letters know it
    """Ends the wait of one change; 0 where none is due, or somebody else was quicker.

    One at a time: whoever holds a contact and writes the log waits for no second contact. One
    that fails stops no other: it is logged, and tried again at the next look.
    """
    for change in _each(session, now):
        ended = apart.done(session, partial(_end, session, change, now), _failed)
        if ended is not None:
            return int(ended)
    return 0


def _failed(error: Exception) -> None:
    log.warning("contact not changed", error=type(error).__name__)


def _end(session: Session, change: ContactChange, now: datetime) -> bool:
    """Puts a change in use, or calls it off; False where its wait is over meanwhile."""
    contact = change.contact
    contact_scope.hold(session, contact_scope.of(session, contact))
    contact_scope.lock(session, contact)
    session.refresh(change)
    if session.scalars(_due(now).where(ContactChange.id == change.id)).first() is None:
        return False
    said = LAPSED
    if not lacks(session, change):
        said = contact_rungs.lost(session, contact, change.values, now) or ""
    if said:
        contacts.call_off(session, change, BY_ITSELF, said, now)
        data = {"change": str(change.id), "why": said}
        contacts.note(session, CLOCK, contact, "contact_change_stopped", data, now)
    else:
        _apply(session, contact, change, now)
    return True


def lacks(session: Session, change: ContactChange) -> list[str]:
    """The ways whose new value nobody has verified yet."""
    return [
        way
        for way in WAYS
        if way in change.values and not verifications.is_verified(session, change, way)
    ]


def _due(now: datetime) -> Select[ContactChange]:
    """Past their cooling-off, and all that is new verified; or left unverified for too long."""
    verified = and_(ContactChange.due_at <= now, *map(_is_verified, WAYS))
    return (
        select(ContactChange)
        .join(Contact)
        .where(
            ContactChange.applied_at.is_(None),
            ContactChange.cancelled_at.is_(None),
            Contact.removed_at.is_(None),
            or_(verified, ContactChange.asked_at <= now - contacts.LAPSES_AFTER),
        )
        .order_by(ContactChange.due_at, ContactChange.id)
    )


def _is_verified(way: str) -> ColumnElement[bool]:
    """``verifications.is_verified`` in SQL; true as well where a change brings no new value."""
    new = ContactChange.values[way].as_string()
    given = exists().where(
        Verification.contact_id == ContactChange.contact_id,
        Verification.change_id == ContactChange.id,
        Verification.way == way,
        Verification.value == new,
        Verification.verified_at.is_not(None),
    )
    return or_(new.is_(None), given)


def _each(session: Session, now: datetime) -> Iterator[ContactChange]:
    """What is due, a few rows at a time: those that fail do not hide the others."""
    last: tuple[datetime, UUID] | None = None
    while True:
        query = _due(now).limit(_AT_ONCE)
        if last is not None:
            at, id_ = last
            after = and_(ContactChange.due_at == at, ContactChange.id > id_)
            query = query.where(or_(ContactChange.due_at > at, after))
        # Read before any of them fails: what is rolled back is forgotten by the session.
        some = [(row.due_at, row.id) for row in session.scalars(query)]
        for _, id_ in some:
            yield session.get_one(ContactChange, id_)
        if len(some) < _AT_ONCE:
            return
        last = some[-1]


def _apply(session: Session, contact: Contact, change: ContactChange, now: datetime) -> None:
    before = {contact.email: contact.name} if contact.email_verified_at else {}
    contacts.put_in_use(contact, change.values, now)
    for way in WAYS:
        if way in change.values:
            at = verifications.verified_at(session, change, way)
            setattr(contact, f"{way}_verified_at", at)
    if "phone" in change.values:
        contact.entered_by_id = change.asked_by_id
    change.applied_at = now
    verifications.close(session, contact, now)
    session.flush()
    told = {
        "what": "; ".join(contact_entry.described(change.values, change.old)),
        "by": change.asked_by,
        "asked": change.asked_at.isoformat(),
        "at": now.isoformat(),
        "removed": bool(change.values.get("removed")),
    }
    key = f"contact_change:{change.id}:applied"
    contact_letters.tell(session, contact, "contact_applied", told, key, now, also=before)
    type_ = "contact_removed" if change.values.get("removed") else "contact_changed"
    data = {
        "change": str(change.id),
        "fields": list(change.values),
        "asked_by": change.asked_by,
        "asked_at": rfc3339(change.asked_at),
    }
    contacts.note(session, CLOCK, contact, type_, data, now)
