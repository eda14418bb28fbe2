"""Whose contacts an actor keeps, which wait, and who may stop what waits."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.contact_entry import AUTHORITY_FUNCTIONS, PROVIDER_FUNCTIONS
from liaison.domain.permissions import Verb, demand, may
from liaison.domain.vocabulary import Function, Role
from liaison.errors import Forbidden, NotFound
from liaison.models import Authority, Contact, ContactChange, Provider
from liaison.queries import contact_rungs
from liaison.services import guards
from liaison.services.organisations import AlreadyDone

Organisation = Authority | Provider

GONE = "This contact was removed already. Nothing was done."


def visible(actor: Actor) -> ColumnElement[bool]:
    """The contacts whose entries an actor may read in full.

    One's own organisation's; an authority's people also every provider's, for the contact point
    keeps the register.
    """
    if actor.provider_id is not None:
        return Contact.provider_id == actor.provider_id
    if actor.authority_id is not None:
        return or_(Contact.authority_id == actor.authority_id, Contact.provider_id.is_not(None))
    return false()


def find(session: Session, actor: Actor, contact_id: UUID) -> Contact:
    """One contact; another's and an absent one are answered alike."""
    demand(actor, Verb.READ_REGISTER)
    query = select(Contact).where(Contact.id == contact_id, visible(actor))
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def of(session: Session, contact: Contact) -> Organisation:
    """The organisation a contact belongs to."""
    if contact.authority_id is not None:
        return session.get_one(Authority, contact.authority_id)
    return session.get_one(Provider, contact.provider_id)


def functions_of(organisation: Organisation) -> tuple[Function, ...]:
    """What its contacts can be registered for."""
    return AUTHORITY_FUNCTIONS if isinstance(organisation, Authority) else PROVIDER_FUNCTIONS


def own_or_provider(session: Session, actor: Actor, provider_id: UUID | None) -> Organisation:
    """Where a new contact goes: one's own organisation, or a provider that an authority keeps."""
    if provider_id is None:
        if actor.authority_id is not None:
            return session.get_one(Authority, actor.authority_id)
        return session.get_one(Provider, actor.provider_id)
    found = session.get(Provider, provider_id)
    strange = actor.provider_id is not None and actor.provider_id != provider_id
    if found is None or strange:
        raise NotFound
    return found


def hold(session: Session, organisation: Organisation) -> None:
    """Its contacts stay as they are until this act is done: two removals see each other."""
    table = type(organisation)
    # Orders refer to it meanwhile: they need not wait.
    session.execute(
        select(table.id).where(table.id == organisation.id).with_for_update(key_share=True)
    )


def held(session: Session, actor: Actor, contact_id: UUID, now: datetime) -> Contact:
    """The contact, locked, where the actor keeps it and has given a fresh factor."""
    demand(actor, Verb.MANAGE_CONTACTS)
    contact = find(session, actor, contact_id)  # absent is said before anything else is asked for
    guards.fresh_factor(actor, now)
    hold(session, of(session, contact))
    lock(session, contact)
    if contact.removed_at is not None:
        raise AlreadyDone(GONE)
    return contact


def lock(session: Session, contact: Contact) -> None:
    """As it stands now; nobody else changes it until this act is done.

    What refers to it can be written all the same: a ladder that calls somebody whose entry is
    being changed waits for nobody, and two callers who correct two numbers not for each other.
    """
    session.refresh(contact, with_for_update={"of": Contact, "key_share": True})


def waiting(session: Session, contact: Contact) -> ContactChange | None:
    """The change that waits, read anew."""
    return session.scalars(
        select(ContactChange)
        .where(
            ContactChange.contact_id == contact.id,
            ContactChange.applied_at.is_(None),
            ContactChange.cancelled_at.is_(None),
        )
        .execution_options(populate_existing=True)
        .limit(1)
    ).one_or_none()


def is_in_use(contact: Contact, now: datetime) -> bool:
    """Whether anybody was ever reached by it: verified somehow, and past its cooling-off."""
    begun = contact.usable_from is None or contact.usable_from <= now
    verified = contact.email_verified_at or contact.phone_verified_at
    return begun and verified is not None and contact.removed_at is None


def may_stop(session: Session, actor: Actor, contact: Contact, now: datetime) -> bool:
    """Whether the actor may stop what waits: who keeps it, and supervisors of the other side."""
    if may(actor.roles, Verb.MANAGE_CONTACTS):
        return True
    if Role.SUPERVISOR not in actor.roles:
        return False
    if contact.authority_id is not None:
        return contact.authority_id == actor.authority_id
    parties = {m.authority_id for m in contact_rungs.agreed(session, contact, now)}
    return actor.authority_id in parties


def demand_stop(session: Session, actor: Actor, contact: Contact, now: datetime) -> None:
    """``Forbidden`` unless the actor may stop what waits.

    No fresh factor is asked for: stopping must be quick, and gives nobody anything.
    """
    if not may_stop(session, actor, contact, now):
        raise Forbidden(
            "Those who keep this contact may stop it, and supervisors of an authority that has a "
            "memorandum with this provider. Call one of them at once."
        )
