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
    told = {
        "contact": contact.name,
        "organisation": contact_scope.of(session, contact).name,
        "path": f"/contacts/{contact.id}",
        **params,
    }
    readers = {**(also or {}), **other_side(session, contact, now), **keepers(session, contact)}
    if contact.email_verified_at is not None:
        readers = {contact.email: contact.name, **readers}
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
    """For a provider's contact: duty officers and supervisors of every authority with a memorandum.

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
    """The authorities with an agreed memorandum with a contact's organisation."""
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
