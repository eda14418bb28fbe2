"""What a person set going for others, or for themselves, before they were let go."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select, update
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import MemorandumState
from liaison.models import FactorReset, Invitation, Memorandum, Person, Signature
from liaison.services import doubts, keys, resets


def take_back(session: Session, person: Person, actor: Actor, now: datetime) -> dict[str, Any]:
    """Revokes their keys, invitations and resets; gives back what, for the portal log.

    Whoever made a key has seen it, and may hold it still.
    """
    revoked = keys.revoke_of(session, person.id, now, by=actor.person_id)
    touched = _resets(session, person, actor, now)
    gone = _invitations(session, person, touched, now)
    return {"keys": [str(key.id) for key in revoked], "invitations": gone}


def void_signatures(session: Session, person: Person, now: datetime) -> dict[str, Any]:
    """Voids what they signed in drafts: their side signs again. What is agreed stays agreed.

    Gives back under which, for the portal log.
    """
    drafts = select(Memorandum.id).where(Memorandum.state == MemorandumState.DRAFT)
    voided = session.scalars(
        update(Signature)
        .where(
            Signature.person_id == person.id,
            Signature.voided_at.is_(None),
            Signature.memorandum_id.in_(drafts),
        )
        .values(voided_at=now)
        .returning(Signature.memorandum_id)
        .execution_options(synchronize_session="fetch")
    )
    found = sorted(str(row) for row in voided)
    return {"signatures": found} if found else {}


def void_vouches(session: Session, person: Person, actor: Actor, now: datetime) -> dict[str, Any]:
    """Their vouches for orders that are still doubted count no more; gives back for which.

    Two others vouch, or the order is withdrawn: a hijacked account may have vouched for it.
    """
    found = doubts.void_of(session, person, actor, now)
    return {"vouches": found} if found else {}


def _resets(session: Session, person: Person, actor: Actor, now: datetime) -> set[UUID]:
    """Cancels resets they asked for and the one of themselves; their confirmation counts no more.

    Gives back whose resets these are: a link that was sent under one is void.
    """
    rows = session.scalars(
        select(FactorReset)
        .where(
            or_(
                FactorReset.asked_by_id == person.id,
                FactorReset.person_id == person.id,
                FactorReset.confirmed_by_id == person.id,
            ),
            FactorReset.done_at.is_(None),
            FactorReset.cancelled_at.is_(None),
        )
        .order_by(FactorReset.id)
        .with_for_update(of=FactorReset)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        if person.id in (row.asked_by_id, row.person_id):
            row.cancelled_at, row.cancelled_by_id = now, actor.person_id
        else:
            row.confirmed_at = row.confirmed_by_id = None
            row.effective_at = row.asked_at + resets.COOLING_OFF
    session.flush()
    return {row.person_id for row in rows}


def _invitations(
    session: Session, person: Person, reset: Collection[UUID], now: datetime
) -> list[str]:
    """Doors that a hijacked account may have opened for others, or for itself."""
    gone = session.scalars(
        update(Invitation)
        .where(
            or_(
                Invitation.invited_by_id == person.id,
                Invitation.person_id == person.id,
                and_(Invitation.kind == resets.KIND, Invitation.person_id.in_(reset)),
            ),
            Invitation.used_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(revoked_at=now)
        .returning(Invitation.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(str(row) for row in gone)
