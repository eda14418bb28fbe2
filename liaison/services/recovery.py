"""Recovery codes: ten, each stands in for the second factor once. Stored as their SHA-256.

A fast hash is enough: a code carries 80 random bits, which nobody tries out.
"""

from __future__ import annotations

import hashlib
import secrets
from base64 import b32encode
from datetime import datetime
from uuid import UUID

from sqlalchemy import CursorResult, delete, func, select, update
from sqlalchemy.orm import Session

from liaison.models import Person, RecoveryCode

HOW_MANY = 10
_BYTES, _GROUP = 10, 4
"""Random bytes of a code (16 characters of base32), and characters of a printed group."""

_LOOK_ALIKE = str.maketrans("018", "OIB")
"""Digits that base32 does not have, typed for the letters they look like."""


def make(session: Session, person: Person, now: datetime) -> list[str]:
    """Ten new codes, as they are shown once; the old ones are worth nothing from now on."""
    # Locked: of two new sets at once, the second removes the first.
    session.execute(select(Person.id).where(Person.id == person.id).with_for_update())
    session.execute(
        delete(RecoveryCode)
        .where(RecoveryCode.person_id == person.id)
        .execution_options(synchronize_session=False)
    )
    codes = [_grouped(b32encode(secrets.token_bytes(_BYTES)).decode()) for _ in range(HOW_MANY)]
    session.add_all(
        RecoveryCode(person_id=person.id, code_hash=_hash(code), made_at=now) for code in codes
    )
    session.flush()
    return codes


def use(session: Session, person_id: UUID, typed: str, now: datetime) -> bool:
    """Uses a code up: True once, whoever comes first, however it is spaced or written."""
    used = session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == person_id,
            RecoveryCode.code_hash == _hash(typed),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    return isinstance(used, CursorResult) and used.rowcount == 1


def left(session: Session, person_id: UUID) -> int:
    """How many codes still count."""
    found = session.scalar(
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
    )
    return found or 0


def _grouped(code: str) -> str:
    return "-".join(code[at : at + _GROUP] for at in range(0, len(code), _GROUP))


def _hash(typed: str) -> str:
    plain = "".join(char for char in typed[:100].upper() if char.isalnum()).translate(_LOOK_ALIKE)
    return hashlib.sha256(plain.encode("utf-8", "replace")).hexdigest()
