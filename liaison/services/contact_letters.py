"""Who is told when a contact changes: the old address, who keeps it, and the other side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from liaison.domain.contact_entry import AUTHORITY_FUNCTIONS
from liaison.domain.vocabulary import Role
from liaison.models import Contact, Person, PersonRole
from liaison.queries import contact_rungs
from liaison.queries.registry import usable
from liaison.services import contact_scope, outbox

Addressees = dict[str, str]
"""Names by address: nobody gets a letter twice because they hold two offices."""


def tell(
    session: Session,
    contact: Contact,
    letter: str,
    params: Mapping[str, Any],
    key: str,
    now: datetime,
    *,
    also: Addressees | None = None,
) -> int:
    """Queues ``register/<letter>`` to both sides; how many.

    ``also``: further addresses, such as the one that was in use before.
    """
    readers = {**(also or {}), **other_side(session, contact, now), **_own(session, contact)}
    return _queue(session, contact, readers, letter, params, key, now)


def tell_own(
    session: Session,
    contact: Contact,
    letter: str,
    params: Mapping[str, Any],
    key: str,
    now: datetime,
) -> int:
    """The same to the contact and to those who keep it only."""
    return _queue(session, contact, _own(session, contact), letter, params, key, now)


def _own(session: Session, contact: Contact) -> Addressees:
    keep = keepers(session, contact)
    return {contact.email: contact.name, **keep} if contact.email_verified_at else keep


def _queue(
    session: Session,
    contact: Contact,
    readers: Addressees,
    letter: str,
    params: Mapping[str, Any],
    key: str,
    now: datetime,
) -> int:
    told = {
        "contact": contact.name,
        "organisation": contact_scope.of(session, contact).name,
        "path": f"/contacts/{contact.id}",
        **params,
    }
    queued = 0
    for address, name in readers.items():
        whole = {"name": name, **told}
        queued += outbox.queue_letter(session, address, f"register/{letter}", whole, key, now)
    return queued


def keepers(session: Session, contact: Contact) -> Addressees:
    """The organisation's administrators, with an authority's auditors; a provider's SPOCs where
    it has no administrator."""
    if contact.authority_id is not None:
        roles = (Role.ADMINISTRATOR, Role.AUDITOR)
        return people(session, Person.authority_id == contact.authority_id, roles)
    for role in (Role.PROVIDER_ADMINISTRATOR, Role.SPOC):
        if found := people(session, Person.provider_id == contact.provider_id, (role,)):
            return found
    return {}


def other_side(session: Session, contact: Contact, now: datetime) -> Addressees:
    """For a provider's contact: duty officers and supervisors of every authority bound to it.

    They are told at their registered, verified addresses.
    """
    if contact.authority_id is not None:
        return {}
    found = session.scalars(
        select(Contact)
        .where(
            Contact.authority_id.in_(parties(session, contact, now)),
            Contact.function.in_(AUTHORITY_FUNCTIONS),
            Contact.email_verified_at.is_not(None),
            *usable(now),
        )
        .order_by(Contact.position, Contact.id)
    )
    return {c.email: c.name for c in found}


def parties(session: Session, contact: Contact, now: datetime) -> set[UUID]:
    """The authorities that a memorandum binds to a contact's organisation."""
    return {m.authority_id for m in contact_rungs.agreed(session, contact, now)}


def people(session: Session, of: ColumnElement[bool], roles: Collection[Role]) -> Addressees:
    """People who can sign in and hold one of the roles."""
    found: Iterable[Person] = session.scalars(
        select(Person)
        .where(
            of,
            Person.disabled_at.is_(None),
            Person.id.in_(select(PersonRole.person_id).where(PersonRole.role.in_(roles))),
        )
        .order_by(Person.email)
    )
    return {person.email: person.name for person in found}
