"""Providers' API keys: shown once, stored as SHA-256, found by one indexed read.

A key is 256 random bits, so a fast hash is enough: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor, Via
from liaison.domain.vocabulary import Role
from liaison.errors import Unauthenticated
from liaison.models import ApiKey, Provider

SCOPES = ("read", "respond", "webhooks")
PREFIX = "lsn_"


def make_key(
    session: Session,
    provider: Provider,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    *,
    expires_at: datetime | None = None,
    key: str | None = None,
) -> tuple[ApiKey, str]:
    """A new key of a provider; the key itself is given back once and never again."""
    wanted = list(scopes)
    assert wanted, "a key has a scope"
    assert set(wanted) <= set(SCOPES), "a key's scopes are read, respond, webhooks"
    key = key or PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(
        provider=provider,
        name=name,
        prefix=key[:12],
        key_hash=_hash(key),
        scopes=wanted,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    return row, key


def actor_for_key(
    session: Session, presented: str, address: str, now: datetime
) -> tuple[ApiKey, Actor]:
    """The key and the program behind it; ``Unauthenticated`` says what is wrong with it."""
    row = None
    if presented.startswith(PREFIX):
        row = session.scalars(
            select(ApiKey).where(ApiKey.key_hash == _hash(presented))
        ).one_or_none()
    if row is None:
        raise Unauthenticated("This key is not known. A key begins with lsn_; check it for typos.")
    if row.revoked_at is not None:
        raise Unauthenticated(
            "This key was revoked. Ask your provider administrator for a new one."
        )
    if row.expires_at is not None and row.expires_at <= now:
        raise Unauthenticated(
            "This key has expired. Ask your provider administrator for a new one."
        )
    actor = Actor(
        id=f"key:{row.id}",
        name=row.name,
        roles=frozenset({Role.PROGRAM}),
        provider_id=row.provider_id,
        organisation=row.provider.name,
        via=Via("api-key", str(row.id), address),
    )
    return row, actor


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
