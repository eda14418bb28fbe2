"""What the worker last looked at and last told, by name: each turn once, each spell told once.

Several workers may look at the same moment; the row of the name orders them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CursorResult, or_, select, update
from sqlalchemy.orm import Session

from liaison.models import Watch
from liaison.models.base import insert_once


class Change(StrEnum):
    """What became of a fault since it was last looked at."""

    BEGAN = "began"
    ENDED = "ended"
    NONE = "none"


def take_turn(session: Session, name: str, now: datetime, every: timedelta) -> bool:
    """Whether it is this worker's turn: at most once in ``every``, whoever asks.

    A turn that was taken in the future was taken by a clock that was wrong.
    """
    if insert_once(session, Watch, {"name": name, "at": now, "said": {}}):
        return True
    step = (
        update(Watch)
        .where(Watch.name == name, or_(Watch.at <= now - every, Watch.at > now + every))
        .values(at=now)
        .execution_options(synchronize_session=False)
    )
    result = session.execute(step)
    return isinstance(result, CursorResult) and result.rowcount == 1


def is_turn(session: Session, name: str, now: datetime, every: timedelta) -> bool:
    """Whether somebody's turn has come: asked before a writing transaction is begun."""
    at = last(session, name)
    return at is None or at <= now - every or at > now + every


def last(session: Session, name: str) -> datetime | None:
    """When it was last done; None where it never was."""
    return session.scalar(select(Watch.at).where(Watch.name == name))


def note(session: Session, name: str, now: datetime) -> None:
    """It was done now."""
    if not insert_once(session, Watch, {"name": name, "at": now, "said": {}}):
        session.execute(
            update(Watch)
            .where(Watch.name == name)
            .values(at=now)
            .execution_options(synchronize_session=False)
        )


def is_told(session: Session, name: str) -> bool:
    """Whether people were told of a fault that lasts."""
    return bool((session.scalar(select(Watch.said).where(Watch.name == name)) or {}).get("bad"))


def since(session: Session, name: str, now: datetime, *, bad: bool) -> Change:
    """Notes whether a fault is there; what became of it, told to one caller only."""
    insert_once(session, Watch, {"name": name, "at": now, "said": {}})
    row = session.scalars(
        select(Watch)
        .where(Watch.name == name)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if bool(row.said.get("bad")) is bad:
        return Change.NONE
    row.said, row.at = {"bad": bad}, now
    session.flush()
    return Change.BEGAN if bad else Change.ENDED
