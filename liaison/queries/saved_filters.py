"""The filters that a person has named."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.models import SavedFilter


def own(session: Session, actor: Actor) -> Sequence[SavedFilter]:
    """The reader's own, by name; nobody sees another's."""
    if actor.person_id is None:
        return ()
    query = select(SavedFilter).where(SavedFilter.person_id == actor.person_id)
    return session.scalars(query.order_by(SavedFilter.name_key)).all()
