"""Endpoints as a provider keeps them: made, changed, rolled over, removed.

Whoever enters an address sends nothing there by it: each sending looks its name up anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison import signatures
from liaison.domain.actors import Actor
from liaison.domain.reach import Unreachable, read_url
from liaison.domain.reading import unstorable
from liaison.domain.stream_events import STREAM_EVENTS
from liaison.errors import FieldError, Invalid, LiaisonError, NotFound, Stale
from liaison.models import Provider, WebhookEndpoint
from liaison.models.webhooks import EndpointState
from liaison.services import portal_log, webhook_health, webhook_keepers
from liaison.services.vault import Vault

MOST = 10
"""Endpoints of one provider."""
LONGEST_DESCRIPTION = 100
OVERLAP, LONGEST_OVERLAP = 24, 168
"""Hours for which the older secret signs beside the newer one."""


@dataclass(frozen=True)
class Wanted:
    """An endpoint as its maker asks for it. ``events``: types it is told of; none means all."""

    url: str
    description: str = ""
    events: Sequence[str] = ()


class NotAsItIs(LiaisonError):
    """The endpoint is in a state in which this changes nothing."""

    slug = "invalid-transition"
    title = "This webhook stays as it is"
    status = 409


def make(
    session: Session, vault: Vault, actor: Actor, wanted: Wanted, now: datetime, *, loopback: bool
) -> tuple[WebhookEndpoint, str]:
    """A new endpoint and its secret, which is given back once."""
    provider = webhook_keepers.keeper_of(session, actor, now)
    url, description, events = _read(session, provider, wanted, None, loopback=loopback)
    secret = signatures.new_secret()
    row = WebhookEndpoint(
        provider_id=provider.id,
        url=url,
        description=description,
        events=events,
        state=EndpointState.ACTIVE,
        sealed_secret=vault.seal(secret),
        created_at=now,
        created_by=webhook_keepers.named(actor),
        changed_at=now,
    )
    session.add(row)
    session.flush()
    note(session, actor, "webhook_made", row, now, {"events": events})
    webhook_keepers.tell(session, actor, row, "added", now)
    return row, secret


def change(
    session: Session,
    actor: Actor,
    endpoint_id: UUID,
    wanted: Wanted,
    version: int | None,
    now: datetime,
    *,
    loopback: bool,
) -> WebhookEndpoint:
    """Another address, description or choice of events; what waits goes to the new address."""
    provider, row = _held(session, actor, endpoint_id, now)
    if version is not None and version != row.version:
        raise Stale("Somebody changed this webhook since you opened it. Look again, then decide.")
    url, description, events = _read(session, provider, wanted, row, loopback=loopback)
    before = webhook_health.host_of(row.url)
    if url != row.url:
        row.failing_since = None
    row.url, row.description, row.events, row.changed_at = url, description, events, now
    note(session, actor, "webhook_changed", row, now, {"events": events, "before": before})
    webhook_keepers.tell(session, actor, row, "changed", now)
    return row


def roll(
    session: Session, vault: Vault, actor: Actor, endpoint_id: UUID, overlap: int, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """A new secret, given back once; the older one signs too for ``overlap`` hours."""
    _, row = _held(session, actor, endpoint_id, now)
    if not 0 <= overlap <= LONGEST_OVERLAP:
        raise Invalid([FieldError("/overlap", f"Enter 0 to {LONGEST_OVERLAP} hours.")])
    secret = signatures.new_secret()
    row.sealed_old_secret = row.sealed_secret if overlap else None
    row.old_secret_until = now + timedelta(hours=overlap) if overlap else None
    row.sealed_secret, row.changed_at = vault.seal(secret), now
    note(session, actor, "webhook_rolled", row, now, {"overlap_hours": overlap})
    webhook_keepers.tell(session, actor, row, "gave a new secret to", now)
    return row, secret


def disable(session: Session, actor: Actor, endpoint_id: UUID, now: datetime) -> WebhookEndpoint:
    """Nothing is sent any more until it is enabled; what waits is taken back."""
    _, row = _held(session, actor, endpoint_id, now)
    if row.state is not EndpointState.ACTIVE:
        raise NotAsItIs("This webhook is disabled already.")
    who = webhook_keepers.named(actor)
    webhook_health.close(session, row, EndpointState.DISABLED, f"By {who}.", now)
    note(session, actor, "webhook_disabled", row, now, {})
    webhook_keepers.tell(session, actor, row, "disabled", now)
    return row


def enable(session: Session, actor: Actor, endpoint_id: UUID, now: datetime) -> WebhookEndpoint:
    """It is told of what comes from now on; what came meanwhile is in the stream."""
    _, row = _held(session, actor, endpoint_id, now)
    if row.state is EndpointState.ACTIVE:
        raise NotAsItIs("This webhook is active already.")
    row.state, row.changed_at = EndpointState.ACTIVE, now
    # When it was disabled stays: whether it was tried since is told by it.
    row.failing_since = row.disabled_why = None
    note(session, actor, "webhook_enabled", row, now, {})
    webhook_keepers.tell(session, actor, row, "enabled", now)
    return row


def remove(session: Session, actor: Actor, endpoint_id: UUID, now: datetime) -> None:
    """For good: its secrets are forgotten, its deliveries stay on record."""
    _, row = _held(session, actor, endpoint_id, now)
    who = webhook_keepers.named(actor)
    webhook_health.close(session, row, EndpointState.REMOVED, f"By {who}.", now)
    row.sealed_secret, row.sealed_old_secret, row.old_secret_until = "", None, None
    note(session, actor, "webhook_removed", row, now, {})
    webhook_keepers.tell(session, actor, row, "removed", now)


def note(
    session: Session,
    actor: Actor,
    type_: str,
    row: WebhookEndpoint,
    now: datetime,
    more: dict[str, Any],
) -> None:
    """In the portal's log; neither secret nor whole address stands there."""
    session.flush()
    told = {**webhook_health.about(row), **more, **portal_log.by(actor)}
    organisation = portal_log.organisation_of_actor(actor)
    portal_log.note(session, now, type_, actor.id, organisation, told)


def _held(
    session: Session, actor: Actor, endpoint_id: UUID, now: datetime
) -> tuple[Provider, WebhookEndpoint]:
    """The provider's own endpoint, locked behind the provider; another's is absent."""
    provider = webhook_keepers.keeper_of(session, actor, now)
    found = session.scalar(
        select(WebhookEndpoint.id).where(
            WebhookEndpoint.id == endpoint_id,
            WebhookEndpoint.provider_id == provider.id,
            WebhookEndpoint.state != EndpointState.REMOVED,
        )
    )
    if found is None:
        raise NotFound
    return provider, webhook_health.held(session, found)


def _read(
    session: Session,
    provider: Provider,
    wanted: Wanted,
    row: WebhookEndpoint | None,
    *,
    loopback: bool,
) -> tuple[str, str, list[str]]:
    faults, url = [], ""
    try:
        url = read_url(wanted.url, loopback=loopback).url
    except Unreachable as error:
        faults.append(FieldError("/url", str(error)))
    others = [one for one in _of(session, provider) if one is not row]
    if row is None and len(others) >= MOST:
        text = f"A provider has at most {MOST} webhooks. Remove one first."
        faults.append(FieldError("/url", text))
    if url and any(one.url == url for one in others):
        faults.append(FieldError("/url", "There is a webhook with this address already."))
    description = " ".join(wanted.description.split())
    if len(description) > LONGEST_DESCRIPTION or unstorable(description):
        text = f"Use at most {LONGEST_DESCRIPTION} characters, and no control ones."
        faults.append(FieldError("/description", text))
    if set(wanted.events) - set(STREAM_EVENTS):
        faults.append(FieldError("/events", "Choose from the events that are listed."))
    if faults:
        raise Invalid(faults)
    return url, description, [type_ for type_ in STREAM_EVENTS if type_ in wanted.events]


def _of(session: Session, provider: Provider) -> Sequence[WebhookEndpoint]:
    return session.scalars(
        select(WebhookEndpoint).where(
            WebhookEndpoint.provider_id == provider.id,
            WebhookEndpoint.state != EndpointState.REMOVED,
        )
    ).all()
