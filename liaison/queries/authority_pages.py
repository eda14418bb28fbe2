"""The authorities as contact points read them: several stand side by side."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.errors import Forbidden, NotFound
from liaison.models import Authority


def authorities(session: Session, actor: Actor) -> list[Authority]:
    """Every authority by name."""
    _demand(actor)
    return list(session.scalars(select(Authority).order_by(Authority.name)))


def authority(session: Session, actor: Actor, authority_id: UUID) -> Authority:
    """One authority."""
    _demand(actor)
    found = session.get(Authority, authority_id)
    if found is None:
        raise NotFound
    return found


def _demand(actor: Actor) -> None:
    demand(actor, Verb.READ_REGISTER)
    if not actor.is_contact_point:
        raise Forbidden("The list of authorities is the contact points’. Look under Contacts.")
