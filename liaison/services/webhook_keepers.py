"""Who keeps a provider's webhooks: its administrator with a fresh factor, or a key made for it.

A key cannot give a fresh factor. Its scope ``webhooks`` was ticked by an administrator who gave one
then; the key is held against its end and its networks anew, and what it does is told to people.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.vocabulary import Role
from liaison.errors import Forbidden
from liaison.models import ApiKey, Provider, WebhookEndpoint
from liaison.services import key_notices, keyring, keys, outbox, webhook_health

SCOPE = "webhooks"


def keeper_of(session: Session, actor: Actor, now: datetime) -> Provider:
    """The provider, locked; the actor may keep its webhooks and is not being let go meanwhile."""
    demand(actor, Verb.MANAGE_WEBHOOKS)
    if not is_program(actor):
        return keyring.keeper_of(session, actor, now)
    # In the order of those who revoke keys: the provider's row, then the key's.
    provider = session.scalars(
        select(Provider).where(Provider.id == actor.provider_id).with_for_update(of=Provider)
    ).one()
    _demand_key(session, actor, now)
    return provider


def demand_keeper(session: Session, actor: Actor, now: datetime) -> None:
    """The same without a lock or a fresh factor: for what changes no webhook."""
    demand(actor, Verb.MANAGE_WEBHOOKS)
    if is_program(actor):
        _demand_key(session, actor, now)


def is_program(actor: Actor) -> bool:
    """Whether a key acts, and no person."""
    return Role.PROGRAM in actor.roles


def named(actor: Actor) -> str:
    """Who it was, for whoever reads of it later."""
    return f"the key {actor.name}" if is_program(actor) else actor.name


def tell(session: Session, actor: Actor, row: WebhookEndpoint, act: str, now: datetime) -> None:
    """A letter to the provider's administrators, where it was a key that did it.

    ``act`` is what was done, like ``added``: one letter each within an hour, so that a program that
    errs (or a stolen key) fills no mailbox. The portal log has every act.
    """
    if not is_program(actor):
        return
    assert actor.via is not None, "a program acts by its key"
    for person in key_notices.keepers(session, row):
        params = {
            "name": person.name,
            "provider": actor.organisation,
            "key": actor.name,
            "act": act,
            "host": webhook_health.host_of(row.url),
            "address": actor.via.address,
            "path": "/webhooks",
            "at": rfc3339(now),
        }
        reason = f"webhook_by_key:{actor.via.session}:{act}:{now:%Y-%m-%dT%H}"
        outbox.queue_letter(session, person.email, "webhook_by_key", params, reason, now)


def _demand_key(session: Session, actor: Actor, now: datetime) -> None:
    assert actor.via is not None, "a program acts by its key"
    row = session.scalars(
        select(ApiKey)
        .where(ApiKey.id == UUID(actor.via.session), ApiKey.provider_id == actor.provider_id)
        .with_for_update(of=ApiKey, key_share=True)
        .execution_options(populate_existing=True)
    ).one()
    keys.demand_counts(row, actor.via.address, now)
    if SCOPE not in row.scopes:
        raise Forbidden(f"This key has no scope “{SCOPE}”.")
