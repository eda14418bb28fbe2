"""Files that were sent with a form that was not taken: sealed, theirs alone, for half a day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session, undefer

from liaison.errors import SettingsError
from liaison.models import KeptFile
from liaison.services.kept_forms import KEEP
from liaison.services.vault import Vault

MOST_BYTES = 32 * 1024 * 1024
"""Of one person, more than the files of one message; the oldest give way."""
MOST = 50
"""Files of one person: empty ones have no bytes to count."""
LONGEST_NAME = 255
"""Characters of a file's or a field's name that are kept."""


@dataclass(frozen=True)
class Held:
    """A file that waits: what it is called, and how many bytes it has."""

    id: UUID
    field: str
    name: str
    size: int
    content: bytes = b""


def keep(
    session: Session,
    vault: Vault,
    person_id: UUID,
    path: str,
    field: str,
    name: str,
    content: bytes,
    now: datetime,
) -> Held | None:
    """Keeps one file of a form's field; None where it is too large ever to be kept."""
    if len(content) > MOST_BYTES:
        return None
    field, name = field[:LONGEST_NAME], name[-LONGEST_NAME:]  # what ends it says what it is
    row = KeptFile(
        person_id=person_id,
        path=path,
        field=field,
        name=vault.seal(name),
        size=len(content),
        sealed=vault.seal_bytes(content),
        kept_at=now,
    )
    session.add(row)
    session.flush()
    _give_way(session, person_id)
    return Held(row.id, field, name, row.size)


def _give_way(session: Session, person_id: UUID) -> None:
    """The newest stay, as many as fit."""
    rows = session.execute(
        select(KeptFile.id, KeptFile.size)
        .where(KeptFile.person_id == person_id)
        .order_by(KeptFile.kept_at.desc(), KeptFile.id.desc())
    )
    room, gone = MOST_BYTES, []
    for place, (id_, size) in enumerate(rows):
        room -= size
        if room < 0 or place >= MOST:
            gone.append(id_)
    if gone:
        drop(session, gone, person_id)


def listed(
    session: Session, vault: Vault, person_id: UUID, path: str, field: str, now: datetime
) -> list[Held]:
    """The files that wait for a field of this page, without their content; first come first."""
    return _found(session, vault, person_id, path, now, KeptFile.field == field)


def take(
    session: Session,
    vault: Vault,
    ids: Collection[UUID],
    person_id: UUID,
    path: str,
    now: datetime,
) -> list[Held]:
    """These files with their content, where they are this person's and this page's. Reads only."""
    return _found(session, vault, person_id, path, now, KeptFile.id.in_(ids), whole=True)


def _found(
    session: Session,
    vault: Vault,
    person_id: UUID,
    path: str,
    now: datetime,
    which: ColumnElement[bool],
    *,
    whole: bool = False,
) -> list[Held]:
    query = (
        select(KeptFile)
        .where(
            KeptFile.person_id == person_id,
            KeptFile.path == path,
            KeptFile.kept_at > now - KEEP,
            which,
        )
        .order_by(KeptFile.id)
    )
    if whole:
        query = query.options(undefer(KeptFile.sealed))
    held = []
    for row in session.scalars(query):
        try:
            content = vault.open_bytes(row.sealed) if whole else b""
            held.append(Held(row.id, row.field, vault.open(row.name), row.size, content))
        except SettingsError:
            continue  # sealed with a key that has left the ring since
    return held


def drop(session: Session, ids: Collection[UUID], person_id: UUID) -> None:
    """Forgets files once they were sent, or unticked."""
    session.execute(
        delete(KeptFile)
        .where(KeptFile.id.in_(ids), KeptFile.person_id == person_id)
        .execution_options(synchronize_session=False)
    )
