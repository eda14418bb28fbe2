"""``Idempotency-Key``: the same request sent twice acts once and is answered alike.

The key is claimed by the first write of the act's own transaction and carries the answer when
that commits. A second request with the same key waits for the first one's transaction, then
finds the answer; where the first was rolled back, it acts itself. Only answers of acts that were
done are kept: a refused request changed nothing and may be sent again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from liaison.errors import FieldError, Invalid
from liaison.models import IdempotentAnswer
from liaison.models.base import insert_once, new_id
from liaison.services.housekeeping import KEEP_ANSWERS

LONGEST_KEY = 255
"""Characters, visible ASCII."""


@dataclass(frozen=True)
class Kept:
    """An answer that was given before."""

    status: int
    body: str


def request_hash(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same."""
    told = f"{method} {path}\n".encode()
    return hashlib.sha256(told + body).hexdigest()


def check_key(key: str) -> None:
    """``Invalid`` unless the key is short, visible ASCII."""
    if not 1 <= len(key) <= LONGEST_KEY or not all(33 <= ord(c) <= 126 for c in key):
        detail = f"Idempotency-Key: give 1 to {LONGEST_KEY} visible ASCII characters, like a UUID."
        raise Invalid([FieldError("", detail)])


def claim(session: Session, api_key: UUID, key: str, digest: str, now: datetime) -> Kept | None:
    """Claims the key for this transaction; gives back the answer if one was given before.

    ``Invalid`` where the key was used for another request.
    """
    check_key(key)
    # Past its time but not tidied away yet: as good as gone.
    session.execute(
        delete(IdempotentAnswer)
        .where(*_named(api_key, key), IdempotentAnswer.created_at < now - KEEP_ANSWERS)
        .execution_options(synchronize_session=False)
    )
    values = {
        "id": new_id(),
        "api_key_id": api_key,
        "idempotency_key": key,
        "request_hash": digest,
        "status": 0,
        "body": "",
        "created_at": now,
    }
    if insert_once(session, IdempotentAnswer, values):
        return None
    return _of(session.scalars(select(IdempotentAnswer).where(*_named(api_key, key))).one(), digest)


def known(session: Session, api_key: UUID, key: str, digest: str, now: datetime) -> Kept | None:
    """The answer if one was given before; claims nothing. ``Invalid`` as for ``claim``."""
    check_key(key)
    found = select(IdempotentAnswer).where(
        *_named(api_key, key), IdempotentAnswer.created_at >= now - KEEP_ANSWERS
    )
    kept = session.scalars(found).one_or_none()
    return _of(kept, digest) if kept else None


def _of(kept: IdempotentAnswer, digest: str) -> Kept:
    if kept.request_hash != digest:
        detail = "Idempotency-Key: this key was used for another request. Take a new one."
        raise Invalid([FieldError("", detail)])
    return Kept(kept.status, kept.body)


def keep(session: Session, api_key: UUID, key: str, status: int, body: str) -> None:
    """Stores the answer under the key claimed in this transaction."""
    session.execute(
        update(IdempotentAnswer)
        .where(*_named(api_key, key))
        .values(status=status, body=body)
        .execution_options(synchronize_session=False)
    )


def _named(api_key: UUID, key: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (IdempotentAnswer.api_key_id == api_key, IdempotentAnswer.idempotency_key == key)
