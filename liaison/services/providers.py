"""Keeping the entries of providers: registering one, changing it, suspending and closing it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.register_entry import (
    PROVIDER_FIELDS,
    ProviderEntry,
    differences,
    name_key,
    read_provider,
)
from liaison.errors import FieldError, Invalid, NotFound, Stale
from liaison.models import Provider
from liaison.models.base import new_id
from liaison.services import entry_letters, guards, holdings, portal_log


class EntryChanged(Stale):
    """Somebody else wrote the entry meanwhile."""

    title = "The entry changed in the meantime"


def register_provider(
    session: Session, actor: Actor, data: Mapping[str, object], now: datetime
) -> Provider:
    """A new provider."""
    demand(actor, Verb.MANAGE_REGISTER)
    guards.fresh_factor(actor, now)
    return apply_entry(session, None, read_provider(data), actor, now)


def change_provider(
    session: Session,
    actor: Actor,
    provider_id: UUID,
    data: Mapping[str, object],
    seen: str,
    now: datetime,
    *,
    reason: str = "",
    base_url: str = "",
) -> Provider:
    """The entry in another wording. ``seen``: the version it was read in (``version``).

    Another status needs a reason; it stands in the portal log.
    """
    demand(actor, Verb.MANAGE_REGISTER)
    provider = held(session, provider_id)
    guards.fresh_factor(actor, now)
    entry = _checked(provider, data, reason)
    if seen != version(provider):
        raise EntryChanged(
            f"The entry of {provider.name} changed since you read it. Nothing was done. "
            "Read it again, then decide."
        )
    return apply_entry(session, provider, entry, actor, now, reason=reason, base_url=base_url)


def apply_entry(
    session: Session,
    provider: Provider | None,
    entry: ProviderEntry,
    actor: Actor,
    now: datetime,
    *,
    reason: str = "",
    base_url: str = "",
) -> Provider:
    """Writes an entry that was read: lists, holdings, letters, log; None makes a new provider.

    The caller has asked whether the actor may, and holds the row. An entry that says the same as
    the row changes nothing. ``Invalid`` names what is another provider's.
    """
    before = entry_of(provider) if provider is not None else None
    changes = differences(before, entry)
    if provider is not None and not changes:
        return provider
    row = provider or Provider(id=new_id())
    _name_is_free(session, row.id, entry)
    if before is not None:
        row.domains_since = domains_since(row.domains_since, before.domains, entry.domains, now)
    for name, value in asdict(entry).items():
        setattr(row, name, list(value) if isinstance(value, tuple) else value)
    row.changed_at = _later(row.changed_at, now)
    session.add(row)
    _flush(session, entry.name)
    holdings.write(session, row)
    if before is not None:
        entry_letters.tell_provider(session, row, tuple(changes), actor, now, base_url)
    type_ = "provider_changed" if before is not None else "provider_registered"
    _note(session, now, type_, actor, row, changes, reason)
    return row


def entry_of(provider: Provider) -> ProviderEntry:
    """The entry as it stands."""
    values: dict[str, Any] = {}
    for name in PROVIDER_FIELDS:
        value = getattr(provider, name)
        values[name] = tuple(value) if isinstance(value, list) else value
    return ProviderEntry(**values)


def version(provider: Provider) -> str:
    """What a form carries to tell which wording it was opened with."""
    return provider.changed_at.isoformat() if provider.changed_at else ""


def held(session: Session, provider_id: UUID) -> Provider:
    """The provider, locked until this act is done."""
    found = session.scalars(
        select(Provider)
        .where(Provider.id == provider_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def _checked(provider: Provider, data: Mapping[str, object], reason: str) -> ProviderEntry:
    check_texts(("/reason", reason, LONGEST_REASON))
    faults = [reason_fault()] if not reason.strip() else []
    try:
        entry = read_provider(data)
    except Invalid as error:
        same = data.get("status", provider.status) == provider.status
        raise Invalid([*error.errors, *([] if same else faults)]) from None
    if entry.status is not provider.status and faults:
        raise Invalid(faults)
    return entry


def reason_fault() -> FieldError:
    """What is said where a status changes and nobody says why."""
    return FieldError("/reason", "Say why the status changes; it stands in the portal log.")


def domains_since(
    known: Mapping[str, str], before: Collection[str], after: Collection[str], now: datetime
) -> dict[str, str]:
    """Since when each domain is registered that the entry did not begin with."""
    since = {domain: at for domain, at in (known or {}).items() if domain in after}
    return since | {domain: rfc3339(now) for domain in after if domain not in before}


def _name_is_free(session: Session, provider_id: UUID, entry: ProviderEntry) -> None:
    """Orders name a provider in any case, or by a domain: neither may be another's."""
    others = Provider.id != provider_id
    same = select(Provider.name).where(Provider.name_key == name_key(entry.name), others)
    if (taken := session.scalars(same.limit(1)).first()) is not None:
        raise Invalid([_name_taken(taken)])
    if (domain := holdings.as_domain(entry.name)) is not None:
        owner = holdings.owners(session, [domain]).get(domain)
        if owner is not None and owner.id != provider_id:
            raise Invalid([holdings.name_fault(domain, owner.name)])
    called = select(Provider.name).where(Provider.name_key.in_(entry.domains), others)
    if (name := session.scalars(called.limit(1)).first()) is not None:
        raise Invalid([holdings.called_fault(name)])


def _flush(session: Session, name: str) -> None:
    """Of two who register one name at once the second is told so."""
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError:
        raise Invalid([_name_taken(name)]) from None


def _name_taken(name: str) -> FieldError:
    detail = f"{name} is registered already. Change that entry, or enter another name."
    return FieldError("/name", detail)


def _later(before: datetime | None, now: datetime) -> datetime:
    """Two changes never bear the same moment: by it a stale form is known."""
    step = timedelta(microseconds=1)
    return now if before is None or now > before else before + step


def _note(
    session: Session,
    now: datetime,
    type_: str,
    actor: Actor,
    row: Provider,
    changes: dict[str, dict[str, Any]],
    reason: str,
) -> None:
    told = {"provider": str(row.id), "name": row.name, "changes": changes}
    if reason.strip():
        told["reason"] = reason.strip()
    data = {**told, **portal_log.by(actor)}
    portal_log.note(session, now, type_, actor.id, f"provider:{row.id}", data)
