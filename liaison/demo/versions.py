"""A memorandum's next version in the demo: written by both sides, signed by one."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.demo.stage import Stage, acting
from liaison.domain.memorandum_entry import written
from liaison.domain.terms import terms_from_json
from liaison.models import Memorandum, Provider
from liaison.queries import memoranda as queries
from liaison.services import memoranda, memorandum_signing

_OURS, _THEIRS = "supervisor@police.example", "admin@meridian.example"


def play(stage: Stage, now: datetime) -> None:
    """The supervisor begins it, Meridian's administrator changes a term, the supervisor signs."""
    begun = now - timedelta(hours=110)
    draft = stage.act(begun, _begin)
    stage.act(begun + timedelta(hours=4), lambda s, at: _change(s, draft, at))
    stage.act(begun + timedelta(hours=24), lambda s, at: _sign(s, draft, at))


def _begin(session: Session, now: datetime) -> UUID:
    meridian = session.scalars(select(Provider).where(Provider.name == "Meridian Telecom")).one()
    side = {"provider_id": str(meridian.id)}
    return memoranda.draft(session, acting(session, _OURS, now), side, now).id


def _change(session: Session, draft: UUID, now: datetime) -> None:
    row = session.get_one(Memorandum, draft)
    terms = terms_from_json(row.terms)
    data = written(row.reference, row.in_force_from, row.in_force_to, terms)
    data["clocks"]["emergency"]["acknowledge"] = "45 min"
    data["drills_a_year"] = 4
    memoranda.write(session, acting(session, _THEIRS, now), draft, data, row.edit, now)


def _sign(session: Session, draft: UUID, now: datetime) -> None:
    row = session.get_one(Memorandum, draft)
    sha256 = queries.sha256(session, row)
    memorandum_signing.sign(session, acting(session, _OURS, now), draft, sha256, row.edit, now)
