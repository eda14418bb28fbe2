"""Who typed into an unfinished draft: they have written whatever comes of its text.

They are remembered for longer than the draft. A page may still show the text after the draft was
discarded; an order made of that page has the same writers, whoever sends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Delete, Select, delete, select
from sqlalchemy.orm import Session

from liaison.models import Order, Person, UnfinishedDraft, UnfinishedWriter
from liaison.models.base import insert_once
from liaison.services import writers

KEEP = timedelta(days=90)
"""How long after their last draft is gone; no page that is sent stands open for longer."""


def note(session: Session, draft_id: UUID, person_id: UUID, now: datetime) -> None:
    """Notes that a person typed into a draft; once, however often."""
    values = {"draft_id": draft_id, "person_id": person_id, "at": now}
    insert_once(session, UnfinishedWriter, values)


def go_on(
    session: Session, authority_id: UUID, earlier: Sequence[UUID], draft_id: UUID, now: datetime
) -> None:
    """A draft goes on with the text of earlier ones: their typists have typed into this one."""
    others = [one for one in earlier if one != draft_id]
    for person_id in session.scalars(_of(authority_id, others)).all() if others else ():
        note(session, draft_id, person_id, now)


def credit(
    session: Session,
    authority_id: UUID,
    drafts: Sequence[UUID],
    made: Sequence[Order],
    now: datetime,
) -> None:
    """Whoever typed into these drafts has written the orders that were made of their text.

    Only people of the authority: the id of another one's draft names nobody.
    """
    people = session.scalars(_of(authority_id, drafts)).all()
    for order in made:
        for person_id in people:
            writers.note_writer(session, order, person_id, now)


def let_go(session: Session, drafts: Sequence[UUID]) -> dict[UUID, list[str]]:
    """By draft the names of those who typed into it and whose access has been ended since."""
    query = (
        select(UnfinishedWriter.draft_id, Person.name)
        .join(Person, Person.id == UnfinishedWriter.person_id)
        .where(UnfinishedWriter.draft_id.in_(drafts), Person.disabled_at.is_not(None))
        .order_by(Person.name)
    )
    found: dict[UUID, list[str]] = {}
    for draft_id, name in session.execute(query):
        found.setdefault(draft_id, []).append(name)
    return found


def past_their_time(now: datetime) -> Delete:
    """What housekeeping removes: typists of drafts that are long gone."""
    gone = UnfinishedWriter.draft_id.not_in(select(UnfinishedDraft.id))
    return delete(UnfinishedWriter).where(gone, UnfinishedWriter.at < now - KEEP)


def _of(authority_id: UUID, drafts: Sequence[UUID]) -> Select[UUID]:
    """The typists' ids, whoever was first."""
    return (
        select(UnfinishedWriter.person_id)
        .join(Person, Person.id == UnfinishedWriter.person_id)
        .where(UnfinishedWriter.draft_id.in_(drafts), Person.authority_id == authority_id)
        .order_by(UnfinishedWriter.at, UnfinishedWriter.person_id)
    )
