"""Files of providers: those that were sent in, and the register as one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.register_entry import ProviderEntry
from liaison.errors import Forbidden, NotFound
from liaison.models import Provider, RegisterImport
from liaison.services import providers

LATEST = 10
"""Imports that the page lists."""


@dataclass(frozen=True)
class Listed:
    """One import in the list."""

    id: UUID
    file_name: str
    state: str
    total: int
    made_by: str
    made_at: datetime


def one(session: Session, actor: Actor, import_id: UUID) -> RegisterImport:
    """An import of one's own authority, without its rows: they are the worker's."""
    demand(actor, Verb.MANAGE_REGISTER)
    found = session.scalars(
        select(RegisterImport)
        .where(RegisterImport.id == import_id, RegisterImport.authority_id == actor.authority_id)
        .options(defer(RegisterImport.rows))
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def latest(session: Session, actor: Actor) -> list[Listed]:
    """The newest imports of one's own authority."""
    demand(actor, Verb.MANAGE_REGISTER)
    r = RegisterImport
    query = (
        select(r.id, r.file_name, r.state, r.total, r.made_by, r.made_at)
        .where(r.authority_id == actor.authority_id)
        .order_by(r.made_at.desc(), r.id.desc())
        .limit(LATEST)
    )
    return [Listed(*row) for row in session.execute(query)]


def everything(session: Session, actor: Actor) -> list[tuple[str, ProviderEntry]]:
    """Every provider of the register by name, with its id. Contact points take it away."""
    demand(actor, Verb.READ_REGISTER)
    if not actor.is_contact_point:
        raise Forbidden("The list of all providers is the contact points'.")
    return rows(session)


def rows(session: Session) -> list[tuple[str, ProviderEntry]]:
    """The same for whoever works at the server."""
    found = session.scalars(select(Provider).order_by(Provider.name, Provider.id))
    return [(str(row.id), providers.entry_of(row)) for row in found]
