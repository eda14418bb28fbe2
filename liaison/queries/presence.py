"""Who else has a page open, among the asker's own colleagues."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, false, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.models import Person, Presence
from liaison.services.presence import GONE


@dataclass(frozen=True)
class Other:
    """A colleague who looks at the same page."""

    name: str
    writing: bool


def others(session: Session, actor: Actor, subject: UUID, now: datetime) -> list[Other]:
    """Colleagues at the same order or draft within the last minute; never the other side's."""
    found = session.execute(
        select(Person.name, Presence.writing)
        .join(Person, Person.id == Presence.person_id)
        .where(
            Presence.subject == subject,
            Presence.person_id != actor.person_id,
            Presence.seen_at > now - GONE,
            Person.disabled_at.is_(None),
            _colleague(actor),
        )
        .order_by(Person.name, Person.id)
    )
    return [Other(name, writing) for name, writing in found]


def _colleague(actor: Actor) -> ColumnElement[bool]:
    if actor.provider_id is not None:
        return Person.provider_id == actor.provider_id
    if actor.authority_id is not None:
        return Person.authority_id == actor.authority_id
    return false()
