"""Who is told when somebody's access changes: no administrator acts unseen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Role
from liaison.models import Person, PersonRole
from liaison.models.base import new_id
from liaison.services import organisations, outbox

READERS = (Role.ADMINISTRATOR, Role.PROVIDER_ADMINISTRATOR, Role.AUDITOR)


def tell(
    session: Session, actor: Actor, what: str, now: datetime, *, person: Person | None = None
) -> None:
    """A letter to the person concerned, the other administrators and the auditors.

    ``what`` is a sentence of what changed, without the reason: that stands in the portal log.
    """
    others = session.scalars(
        select(Person)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(
            organisations.of_same(Person, actor),
            Person.disabled_at.is_(None),
            Person.id != actor.person_id,
            PersonRole.role.in_(READERS),
        )
    )
    told = {reader.id: reader for reader in others}
    if person is not None:
        told[person.id] = person
    act = new_id()
    for reader in sorted(told.values(), key=lambda reader: reader.email):
        params = {
            "name": reader.name,
            "organisation": actor.organisation,
            "what": what,
            "by": actor.name,
            "at": now.isoformat(),
        }
        key = f"access_changed:{act}"
        outbox.queue_letter(session, reader.email, "access_changed", params, key, now)
