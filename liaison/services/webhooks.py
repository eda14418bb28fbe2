"""A provider's program is told that its stream has grown: one message an endpoint and entry.

The messages are queued where the entry is appended, in the same transaction; from there on they
are notices like any other (``outbox``). They say which entry there is and where to fetch it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BindParameter, Exists, bindparam, exists, select, update
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.ladder import Climb
from liaison.domain.vocabulary import Channel, Urgency
from liaison.models import Order, WebhookEndpoint
from liaison.models.base import insert_once, new_id
from liaison.models.deeds import bare
from liaison.models.ledger import AnyEntry
from liaison.models.webhooks import EndpointState
from liaison.models.work import Message, MessageState, Wanted

LETTER = "webhook"
"""Stands where a letter's name does; a webhook has no text."""

PROVIDER = "provider:"


@dataclass(frozen=True)
class Ready:
    """Where a webhook goes now and what signs it, sealed, newest first."""

    url: str
    sealed: tuple[str, ...]


# Made once: every act of a provider with a webhook asks it.
_TOLD = select(WebhookEndpoint.id, WebhookEndpoint.url, WebhookEndpoint.events).where(
    WebhookEndpoint.provider_id == bindparam("provider"),
    WebhookEndpoint.state == EndpointState.ACTIVE,
)


def listens(provider: BindParameter[UUID]) -> Exists:
    """Whether any endpoint of a provider is active, as a part of another question."""
    return exists().where(
        WebhookEndpoint.provider_id == provider, WebhookEndpoint.state == EndpointState.ACTIVE
    )


def provider_of(stream: str) -> UUID | None:
    """Whose stream it is; None where it is no provider's: nobody listens to it."""
    try:
        return UUID(stream.removeprefix(PROVIDER)) if stream.startswith(PROVIDER) else None
    except ValueError:
        return None


def announce(session: Session, provider: UUID, entry: AnyEntry) -> None:
    """Queues a message to each active endpoint that is told of this type of entry."""
    rows = bare(session).execute(_TOLD, {"provider": provider}).all()
    for endpoint_id, url, events in rows:
        if not events or entry.type in events:
            queue(session, endpoint_id, url, entry, entry.at)


def queue(
    session: Session, endpoint_id: UUID, url: str, entry: AnyEntry, now: datetime, again: int = 0
) -> bool:
    """Queues one entry for one endpoint; ``again`` counts the replays, which have own keys.

    The id that the other side sees is the entry's own each time: a repeat can be told.
    """
    order = session.get(Order, entry.order_id) if entry.order_id else None
    params: dict[str, Any] = {
        "type": entry.type,
        "seq": entry.seq,
        "id": str(entry.id),
        "at": rfc3339(entry.at),
        "order": str(order.id) if order else None,
        "ref": order.ref if order else None,
    }
    if order is not None and order.test:
        params["test"] = True
    values = {
        "idem": key(endpoint_id, entry.seq, again),
        "order_id": entry.order_id,
        "endpoint_id": endpoint_id,
        "address": url,
        "params": params,
        # What a provider asks for anew is a fact, whether its ladder climbs on or not.
        "wanted": Wanted.ALWAYS if again else _wanted(entry),
        "urgent": order is not None and order.urgency is Urgency.EMERGENCY,
    }
    return put(session, values, now)


def key(endpoint_id: UUID, seq: int, again: int = 0) -> str:
    """Under which an entry is queued for an endpoint: once, and once for each replay."""
    return f"hook:{endpoint_id}:{seq}" + (f":replay:{again}" if again else "")


def put(session: Session, values: Mapping[str, Any], now: datetime) -> bool:
    """One webhook into the outbox, once for its key."""
    row = {
        "id": new_id(),
        "contact_id": None,
        "channel": Channel.WEBHOOK,
        "letter": LETTER,
        "state": MessageState.QUEUED,
        "created_at": now,
        "next_at": now,
        "fence": 0,
        "attempts": 0,
        **values,
    }
    return insert_once(session, Message, row)


def _wanted(entry: AnyEntry) -> Wanted:
    """The ladder's step is a page and ends with its reason; all else is a fact and stays one."""
    if entry.type != "order.escalated":
        return Wanted.ALWAYS
    climb = json.loads(entry.data or "{}").get("climb")
    return (
        Wanted.UNTIL_PRESERVED
        if climb == Climb.PRESERVE.name.lower()
        else Wanted.UNTIL_ACKNOWLEDGED
    )


def ready(session: Session, endpoint_id: UUID, now: datetime) -> Ready | None:
    """Address and secrets of an endpoint as they are now; None where it is told nothing."""
    row = session.get_one(WebhookEndpoint, endpoint_id)
    if row.state is not EndpointState.ACTIVE:
        return None
    sealed = [row.sealed_secret]
    if row.sealed_old_secret and row.old_secret_until and now < row.old_secret_until:
        sealed.append(row.sealed_old_secret)
    return Ready(row.url, tuple(sealed))


def forget_older_secrets(session: Session, now: datetime) -> None:
    """A secret whose overlap is over signs nothing any more, and is nowhere any more."""
    session.execute(
        update(WebhookEndpoint)
        .where(WebhookEndpoint.old_secret_until <= now)
        .values(sealed_old_secret=None, old_secret_until=None)
        .execution_options(synchronize_session=False)
    )


def body(params: Mapping[str, Any], base_url: str) -> dict[str, Any]:
    """What the other side reads: no case data, only where to fetch."""
    fetch: dict[str, Any] = {}
    if params["seq"]:
        fetch["events"] = f"{base_url}/api/v1/events?after={params['seq'] - 1}"
    if params["order"]:
        fetch["order"] = f"{base_url}/api/v1/orders/{params['order']}"
    told = {
        "seq": params["seq"],
        "id": params["id"],
        "order": {"id": params["order"], "ref": params["ref"]} if params["order"] else None,
        "fetch": fetch,
    }
    if params.get("test"):
        told["test"] = True
    return {"type": params["type"], "timestamp": params["at"], "data": told}
