"""What is thrown away once it can serve nobody: never an entry, an order or a notice."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, Delete, delete, or_
from sqlalchemy.orm import Session

from liaison.models import Heartbeat, IdempotentAnswer, KeptForm, SignIn, Throttle
from liaison.models.base import insert_once
from liaison.services import kept_forms, register_imports

KEEP_ANSWERS = timedelta(days=30)
"""How long a repeated ``POST`` is answered as the first time."""
KEEP_SIGN_INS = timedelta(days=90)
"""How long an ended sign-in stays listed for its owner, and its address counts as known."""
KEEP_BEATS = timedelta(days=1)


def beat(session: Session, worker: str, now: datetime) -> None:
    """Notes that a worker is alive."""
    if not insert_once(session, Heartbeat, {"worker": worker, "at": now}):
        session.get_one(Heartbeat, worker).at = now


def tidy(session: Session, now: datetime) -> int:
    """Removes what is past its time; how many rows went."""
    steps: list[Delete] = [
        delete(IdempotentAnswer).where(IdempotentAnswer.created_at < now - KEEP_ANSWERS),
        delete(Throttle).where(Throttle.window_ends < now),
        delete(SignIn).where(
            or_(
                SignIn.ended_at < now - KEEP_SIGN_INS,
                SignIn.expires_at < now - KEEP_SIGN_INS,
            )
        ),
        delete(KeptForm).where(KeptForm.kept_at <= now - kept_forms.KEEP),
        delete(Heartbeat).where(Heartbeat.at < now - KEEP_BEATS),
    ]
    gone = register_imports.lay_old_aside(session, now)
    for step in steps:
        result = session.execute(step.execution_options(synchronize_session=False))
        gone += result.rowcount if isinstance(result, CursorResult) else 0
    return gone
