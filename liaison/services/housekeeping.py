"""What is thrown away once it can serve nobody: never an entry, an order or a notice.

A canary is no notice: it carries nothing and goes to nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, Delete, delete, or_, select
from sqlalchemy.orm import Session

from liaison.domain.lifecycle import OrderState
from liaison.models import (
    Heartbeat,
    IdempotentAnswer,
    KeptFile,
    KeptForm,
    Order,
    Presence,
    SignIn,
    Throttle,
    UnfinishedDraft,
)
from liaison.models.base import insert_once
from liaison.services import (
    canaries,
    kept_forms,
    key_log,
    presence,
    register_imports,
    typists,
    webhooks,
)

KEEP_ANSWERS = timedelta(days=30)
"""How long a repeated ``POST`` is answered as the first time."""
KEEP_SIGN_INS = timedelta(days=90)
"""How long an ended sign-in stays listed for its owner, and its address counts as known."""
KEEP_BEATS = timedelta(days=1)

_WRITTEN = (OrderState.DRAFT, OrderState.SUBMITTED)
"""What can still be written: a submitted order may come back."""


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
        delete(KeptFile).where(KeptFile.kept_at <= now - kept_forms.KEEP),
        delete(Presence).where(Presence.seen_at <= now - presence.GONE),
        # Changes to a draft order that was issued or discarded: nobody can make them any more.
        delete(UnfinishedDraft).where(
            UnfinishedDraft.order_id.in_(select(Order.id).where(Order.state.not_in(_WRITTEN)))
        ),
        typists.past_their_time(now),
        key_log.past_their_time(now),
        delete(Heartbeat).where(Heartbeat.at < now - KEEP_BEATS),
    ]
    gone = register_imports.lay_old_aside(session, now) + canaries.throw_away(session, now)
    webhooks.forget_older_secrets(session, now)
    for step in steps:
        result = session.execute(step.execution_options(synchronize_session=False))
        gone += result.rowcount if isinstance(result, CursorResult) else 0
    return gone
