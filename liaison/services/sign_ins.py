"""Sessions taken back: by their owner, or because what they rest on has changed."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.errors import NotFound
from liaison.models import Person, SignIn
from liaison.services import portal_log


def end_all(
    session: Session, person_id: UUID, why: str, now: datetime, *, keep: UUID | None = None
) -> int:
    """Ends a person's sessions, but the one to ``keep``; how many there were.

    ``why``: ``password_changed``, ``factor_changed``, ``disabled``, ``by_owner``. Those between
    password and code end too.
    """
    which = [SignIn.person_id == person_id, SignIn.ended_at.is_(None)]
    if keep is not None:
        which.append(SignIn.id != keep)
    ended = session.execute(
        update(SignIn)
        .where(*which)
        .values(ended_at=now, ended_why=why, challenge=None)
        .execution_options(synchronize_session=False)
    )
    return ended.rowcount if isinstance(ended, CursorResult) else 0


def end_one(session: Session, actor: Actor, sign_in_id: UUID, now: datetime) -> None:
    """Ends one of one's own sessions; ``NotFound`` where it is not one's own."""
    row = session.get(SignIn, sign_in_id)
    if row is None or actor.person_id is None or row.person_id != actor.person_id:
        raise NotFound
    ended = session.execute(
        update(SignIn)
        .where(SignIn.id == sign_in_id, SignIn.ended_at.is_(None))
        .values(ended_at=now, ended_why="by_owner", challenge=None)
        .execution_options(synchronize_session=False)
    )
    if isinstance(ended, CursorResult) and ended.rowcount == 1:
        _note(session, actor, row.person, 1, now)


def end_others(session: Session, actor: Actor, keep: UUID, now: datetime) -> int:
    """Ends all of one's own sessions but this one; how many there were."""
    assert actor.person_id is not None, "only people hold sessions"
    count = end_all(session, actor.person_id, "by_owner", now, keep=keep)
    if count:
        _note(session, actor, session.get_one(Person, actor.person_id), count, now)
    return count


def _note(session: Session, actor: Actor, person: Person, count: int, now: datetime) -> None:
    data = {"person": str(person.id), "sessions": count, **portal_log.by(actor)}
    where = portal_log.organisation_of(person)
    portal_log.note(session, now, "session_ended", actor.id, where, data)
