"""Who has a page open: a sign of life every few seconds, gone a minute after the last one.

Colleagues of the same organisation see it; the other side never does.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.models import Presence
from liaison.models.base import insert_once

GONE = timedelta(seconds=60)
"""After the last sign; a page gives one every 20 seconds."""


def here(session: Session, actor: Actor, subject: UUID, now: datetime, *, writing: bool) -> None:
    """Notes that the actor has the page of this order or unfinished draft open.

    Whether they may see it was asked before: the subject is what a query found for them.
    """
    if actor.person_id is None:
        return
    key = {"subject": subject, "person_id": actor.person_id}
    if not insert_once(session, Presence, {**key, "seen_at": now, "writing": writing}):
        row = session.get(Presence, (subject, actor.person_id))
        if row is not None:
            row.seen_at, row.writing = now, writing
            session.flush()
