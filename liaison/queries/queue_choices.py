"""What the filters of the queue offer to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.models import Person, PersonRole
from liaison.queries.queue_waiting import OURS

MOST_OFFICERS = 200


def officers(session: Session, actor: Actor) -> Sequence[Row[UUID, str]]:
    """Id and name of who can be in charge of an order; nobody's for a provider.

    Those whose access has ended are among them: their orders are still looked for.
    """
    if actor.authority_id is None:
        return ()
    can = select(PersonRole.person_id).where(PersonRole.role.in_(OURS))
    return session.execute(
        select(Person.id, Person.name)
        .where(Person.authority_id == actor.authority_id, Person.id.in_(can))
        .order_by(Person.name, Person.id)
        .limit(MOST_OFFICERS)
    ).all()
