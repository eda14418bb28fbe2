"""Keeping the entries of authorities: several stand side by side, police and prosecution."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.register_entry import (
    AUTHORITY_FIELDS,
    AuthorityEntry,
    differences,
    plain,
    read_authority,
)
from liaison.errors import FieldError, Forbidden, Invalid, NotFound
from liaison.models import Authority
from liaison.models.base import new_id
from liaison.services import entry_letters, guards, organisations, portal_log
from liaison.services.providers import EntryChanged, reason_fault

LOG = "portal"
"""Whose log an authority's entry stands in: every auditor reads it, the register is common."""

FIXED = "The code begins the names of this authority’s orders; it never changes."


def register_authority(
    session: Session, actor: Actor, data: Mapping[str, object], now: datetime
) -> Authority:
    """A new authority. Its first administrator is invited from its page."""
    demand(actor, Verb.MANAGE_REGISTER)
    guards.fresh_factor(actor, now)
    entry = read_authority(data)
    if faults := _taken(session, None, entry):
        raise Invalid(faults)
    row = Authority(id=new_id(), **_values(entry))
    session.add(row)
    _flush(session)
    _note(session, now, "authority_registered", actor, row, differences(None, entry))
    return row


def change_authority(
    session: Session,
    actor: Actor,
    authority_id: UUID,
    data: Mapping[str, object],
    seen: str,
    now: datetime,
    *,
    reason: str = "",
    base_url: str = "",
) -> Authority:
    """The entry in another wording. ``seen``: the version it was read in (``version``).

    Another status needs a reason; it stands in the portal log.
    """
    demand(actor, Verb.MANAGE_REGISTER)
    row = held(session, authority_id)
    demand_own(session, actor, row)
    guards.fresh_factor(actor, now)
    entry = _checked(session, row, data, reason)
    if seen != version(row):
        raise EntryChanged(
            f"The entry of {row.name} changed since you read it. Nothing was done. "
            "Read it again, then decide."
        )
    changes = differences(entry_of(row), entry)
    if not changes:
        return row
    for name, value in _values(entry).items():
        setattr(row, name, value)
    _flush(session)
    entry_letters.tell_authority(session, row, tuple(changes), actor, now, base_url)
    _note(session, now, "authority_changed", actor, row, changes, reason)
    return row


def may_change(session: Session, actor: Actor, row: Authority) -> bool:
    """An authority keeps its own entry; another keeps it only while nobody there can."""
    return actor.authority_id == row.id or not organisations.has_keeper(session, row)


def demand_own(session: Session, actor: Actor, row: Authority) -> None:
    """``Forbidden`` where the authority has administrators of its own."""
    if not may_change(session, actor, row):
        raise Forbidden(
            f"{row.name} keeps its own entry. Ask one of its administrators to change it."
        )


def entry_of(row: Authority) -> AuthorityEntry:
    """The entry as it stands."""
    values: dict[str, Any] = {}
    for name in AUTHORITY_FIELDS:
        value = getattr(row, name)
        values[name] = tuple(value) if isinstance(value, list) else value
    values["legal_name"] = row.legal_name or row.name  # older rows have none of their own
    return AuthorityEntry(**values)


def version(row: Authority) -> str:
    """What a form carries to tell which wording it was opened with: a digest of the entry."""
    text = json.dumps(plain(entry_of(row)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def held(session: Session, authority_id: UUID) -> Authority:
    """The authority, locked until this act is done."""
    found = session.scalars(
        select(Authority)
        .where(Authority.id == authority_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def _checked(
    session: Session, row: Authority, data: Mapping[str, object], reason: str
) -> AuthorityEntry:
    check_texts(("/reason", reason, LONGEST_REASON))
    entry = read_authority({**data, "code": data.get("code", row.code)})
    faults = _taken(session, row.id, entry)
    if entry.code != row.code:
        faults.append(FieldError("/code", FIXED))
    if entry.status is not row.status and not reason.strip():
        faults.append(reason_fault())
    if faults:
        raise Invalid(faults)
    return entry


def _taken(session: Session, authority_id: UUID | None, entry: AuthorityEntry) -> list[FieldError]:
    """Faults where another authority has the code or the name."""
    found = session.execute(
        select(Authority.id, Authority.code, Authority.name).where(
            (Authority.code == entry.code) | (func.lower(Authority.name) == entry.name.lower())
        )
    )
    faults = []
    for other, code, name in found:
        if other == authority_id:
            continue
        field, what = ("/code", code) if code == entry.code else ("/name", name)
        faults.append(FieldError(field, f"{what} is registered already, for {name}."))
    return faults


def _flush(session: Session) -> None:
    """Of two who register one code at once the second is told so."""
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        detail = "Somebody registered this code just now. Read the list, then decide."
        raise Invalid([FieldError("/code", detail)]) from None


def _values(entry: AuthorityEntry) -> dict[str, Any]:
    return {n: list(v) if isinstance(v, tuple) else v for n, v in asdict(entry).items()}


def _note(
    session: Session,
    now: datetime,
    type_: str,
    actor: Actor,
    row: Authority,
    changes: dict[str, dict[str, Any]],
    reason: str = "",
) -> None:
    told = {"authority": str(row.id), "name": row.name, "changes": changes}
    if reason.strip():
        told["reason"] = reason.strip()
    data = {**told, **portal_log.by(actor)}
    portal_log.note(session, now, type_, actor.id, LOG, data)
