"""Rotating the encryption key: every sealed secret is sealed anew with the newest one.

Batch by batch, each in a transaction: whoever is interrupted begins again and finds the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from liaison.errors import SettingsError
from liaison.models import (
    KeptForm,
    Message,
    OrderTemplate,
    Person,
    UnfinishedDraft,
    Verification,
    WebhookEndpoint,
)
from liaison.services.vault import Vault

BATCH = 100

Sealed = (
    Person | Message | KeptForm | Verification | UnfinishedDraft | OrderTemplate | WebhookEndpoint
)

SEALED: dict[str, tuple[type[Sealed], str]] = {
    "people's authenticators": (Person, "totp_secret"),
    "links of unsent letters": (Message, "sealed_link"),
    "codes that verify contacts": (Verification, "sealed_code"),
    "kept forms": (KeptForm, "sealed"),
    "unfinished drafts": (UnfinishedDraft, "sealed"),
    "order templates": (OrderTemplate, "sealed"),
    "secrets of webhooks": (WebhookEndpoint, "sealed_secret"),
    "older secrets of webhooks": (WebhookEndpoint, "sealed_old_secret"),
}
"""Every column that the vault seals, by what stands in it.

Not files of a form that was not taken: they are gone within half a day.
"""


@dataclass(frozen=True)
class Batch:
    """What one batch did: how many were sealed anew, and where the next one begins."""

    resealed: int
    last: UUID | None
    """None: there are no more rows."""


@dataclass(frozen=True)
class Count:
    """How many secrets there are, how many wait for rotation, how many nothing opens."""

    all: int
    older: int
    lost: int


def reseal(session: Session, vault: Vault, kind: str, after: UUID | None) -> Batch:
    """Seals the next batch of one kind. A secret that was changed meanwhile is left alone."""
    rows = _rows(session, kind, after)
    done = 0
    for row_id, sealed in rows:
        if not sealed or vault.is_newest(sealed):
            continue
        done += _exchange(session, kind, row_id, sealed, _resealed(vault, kind, row_id, sealed))
    return Batch(done, rows[-1][0] if len(rows) == BATCH else None)


def count(session: Session, vault: Vault) -> Count:
    """Looks at every secret; none is shown."""
    seen = older = lost = 0
    for kind in SEALED:
        after: UUID | None = None
        while True:
            rows = _rows(session, kind, after)
            for _, sealed in rows:
                seen += 1
                if sealed and not vault.is_newest(sealed):
                    fits = vault.can_open(sealed)
                    older, lost = older + fits, lost + (not fits)
            if len(rows) < BATCH:
                break
            after = rows[-1][0]
    return Count(seen, older, lost)


def _columns(kind: str) -> tuple[InstrumentedAttribute[UUID], InstrumentedAttribute[str]]:
    table, name = SEALED[kind]
    column: InstrumentedAttribute[str] = getattr(table, name)
    key: Any = table.id
    return key, column


def _rows(session: Session, kind: str, after: UUID | None) -> list[tuple[UUID, str]]:
    key, column = _columns(kind)
    query = select(key, column).where(column.is_not(None)).order_by(key).limit(BATCH)
    if after is not None:
        query = query.where(key > after)
    return [(row_id, sealed) for row_id, sealed in session.execute(query)]


def _resealed(vault: Vault, kind: str, row_id: UUID, sealed: str) -> str:
    try:
        return vault.reseal(sealed)
    except SettingsError as error:
        raise SettingsError(f"{kind.capitalize()}, {row_id}: {error.detail}") from None


def _exchange(session: Session, kind: str, row_id: UUID, old: str, new: str) -> bool:
    key, column = _columns(kind)
    table, name = SEALED[kind]
    result = session.execute(
        update(table)
        .where(key == row_id, column == old)
        .values({name: new})
        .execution_options(synchronize_session=False)
    )
    return isinstance(result, CursorResult) and result.rowcount == 1
