"""Sending on request: a test event, one delivery again, or all events since a moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.stream_events import PING
from liaison.errors import FieldError, Invalid, NotFound
from liaison.models import Entry, WebhookEndpoint
from liaison.models.base import new_id
from liaison.models.webhooks import EndpointState
from liaison.models.work import Message, MessageState, Wanted
from liaison.services import ledger, webhook_health, webhook_keeping, webhooks

MOST = 200
"""Events that one act sends again; whoever missed more polls the stream."""

_UNSENT = (MessageState.QUEUED, MessageState.SENDING)


def ping(session: Session, actor: Actor, endpoint_id: UUID, now: datetime) -> None:
    """A test event through the outbox, like any other; one at a time."""
    row = _open(session, actor, endpoint_id)
    waiting = session.scalars(
        select(Message.idem).where(
            Message.endpoint_id == row.id,
            Message.state.in_(_UNSENT),
            Message.idem.startswith(f"hook:{row.id}:{PING}:", autoescape=True),
        )
    ).first()
    if waiting is not None:
        raise webhook_keeping.NotAsItIs("A test event is on its way already: see what comes of it.")
    id = new_id()
    params = {"type": PING, "seq": 0, "id": str(id), "at": rfc3339(now), "order": None, "ref": None}
    values = {
        "idem": f"hook:{row.id}:{PING}:{id}",
        "order_id": None,
        "endpoint_id": row.id,
        "address": row.url,
        "params": params,
        "wanted": Wanted.ALWAYS,
        "urgent": True,
    }
    webhooks.put(session, values, now)
    webhook_keeping.note(session, actor, "webhook_tested", row, now, {})


def replay(
    session: Session, actor: Actor, endpoint_id: UUID, message_id: UUID, now: datetime
) -> int:
    """One delivery again, under the event's own id; how many were queued: 0 while it waits."""
    row = _open(session, actor, endpoint_id)
    params = session.scalar(
        select(Message.params).where(Message.id == message_id, Message.endpoint_id == row.id)
    )
    if params is None or params["type"] == PING:
        raise NotFound
    entry = session.get(Entry, (ledger.provider_stream(row.provider_id), params["seq"]))
    if entry is None:
        raise NotFound
    return _again(session, actor, row, [entry], entry.at, now)


def replay_since(
    session: Session, actor: Actor, endpoint_id: UUID, since: datetime, now: datetime
) -> int:
    """Every event since a moment that the endpoint is told of, oldest first; how many.

    Those that still wait for their next try are left to it. ``Invalid`` where there are too many.
    """
    row = _open(session, actor, endpoint_id)
    wanted = [Entry.stream == ledger.provider_stream(row.provider_id), Entry.at >= since]
    if row.events:
        wanted.append(Entry.type.in_(row.events))
    # The newest first, so that the index finds them however long the stream is.
    entries = session.scalars(
        select(Entry).where(*wanted).order_by(Entry.seq.desc()).limit(MOST + 1)
    ).all()
    if len(entries) > MOST:
        text = f"There are more than {MOST} events since then. Choose a later time, or poll them."
        raise Invalid([FieldError("/since", text)])
    if since > now:
        raise Invalid([FieldError("/since", "Choose a time that has passed.")])
    return _again(session, actor, row, entries[::-1], since, now)


def _again(
    session: Session,
    actor: Actor,
    row: WebhookEndpoint,
    entries: Sequence[Entry],
    since: datetime,
    now: datetime,
) -> int:
    """Queues the entries once more, but for those that wait; notes it where there were any."""
    replayed: Counter[int] = Counter()
    waiting: set[int] = set()
    # No message about an entry is older than the entry.
    earlier = select(Message.params, Message.idem, Message.state).where(
        Message.endpoint_id == row.id, Message.created_at >= since
    )
    for params, idem, state in session.execute(earlier):
        replayed[params["seq"]] += ":replay:" in idem
        waiting |= {params["seq"]} if state in _UNSENT else set()
    queued = sum(
        webhooks.queue(session, row.id, row.url, entry, now, replayed[entry.seq] + 1)
        for entry in entries
        if entry.seq not in waiting
    )
    if queued:
        told = {"events": queued, "from": entries[0].seq, "to": entries[-1].seq}
        webhook_keeping.note(session, actor, "webhook_replayed", row, now, told)
    return queued


def _open(session: Session, actor: Actor, endpoint_id: UUID) -> WebhookEndpoint:
    """The actor's own endpoint, locked, so that two who press at once do not count alike."""
    demand(actor, Verb.MANAGE_KEYS)
    found = session.scalar(
        select(WebhookEndpoint.id).where(
            WebhookEndpoint.id == endpoint_id,
            WebhookEndpoint.provider_id == actor.provider_id,
            WebhookEndpoint.state != EndpointState.REMOVED,
        )
    )
    if found is None:
        raise NotFound
    row = webhook_health.held(session, found)
    if row.state is not EndpointState.ACTIVE:
        raise webhook_keeping.NotAsItIs("This webhook is disabled. Enable it first.")
    return row
