"""An organisation's API keys, to be looked at; the keys themselves are nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session, joinedload

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.errors import NotFound
from liaison.models import ApiKey

SOON = timedelta(days=30)


class KeyState(StrEnum):
    """What a key is worth at a moment."""

    IN_FORCE = "in force"
    ENDING = "ending"
    """It expires within 30 days, and has no successor yet."""
    REPLACED = "replaced"
    """It counts beside its successor until it expires."""
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Listed:
    """A key with its state."""

    key: ApiKey
    state: KeyState

    @property
    def counts(self) -> bool:
        """Whether it still opens anything."""
        return self.state not in (KeyState.EXPIRED, KeyState.REVOKED)


def owned_by(organisation: UUID | None) -> ColumnElement[bool]:
    """Keys of one organisation, a provider or an authority; of nobody where there is none."""
    if organisation is None:  # compared with it, the column that is empty in each row would fit
        return false()
    return or_(ApiKey.provider_id == organisation, ApiKey.authority_id == organisation)


def of_own(session: Session, actor: Actor, now: datetime) -> list[Listed]:
    """All keys of the actor's own organisation: those that count first, newest first."""
    demand(actor, Verb.READ_KEYS)
    rows = session.scalars(
        select(ApiKey)
        .where(_own(actor))
        .options(joinedload(ApiKey.created_by))
        .order_by(ApiKey.created_at.desc(), ApiKey.id.desc())
    )
    listed = [Listed(row, state_of(row, now)) for row in rows]
    return sorted(listed, key=lambda one: not one.counts)


def one(session: Session, actor: Actor, key_id: UUID, now: datetime) -> Listed:
    """One of them, for whoever may change it; another organisation's is absent."""
    demand(actor, Verb.MANAGE_KEYS)
    return _found(session, actor, key_id, now)


def seen(session: Session, actor: Actor, key_id: UUID, now: datetime) -> Listed:
    """One of them, for whoever may see them; another organisation's is absent."""
    demand(actor, Verb.READ_KEYS)
    return _found(session, actor, key_id, now)


def _found(session: Session, actor: Actor, key_id: UUID, now: datetime) -> Listed:
    row = session.scalars(
        select(ApiKey)
        .where(ApiKey.id == key_id, _own(actor))
        .options(joinedload(ApiKey.created_by))
    ).one_or_none()
    if row is None:
        raise NotFound
    return Listed(row, state_of(row, now))


def _own(actor: Actor) -> ColumnElement[bool]:
    return owned_by(actor.provider_id or actor.authority_id)


def state_of(row: ApiKey, now: datetime) -> KeyState:
    """What the key is worth now."""
    if row.revoked_at is not None:
        return KeyState.REVOKED
    if row.expires_at is not None and row.expires_at <= now:
        return KeyState.EXPIRED
    if row.successor_id is not None:
        return KeyState.REPLACED
    if row.expires_at is not None and row.expires_at - now <= SOON:
        return KeyState.ENDING
    return KeyState.IN_FORCE
