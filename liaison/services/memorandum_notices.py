"""Letters before a memorandum ends: 90, 30 and 7 days before, each once, to both sides."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, case, exists, literal, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from liaison.domain.vocabulary import MemorandumState, Side
from liaison.models import Memorandum, Signature
from liaison.services import memorandum_letters as letters

DAYS_BEFORE = (90, 30, 7)
BATCH = 20
"""Memoranda told of in one transaction."""


def is_due(session: Session, now: datetime) -> bool:
    """Whether anybody is to be told: asked before a writing transaction is begun."""
    return session.scalar(select(Memorandum.id).where(_due(now)).limit(1)) is not None


def run(session: Session, now: datetime, base_url: str) -> int:
    """Queues the letters that are due; how many. What was told is noted with the memorandum."""
    rows = session.scalars(
        select(Memorandum)
        .where(_due(now))
        .order_by(Memorandum.in_force_to, Memorandum.id)
        .limit(BATCH)
        # Orders refer to it meanwhile: an emergency is issued without waiting for letters.
        .with_for_update(key_share=True, skip_locked=True, of=Memorandum)
        .execution_options(populate_existing=True)
    ).all()
    told = sum(_tell(session, row, base_url, now) for row in rows)
    session.flush()
    return told


def _due(now: datetime) -> ColumnElement[bool]:
    """Those that end soon, where nobody was told since the latest letter's moment came.

    After a time without a worker only the latest letter goes out. Whoever agreed on the end, or
    was told that it was set, after a letter's moment knows already.
    """
    today = now.astimezone(UTC).date()
    days = [today + timedelta(days=n) for n in range(max(DAYS_BEFORE) + 1)]
    # Each day's own moment is written out: databases count with days each in its own way.
    moment = case(
        {day: literal(_midnight(day, today), Memorandum.warned_at.type) for day in days},
        value=Memorandum.in_force_to,
    )
    told = exists().where(
        Signature.memorandum_id == Memorandum.id,
        Signature.voided_at.is_(None),
        Signature.signed_at >= moment,
    )
    return and_(
        Memorandum.state == MemorandumState.AGREED,
        Memorandum.in_force_to.between(days[0], days[-1]),
        Memorandum.in_force_to >= Memorandum.in_force_from,
        or_(Memorandum.warned_at.is_(None), Memorandum.warned_at < moment),
        or_(Memorandum.ended_at.is_(None), Memorandum.ended_at < moment),
        ~told,
        ~_followed(days),
    )


def _followed(days: list[date]) -> ColumnElement[bool]:
    """Whether a later agreed one takes over by the day after the end: then nothing ends."""
    other = aliased(Memorandum)
    day_after = case(
        {day: literal(day + timedelta(days=1), Memorandum.in_force_from.type) for day in days},
        value=Memorandum.in_force_to,
    )
    return exists().where(
        other.authority_id == Memorandum.authority_id,
        other.provider_id == Memorandum.provider_id,
        other.state == MemorandumState.AGREED,
        or_(other.in_force_to.is_(None), other.in_force_to >= other.in_force_from),
        tuple_(other.in_force_from, other.version, other.id)
        > tuple_(Memorandum.in_force_from, Memorandum.version, Memorandum.id),
        other.in_force_from <= day_after,
    )


def _days_before(last: date, today: date) -> int:
    """Which letter is the latest one due, in days before the last day."""
    return min(days for days in DAYS_BEFORE if last - timedelta(days=days) <= today)


def _midnight(last: date, today: date) -> datetime:
    return datetime.combine(last - timedelta(days=_days_before(last, today)), time(), UTC)


def _tell(session: Session, row: Memorandum, base: str, now: datetime) -> int:
    assert row.in_force_to is not None, "one without an end is not asked about"
    today = now.astimezone(UTC).date()
    draft = session.scalars(
        select(Memorandum.version).where(
            Memorandum.authority_id == row.authority_id,
            Memorandum.provider_id == row.provider_id,
            Memorandum.state == MemorandumState.DRAFT,
        )
    ).first()
    told = {
        "days": (row.in_force_to - today).days,
        "last": letters.day_words(row.in_force_to),
        "draft": draft,
        "link": f"{base}/memoranda/{row.id}",
    }
    row.warned_at = now
    # The end stands in the letter's reason: one that is moved is told of anew.
    reason = f"{row.in_force_to}:{_days_before(row.in_force_to, today)}"
    return letters.tell(session, row, Side, "memorandum_ends", told, reason, now)
