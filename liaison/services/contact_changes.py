"""Puts changes of contacts in use once their cooling-off is over and what is new is verified."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain import contact_entry
from liaison.domain.actors import CLOCK
from liaison.domain.contact_entry import WAYS
from liaison.models import Contact, ContactChange
from liaison.queries import contact_rungs
from liaison.services import contact_letters, contact_scope, contacts, verifications

BY_ITSELF = "The portal"


def is_due(session: Session, now: datetime) -> bool:
    """Whether any change can be put in use: asked before a writing transaction is begun."""
    return next(_ready(session, now), None) is not None


def run(session: Session, now: datetime, base_url: str) -> int:  # noqa: ARG001 - letters know it
    """Puts one change in use; 0 where none is ready, or somebody else was quicker.

    One at a time: whoever holds a contact and writes the log waits for no second contact.
    """
    for change in _ready(session, now):
        contact = change.contact
        contact_scope.hold(session, contact_scope.of(session, contact))
        contact_scope.lock(session, contact)
        session.refresh(change)
        if not change.is_open or not _is_ready(session, change, now):
            continue
        if said := contact_rungs.lost(session, contact, change.values, now):
            contacts.call_off(session, change, BY_ITSELF, said, now)
            data = {"change": str(change.id), "why": said}
            contacts.note(session, CLOCK, contact, "contact_change_stopped", data, now)
        else:
            _apply(session, contact, change, now)
        return 1
    return 0


def lacks(session: Session, change: ContactChange) -> list[str]:
    """The ways whose new value nobody has verified yet."""
    return [
        way
        for way in WAYS
        if way in change.values and not verifications.is_verified(session, change, way)
    ]


def _ready(session: Session, now: datetime) -> Iterator[ContactChange]:
    waiting = session.scalars(
        select(ContactChange)
        .join(Contact)
        .where(
            ContactChange.applied_at.is_(None),
            ContactChange.cancelled_at.is_(None),
            ContactChange.due_at <= now,
            Contact.removed_at.is_(None),
        )
        .order_by(ContactChange.due_at, ContactChange.id)
    ).all()
    return (change for change in waiting if _is_ready(session, change, now))


def _is_ready(session: Session, change: ContactChange, now: datetime) -> bool:
    return change.due_at <= now and not lacks(session, change)


def _apply(session: Session, contact: Contact, change: ContactChange, now: datetime) -> None:
    before = {contact.email: contact.name} if contact.email_verified_at else {}
    contacts.put_in_use(contact, change.values, now)
    for way in WAYS:
        if way in change.values:
            at = verifications.verified_at(session, change, way)
            setattr(contact, f"{way}_verified_at", at)
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
