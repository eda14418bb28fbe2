"""What somebody had typed when their session ran out: sealed, theirs alone, for half a day."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from liaison.errors import SettingsError
from liaison.models import KeptForm, SignIn
from liaison.services import factors
from liaison.services.vault import Vault

KEEP = timedelta(hours=12)
"""As long as a whole session lasts."""

KNOWN = timedelta(days=7)
"""How long after its last use a session still says whose form it is: a window left open over the
weekend is one; a cookie that somebody finds on an old disk is not."""

MOST = 10
"""Forms of one person; the oldest gives way."""

Fields = tuple[tuple[str, str], ...]
"""Name and value, in the order they were sent; a name may come more than once."""


class Why(StrEnum):
    """Why a form was not taken when it was sent."""

    SIGNED_OUT = "signed_out"
    FACTOR = "factor"
    """The act needs a fresh code first."""
    OVERTAKEN = "overtaken"
    """Somebody else saved a newer version of the same draft."""


@dataclass(frozen=True)
class Kept:
    """What was typed, and why it was not taken."""

    fields: Fields
    why: Why


def owner(session: Session, token: str, now: datetime) -> UUID | None:
    """Whose session this was, where it ran out or was ended not long ago.

    A disabled person has nothing kept; neither has who never gave a second factor.
    """
    row = session.scalars(
        select(SignIn).where(SignIn.token_hash == factors.token_hash(token))
    ).one_or_none()
    if row is None or row.factor_at is None or row.person.disabled_at is not None:
        return None
    return row.person_id if now - row.last_seen_at < KNOWN else None


def keep(
    session: Session,
    vault: Vault,
    person_id: UUID,
    path: str,
    fields: Iterable[tuple[str, str]],
    now: datetime,
    *,
    why: Why = Why.SIGNED_OUT,
) -> UUID:
    """Keeps a form, sealed: it may hold a case. The id is what its page is asked with."""
    sealed = vault.seal(json.dumps({"why": why.value, "fields": list(fields)}))
    row = KeptForm(person_id=person_id, path=path, sealed=sealed, kept_at=now)
    session.add(row)
    session.flush()
    newest = (
        select(KeptForm.id)
        .where(KeptForm.person_id == person_id)
        .order_by(KeptForm.kept_at.desc(), KeptForm.id.desc())
        .limit(MOST)
    )
    session.execute(
        delete(KeptForm)
        .where(KeptForm.person_id == person_id, KeptForm.id.not_in(newest))
        .execution_options(synchronize_session=False)
    )
    return row.id


def take(
    session: Session, vault: Vault, kept_id: UUID, person_id: UUID, path: str, now: datetime
) -> Kept | None:
    """What was typed into the form of this page; None where it is another's, or gone. Reads only.

    It stays until it was sent (``drop``) or is past its time: a page may be loaded twice.
    """
    row = session.scalars(
        select(KeptForm).where(
            KeptForm.id == kept_id,
            KeptForm.person_id == person_id,
            KeptForm.path == path,
            KeptForm.kept_at > now - KEEP,
        )
    ).one_or_none()
    if row is None:
        return None
    try:
        found = json.loads(vault.open(row.sealed))
    except SettingsError:
        return None  # sealed with a key that has left the ring since
    return Kept(tuple((name, text) for name, text in found["fields"]), Why(found["why"]))


def drop(session: Session, kept_id: UUID, person_id: UUID) -> None:
    """Forgets a form once it was sent."""
    session.execute(
        delete(KeptForm)
        .where(KeptForm.id == kept_id, KeptForm.person_id == person_id)
        .execution_options(synchronize_session=False)
    )
