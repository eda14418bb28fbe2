"""What every verb of duty asks first: one's own organisation and no other."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.vocabulary import Function
from liaison.errors import Forbidden, NotFound
from liaison.models import Authority, Contact, DutyFeed, DutyOverride, Provider, Rota
from liaison.queries import duty as queries
from liaison.queries.duty import Owner
from liaison.services import guards, portal_log

T = TypeVar("T", Rota, DutyOverride, DutyFeed)


def owner_of(actor: Actor) -> Owner:
    """The actor's organisation."""
    if actor.authority_id is not None:
        return Owner(authority_id=actor.authority_id)
    if actor.provider_id is not None:
        return Owner(provider_id=actor.provider_id)
    raise Forbidden("You belong to no organisation that keeps a rota.")


def to_write(session: Session, actor: Actor, now: datetime) -> Authority | Provider:
    """The actor's organisation, held: who is on duty decides who is called, so a fresh factor."""
    demand(actor, Verb.MANAGE_DUTY)
    guards.fresh_factor(actor, now)
    return held(session, actor)


def held(session: Session, actor: Actor) -> Authority | Provider:
    """The organisation; nobody else changes its duty until this act is done."""
    found = hold(session, owner_of(actor))
    assert found is not None, "it is waited for"
    return found


def hold(
    session: Session, owner: Owner, *, skip_locked: bool = False
) -> Authority | Provider | None:
    """An organisation's duty, locked; None where another has it and it is not waited for.

    Orders refer to the organisation meanwhile: they need not wait.
    """
    if owner.authority_id is not None:
        ours = select(Authority).where(Authority.id == owner.authority_id)
        return session.scalars(
            ours.with_for_update(key_share=True, skip_locked=skip_locked)
        ).one_or_none()
    theirs = select(Provider).where(Provider.id == owner.provider_id)
    return session.scalars(
        theirs.with_for_update(key_share=True, skip_locked=skip_locked)
    ).one_or_none()


def to_change(session: Session, actor: Actor, table: type[T], identity: UUID, now: datetime) -> T:
    """One of the organisation's own, locked. That it is absent is said before a code is asked for.

    The organisation first, then its rows: everybody waits in this order.
    """
    demand(actor, Verb.MANAGE_DUTY)
    find(session, actor, table, identity)
    to_write(session, actor, now)
    return find(session, actor, table, identity, lock=True)


def find(
    session: Session, actor: Actor, table: type[T], identity: UUID, *, lock: bool = False
) -> T:
    """One of the organisation's own; another's and an absent one are answered alike."""
    owner = owner_of(actor)
    mine = (
        table.authority_id == owner.authority_id
        if owner.authority_id is not None
        else table.provider_id == owner.provider_id
    )
    query = select(table).where(table.id == identity, mine)
    if lock:
        query = query.with_for_update(of=table).execution_options(populate_existing=True)
    found: T | None = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def contacts(session: Session, actor: Actor) -> dict[UUID, Contact]:
    """The organisation's contacts, removed ones too."""
    owner = owner_of(actor)
    mine = (
        Contact.authority_id == owner.authority_id
        if owner.authority_id is not None
        else Contact.provider_id == owner.provider_id
    )
    found = session.scalars(select(Contact).where(mine).order_by(Contact.position, Contact.id))
    return {contact.id: contact for contact in found}


def unfit(contact: Contact | None, now: datetime) -> str:
    """Why a contact cannot be on duty; empty where they can."""
    if contact is None or (contact.removed_at is not None and contact.removed_at <= now):
        return "Choose a contact of your organisation."
    if not queries.is_usable(contact, now):
        return f"{contact.name} is new and cannot be called before the cooling-off ends."
    if not queries.has_way(contact):
        return f"{contact.name} has no verified e-mail address or phone. Verify one first."
    return ""


def meant(people: Mapping[UUID, Contact], at: datetime) -> list[Contact]:
    """Who is called where nobody is on duty: the registered SPOCs, or duty officers."""
    functions = (Function.PRIMARY, Function.DUTY_OFFICER)
    return [c for c in people.values() if c.function in functions and queries.is_usable(c, at)]


def whose(actor: Actor) -> dict[str, UUID | None]:
    """The columns that say whose a row is."""
    owner = owner_of(actor)
    return {"authority_id": owner.authority_id, "provider_id": owner.provider_id}


def standing(actor: Actor) -> Select[Rota]:
    """The organisation's rotas that stand, the oldest first; to be asked for."""
    owner = owner_of(actor)
    mine = (
        Rota.authority_id == owner.authority_id
        if owner.authority_id is not None
        else Rota.provider_id == owner.provider_id
    )
    return select(Rota).where(mine, Rota.ended_at.is_(None)).order_by(Rota.made_at, Rota.id)


def note(
    session: Session, now: datetime, type_: str, actor: Actor, name: str, told: Mapping[str, Any]
) -> None:
    """The entry in the portal log; the last write of an act."""
    data = {"name": name, **told, **portal_log.by(actor)}
    portal_log.note(session, now, type_, actor.id, portal_log.organisation_of_actor(actor), data)
