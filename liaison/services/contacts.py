"""Entering, changing, removing and reviewing contacts.

A hijacker's wish is to have the calls come to them. So what decides whom a ladder reaches is
never changed on the word of one session: a fresh factor is asked for, both sides are told at
once, and for three days the old entry stays in use, while either side can stop the change.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain import contact_entry
from liaison.domain.actors import Actor
from liaison.domain.contact_entry import GUARDED, REVIEW_AFTER, WAYS, ContactEntry
from liaison.domain.permissions import Verb, demand
from liaison.domain.vocabulary import Function
from liaison.errors import FieldError, Invalid, InvalidTransition, NotFound, RateLimited
from liaison.models import Contact, ContactChange
from liaison.queries import contact_rungs
from liaison.services import (
    contact_letters,
    contact_scope,
    guards,
    portal_log,
    throttle,
    verifications,
)
from liaison.services.contact_scope import Organisation
from liaison.services.organisations import AlreadyDone

COOLING_OFF = timedelta(hours=72)
"""How long the old entry stays in use, wherever a memorandum is agreed.

Three days: a weekend does not hide a change from those who can stop it.
"""
LAPSES_AFTER = timedelta(days=14)
"""From when on a change that nobody has verified counts no more: it is asked for again."""
DAY = timedelta(days=1)
CHANGES = 5
"""How often a contact is changed or removed within a day; each time both sides get letters."""
ENTRIES = 200
"""How many contacts an organisation keeps, and how many it enters within a day."""


def enter(
    session: Session,
    actor: Actor,
    provider_id: UUID | None,
    given: Mapping[str, Any],
    now: datetime,
) -> Contact:
    """Enters a contact of the actor's own organisation, or of a provider that an authority keeps.

    No ladder uses it before it is verified and, where a memorandum is agreed, has cooled off.
    """
    demand(actor, Verb.MANAGE_CONTACTS)
    organisation = contact_scope.own_or_provider(session, actor, provider_id)
    guards.fresh_factor(actor, now)
    contact_scope.hold(session, organisation)
    entry = _read(organisation, given, now)
    contact = _new(session, organisation, entry)
    contact.entered_by_id = actor.person_id
    _refuse_too_many(session, contact, organisation, now)
    _refuse_twice(session, contact)
    session.add(contact)
    session.flush()
    if contact_rungs.agreed(session, contact, now):
        contact.usable_from = now + COOLING_OFF
    told = {
        **_by(actor, now),
        "function": contact.function.label,
        "number": contact_entry.masked("phone", contact.phone),
        "mailbox": contact_entry.masked("email", contact.email),
        "due": contact.usable_from.isoformat() if contact.usable_from else None,
    }
    contact_letters.tell(session, contact, "contact_entered", told, f"entered:{contact.id}", now)
    until = rfc3339(contact.usable_from) if contact.usable_from else None
    note(session, actor, contact, "contact_entered", {"usable_from": until}, now)
    return contact


def change(
    session: Session, actor: Actor, contact_id: UUID, given: Mapping[str, Any], now: datetime
) -> ContactChange | None:
    """Changes a contact: name, languages and review date at once, the rest after the cooling-off.

    The change that waits; None where everything holds at once.
    """
    contact = contact_scope.held(session, actor, contact_id, now)
    entry = _read(contact_scope.of(session, contact), given, now)
    wanted, old = entry.guarded(), as_kept(contact)
    values = {name: wanted[name] for name in GUARDED if wanted[name] != old[name]}
    light, name = _light(contact, entry), contact.name
    if not values and not light:
        return None
    _count_change(session, contact, now)
    _set_light(contact, entry)
    if "name" in light:
        _tell_of_name(session, actor, contact, name, now)
    waits = _guard(session, actor, contact, values, now) if values else None
    data = {"fields": [*light, *values], "waits": rfc3339(waits.due_at) if waits else None}
    type_ = "contact_change_asked" if waits else "contact_changed"
    note(session, actor, contact, type_, data, now)
    return waits


def remove(session: Session, actor: Actor, contact_id: UUID, now: datetime) -> ContactChange | None:
    """Removes a contact after the cooling-off; at once where nobody was ever reached by it."""
    contact = contact_scope.held(session, actor, contact_id, now)
    _count_change(session, contact, now)
    waits = _guard(session, actor, contact, {"removed": True}, now)
    data = {"waits": rfc3339(waits.due_at) if waits else None}
    type_ = "contact_removal_asked" if waits else "contact_removed"
    note(session, actor, contact, type_, data, now)
    return waits


def cancel_change(session: Session, actor: Actor, change_id: UUID, now: datetime) -> ContactChange:
    """Stops a change that waits; it never counts."""
    change = session.get(ContactChange, change_id)
    if change is None:
        raise NotFound
    contact = contact_scope.find(session, actor, change.contact_id)
    contact_scope.demand_stop(session, actor, contact, now)
    contact_scope.lock(session, contact)
    session.refresh(change)
    if change.applied_at is not None:
        raise AlreadyDone(
            "This change is in use already. Change the contact back, and call the other side."
        )
    if change.cancelled_at is not None:
        raise AlreadyDone(f"{change.cancelled_by} has stopped this already. Nothing was done.")
    call_off(session, change, f"{actor.name}, {actor.organisation}", "", now)
    note(session, actor, contact, "contact_change_stopped", {"change": str(change.id)}, now)
    return change


def call_off(
    session: Session, change: ContactChange, by: str, why: str, now: datetime
) -> ContactChange:
    """Ends a change that waits, and tells both sides. The caller holds the contact."""
    change.cancelled_at, change.cancelled_by = now, by
    verifications.close(session, change.contact, now, change=change)
    session.flush()
    told = {
        "what": "; ".join(contact_entry.described(change.values, change.old)),
        "by": by,
        "at": now.isoformat(),
        "why": why,
    }
    key = f"contact_change:{change.id}:stopped"
    contact_letters.tell(session, change.contact, "contact_stopped", told, key, now)
    return change


def stop_entry(session: Session, actor: Actor, contact_id: UUID, now: datetime) -> Contact:
    """Takes a new entry away again while it cools off: like a change, either side may stop it."""
    contact = contact_scope.find(session, actor, contact_id)
    contact_scope.demand_stop(session, actor, contact, now)
    contact_scope.lock(session, contact)
    if contact.removed_at is not None:
        raise AlreadyDone(contact_scope.GONE)
    if contact.usable_from is None or contact.usable_from <= now:
        raise InvalidTransition("This entry has cooled off already: remove it instead.")
    contact.removed_at = now
    verifications.close(session, contact, now)
    by = f"{actor.name}, {actor.organisation}"
    told = {"what": "the new entry", "by": by, "at": now.isoformat(), "why": ""}
    contact_letters.tell(session, contact, "contact_stopped", told, f"entry:{contact.id}:off", now)
    note(session, actor, contact, "contact_entry_stopped", {}, now)
    return contact


def review(session: Session, actor: Actor, contact_id: UUID, now: datetime) -> Contact:
    """Somebody has looked at the entry: it is still right, until the next review."""
    contact = contact_scope.held(session, actor, contact_id, now)
    contact.reviewed_at, contact.nagged_at = now, None
    contact.review_on = now.astimezone(UTC).date() + REVIEW_AFTER
    note(session, actor, contact, "contact_reviewed", {"next": contact.review_on.isoformat()}, now)
    return contact


def as_kept(contact: Contact) -> dict[str, Any]:
    """What decides whom a ladder reaches, as the contact stands."""
    return {
        "email": contact.email,
        "phone": contact.phone,
        "function": contact.function.value,
        "channels": list(contact.channels),
    }


def put_in_use(contact: Contact, values: Mapping[str, Any], now: datetime) -> None:
    """The new values in place of the old; a new way is unverified until its code was given."""
    if values.get("removed"):
        contact.removed_at = now
        return
    for name in (n for n in GUARDED if n in values):
        value = Function(values[name]) if name == "function" else values[name]
        setattr(contact, name, value)
        if name in WAYS:
            setattr(contact, f"{name}_verified_at", None)
        if name == "phone":
            contact.wrong_number_at = None  # it was another that was wrong


def note(
    session: Session,
    actor: Actor,
    contact: Contact,
    type_: str,
    data: Mapping[str, Any],
    now: datetime,
) -> None:
    """Into the portal log, where the contact's own organisation's auditors find it."""
    told = {"contact": str(contact.id), "name": contact.name, **data, **portal_log.by(actor)}
    portal_log.note(session, now, type_, actor.id, organisation_of(contact), told)


def organisation_of(contact: Contact) -> str:
    """By what the portal log is scoped."""
    if contact.authority_id is not None:
        return f"authority:{contact.authority_id}"
    return f"provider:{contact.provider_id}"


def _guard(
    session: Session, actor: Actor, contact: Contact, values: dict[str, Any], now: datetime
) -> ContactChange | None:
    """Lets a change of what is guarded wait, or makes it at once where nothing depends on it."""
    waiting = contact_scope.waiting(session, contact)
    if waiting is not None:
        what = "; ".join(contact_entry.described(waiting.values, waiting.old))
        raise InvalidTransition(
            f"A change of this contact waits until {waiting.due_at:%d %b %Y, %H:%M} UTC at the "
            f"soonest ({what}). Stop that one first, or wait. Nothing was done."
        )
    if said := contact_rungs.lost(session, contact, values, now):
        place = "/channels" if "channels" in values and "function" not in values else "/function"
        raise Invalid([FieldError(place, said)])
    agreed = bool(contact_rungs.agreed(session, contact, now))
    old = as_kept(contact)
    before = {contact.email: contact.name} if contact.email_verified_at else {}
    change = None
    if agreed and contact_scope.is_in_use(contact, now):
        change = ContactChange(
            contact=contact,
            values=values,
            old=old,
            asked_by_id=actor.person_id,
            asked_by=f"{actor.name}, {actor.organisation}",
            asked_at=now,
            due_at=now + COOLING_OFF,
        )
        session.add(change)
    else:
        put_in_use(contact, values, now)
        if "phone" in values:
            contact.entered_by_id = actor.person_id
        verifications.close(session, contact, now)
        if agreed and not values.get("removed"):
            contact.usable_from = now + COOLING_OFF  # what is new cools off from its beginning
    session.flush()
    due = change.due_at if change else None if values.get("removed") else contact.usable_from
    _tell_of_change(session, actor, contact, change, values, old, due, before, now)
    return change


def _count_change(session: Session, contact: Contact, now: datetime) -> None:
    wait = throttle.count(session, f"contact_change:{contact.id}", CHANGES, DAY, now)
    if wait:
        raise RateLimited(
            f"This contact was changed {CHANGES} times within a day. Try again in "
            f"{-(-wait // 3600)} hours. What waits can be stopped at any time.",
            wait,
        )


def _refuse_too_many(
    session: Session, contact: Contact, organisation: Organisation, now: datetime
) -> None:
    kept = session.scalar(
        select(func.count(Contact.id)).where(
            Contact.authority_id.is_not_distinct_from(contact.authority_id),
            Contact.provider_id.is_not_distinct_from(contact.provider_id),
            Contact.removed_at.is_(None),
        )
    )
    if (kept or 0) >= ENTRIES:
        raise InvalidTransition(
            f"{organisation.name} has {ENTRIES} contacts already. Remove one that is not needed "
            "first. Nothing was done."
        )
    wait = throttle.count(session, f"contact_entries:{organisation.id}", ENTRIES, DAY, now)
    if wait:
        raise RateLimited(
            f"{ENTRIES} contacts of {organisation.name} were entered within a day. Try again in "
            f"{-(-wait // 3600)} hours.",
            wait,
        )


def _tell_of_name(
    session: Session, actor: Actor, contact: Contact, before: str, now: datetime
) -> None:
    """Nobody is reached otherwise by a name; but who is called by it should know."""
    told = {**_by(actor, now), "before": before}
    key = f"contact:{contact.id}:renamed:{now.isoformat()}"
    contact_letters.tell_own(session, contact, "contact_renamed", told, key, now)


def _tell_of_change(
    session: Session,
    actor: Actor,
    contact: Contact,
    change: ContactChange | None,
    values: dict[str, Any],
    old: dict[str, Any],
    due: datetime | None,
    before: dict[str, str],
    now: datetime,
) -> None:
    told = {
        **_by(actor, now),
        "what": "; ".join(contact_entry.described(values, old)),
        "due": due.isoformat() if due is not None and due > now else None,
        "verify": [contact_entry.FIELDS[way] for way in WAYS if way in values],
        "lapses": LAPSES_AFTER.days,
    }
    key = f"contact_change:{change.id if change else f'{contact.id}:{now.isoformat()}'}"
    contact_letters.tell(session, contact, "contact_change", told, key, now, also=before)


def _by(actor: Actor, now: datetime) -> dict[str, Any]:
    return {"by": actor.name, "by_organisation": actor.organisation, "at": now.isoformat()}


def _read(organisation: Organisation, given: Mapping[str, Any], now: datetime) -> ContactEntry:
    functions = contact_scope.functions_of(organisation)
    today = now.astimezone(UTC).date()
    return contact_entry.read(given, functions, organisation.domains, today)


def _new(session: Session, organisation: Organisation, entry: ContactEntry) -> Contact:
    of_provider = Function(entry.function) not in contact_entry.AUTHORITY_FUNCTIONS
    column = Contact.provider_id if of_provider else Contact.authority_id
    last = session.scalar(select(func.max(Contact.position)).where(column == organisation.id))
    return Contact(
        provider_id=organisation.id if of_provider else None,
        authority_id=None if of_provider else organisation.id,
        position=0 if last is None else last + 1,
        name=entry.name,
        languages=list(entry.languages),
        review_on=entry.review_on,
        **(entry.guarded() | {"function": entry.function}),
    )


def _refuse_twice(session: Session, contact: Contact) -> None:
    same = select(Contact.id).where(
        Contact.authority_id.is_not_distinct_from(contact.authority_id),
        Contact.provider_id.is_not_distinct_from(contact.provider_id),
        Contact.function == contact.function,
        Contact.email == contact.email,
        Contact.phone == contact.phone,
        Contact.removed_at.is_(None),
    )
    if session.scalar(same.limit(1)):
        said = "This contact is registered already with this address, number and function."
        raise Invalid([FieldError("/email", said)])


def _light(contact: Contact, entry: ContactEntry) -> list[str]:
    """What changes at once: nobody is reached otherwise by it."""
    before = (contact.name, list(contact.languages), contact.review_on)
    after = (entry.name, list(entry.languages), entry.review_on)
    names = ("name", "languages", "review_on")
    return [n for n, old, new in zip(names, before, after, strict=True) if old != new]


def _set_light(contact: Contact, entry: ContactEntry) -> None:
    if entry.review_on != contact.review_on:
        contact.nagged_at = None
    contact.name, contact.languages = entry.name, list(entry.languages)
    contact.review_on = entry.review_on
