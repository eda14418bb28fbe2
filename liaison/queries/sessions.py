"""A person's own sessions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.models import SignIn
from liaison.services.accounts import IDLE


def running(session: Session, person_id: UUID, now: datetime) -> list[SignIn]:
    """The sessions that still let the person in, the latest used first."""
    return list(
        session.scalars(
            select(SignIn)
            .where(
                SignIn.person_id == person_id,
                SignIn.factor_at.is_not(None),
                SignIn.ended_at.is_(None),
                SignIn.expires_at > now,
                SignIn.last_seen_at > now - IDLE,
            )
            .order_by(SignIn.last_seen_at.desc(), SignIn.id)
        )
    )
