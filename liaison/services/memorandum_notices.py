"""Letters before a memorandum ends: 90, 30 and 7 days before, each once, to both sides."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import MemorandumState, Side
from liaison.models import Memorandum
from liaison.queries import memoranda as queries
from liaison.services import memorandum_letters as letters

DAYS_BEFORE = (90, 30, 7)
BATCH = 20
"""Memoranda told of in one transaction."""


def is_due(session: Session, now: datetime) -> bool:
    """Whether anybody is to be told: asked before a writing transaction is begun."""
    found = session.scalars(select(Memorandum).where(_ending(now)))
    return any(_days_due(session, row, now) for row in found)


def run(session: Session, now: datetime, base_url: str) -> int:
    """Queues the letters that are due; how many. What was told is noted with the memorandum."""
    rows = session.scalars(
        select(Memorandum)
        .where(_ending(now))
        .order_by(Memorandum.in_force_to, Memorandum.id)
        .with_for_update(skip_locked=True, of=Memorandum)
        .execution_options(populate_existing=True)
    )
    due = [(row, threshold) for row in rows if (threshold := _days_due(session, row, now))]
    told = sum(_tell(session, row, threshold, base_url, now) for row, threshold in due[:BATCH])
    session.flush()
    return told


def _ending(now: datetime) -> ColumnElement[bool]:
    today = now.astimezone(UTC).date()
    return (
        (Memorandum.state == MemorandumState.AGREED)
        & (Memorandum.in_force_to >= today)
        & (Memorandum.in_force_to <= today + timedelta(days=max(DAYS_BEFORE)))
        & (Memorandum.in_force_to >= Memorandum.in_force_from)
    )


def _days_due(session: Session, row: Memorandum, now: datetime) -> int:
    """Which letter is due, in days before the last day; 0 where none is.

    After a time without a worker only the latest letter goes out. Whoever agreed on the end, or
    was told that it was set, after a letter's moment knows already.
    """
    assert row.in_force_to is not None, "one without an end is not asked about"
    known = _known(row)
    for days in sorted(DAYS_BEFORE):
        moment = _midnight(row, days)
        if moment <= now:
            return days if known < moment and not _is_followed(session, row) else 0
    return 0


def _known(row: Memorandum) -> datetime:
    """When both sides last heard of the end."""
    heard = [signature.signed_at for signature in row.standing]
    heard += [moment for moment in (row.warned_at, row.ended_at) if moment is not None]
    return max(heard, default=datetime.min.replace(tzinfo=UTC))


def _is_followed(session: Session, row: Memorandum) -> bool:
    """Whether a later agreed one takes over by the day after the end: then nothing ends."""
    assert row.in_force_to is not None
    by = queries.successor(row, queries.of_pair(session, row))
    return by is not None and by.in_force_from <= row.in_force_to + timedelta(days=1)


def _midnight(row: Memorandum, days: int) -> datetime:
    assert row.in_force_to is not None
    return datetime.combine(row.in_force_to - timedelta(days=days), time(), UTC)


def _tell(session: Session, row: Memorandum, threshold: int, base: str, now: datetime) -> int:
    assert row.in_force_to is not None
    draft = session.scalars(
        select(Memorandum.version).where(
            Memorandum.authority_id == row.authority_id,
            Memorandum.provider_id == row.provider_id,
            Memorandum.state == MemorandumState.DRAFT,
        )
    ).first()
    told = {
        "days": (row.in_force_to - now.astimezone(UTC).date()).days,
        "last": letters.day_words(row.in_force_to),
        "draft": draft,
        "link": f"{base}/memoranda/{row.id}",
    }
    row.warned_at = now
    # The end stands in the letter's reason: one that is moved is told of anew.
    reason = f"{row.in_force_to}:{threshold}"
    return letters.tell(session, row, Side, "memorandum_ends", told, reason, now)
