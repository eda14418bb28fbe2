"""Filters of the queue that a person keeps under a name."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.order_keys import fold
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import check_texts
from liaison.errors import FieldError, Forbidden, Invalid, NotFound
from liaison.models import Person, SavedFilter
from liaison.queries.queue_filters import Filters

LONGEST_NAME, MOST = 80, 30


def save(session: Session, actor: Actor, name: str, filters: Filters, now: datetime) -> SavedFilter:
    """Keeps the filters under a name; one of the same name is replaced by it."""
    demand(actor, Verb.READ_ORDERS)
    if actor.person_id is None:
        raise Forbidden("Only a person keeps filters.")
    name = " ".join(name.split())
    if not name:
        raise Invalid([FieldError("/name", "Give these filters a name, such as “My urgent ones”.")])
    check_texts(("/name", name, LONGEST_NAME))
    own = SavedFilter.person_id == actor.person_id
    # One at a time for each person: their number is bounded, and a double click is one.
    session.execute(select(Person.id).where(Person.id == actor.person_id).with_for_update())
    found = session.scalars(
        select(SavedFilter).where(own, SavedFilter.name_key == fold(name))
    ).one_or_none()
    if found is None:
        if (session.scalar(select(func.count()).where(own)) or 0) >= MOST:
            detail = f"You keep {MOST} filters already. Remove one first."
            raise Invalid([FieldError("/name", detail)])
        found = SavedFilter(person_id=actor.person_id, name_key=fold(name))
        session.add(found)
    found.name, found.query, found.saved_at = name, filters.query(), now
    session.flush()
    return found


def forget(session: Session, actor: Actor, filter_id: UUID) -> None:
    """Forgets one of the person's own; anybody else's is not there."""
    demand(actor, Verb.READ_ORDERS)
    gone = session.execute(
        delete(SavedFilter)
        .where(SavedFilter.id == filter_id, SavedFilter.person_id == actor.person_id)
        .returning(SavedFilter.id)
    ).first()
    if gone is None:
        raise NotFound
