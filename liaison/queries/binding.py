"""Who is bound to whom: for how long changes on one side are the other side's matter, too.

Two organisations are bound while a memorandum is agreed and has not ended, for three days more,
and while an order is under way between them: whoever ends a memorandum gains nothing by it at
once.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_
from sqlalchemy.orm import aliased

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import MemorandumState
from liaison.models import Memorandum, Order

AFTERWARDS = timedelta(hours=72)
"""How long an ended memorandum binds still: as long as a change cools off."""

UNDER_WAY = (OrderState.ISSUED, OrderState.ACKNOWLEDGED, OrderState.PRESERVED)


def binds(now: datetime) -> ColumnElement[bool]:
    """Memoranda whose two sides are bound to each other."""
    under_way = (
        exists()
        .where(
            Order.authority_id == Memorandum.authority_id,
            Order.provider_id == Memorandum.provider_id,
            Order.state.in_(UNDER_WAY),
        )
        .correlate(Memorandum)
    )
    return and_(
        Memorandum.state == MemorandumState.AGREED,
        or_(and_(_lasts(now), ~_superseded(now)), under_way),
    )


def rules(now: datetime) -> ColumnElement[bool]:
    """Memoranda whose ladders count: in force, to come, or ended less than three days ago."""
    last = Memorandum.in_force_to
    return and_(
        Memorandum.state == MemorandumState.AGREED,
        _lasts(now),
        ~_superseded(now),
        or_(last.is_(None), last >= Memorandum.in_force_from),
    )


def _lasts(now: datetime) -> ColumnElement[bool]:
    """Not ended, or less than three days ago: by its last day (UTC), and by when that was set."""
    since = now.astimezone(UTC) - AFTERWARDS
    last = Memorandum.in_force_to
    return or_(last.is_(None), last >= since.date(), Memorandum.ended_at > since)


def _superseded(now: datetime) -> ColumnElement[bool]:
    """A later one between the same two has begun: ``registry.memorandum_in_force`` in SQL."""
    later = aliased(Memorandum)
    begins, last = later.in_force_from, later.in_force_to
    newer = or_(
        begins > Memorandum.in_force_from,
        and_(begins == Memorandum.in_force_from, later.version > Memorandum.version),
        and_(
            begins == Memorandum.in_force_from,
            later.version == Memorandum.version,
            later.id > Memorandum.id,
        ),
    )
    return (
        exists()
        .where(
            later.authority_id == Memorandum.authority_id,
            later.provider_id == Memorandum.provider_id,
            later.state == MemorandumState.AGREED,
            begins <= now.astimezone(UTC).date(),
            or_(last.is_(None), last >= begins),
            newer,
        )
        .correlate(Memorandum)
    )
