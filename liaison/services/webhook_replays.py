"""Sending on request: a test event, one delivery again, or all events since a moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.stream_events import PING
from liaison.domain.vocabulary import Channel
from liaison.errors import FieldError, Invalid, NotFound
from liaison.models import Entry, WebhookEndpoint
from liaison.models.base import new_id
from liaison.models.hints import hint
from liaison.models.webhooks import EndpointState
from liaison.models.work import Message, MessageState, Wanted
from liaison.queries import feed
from liaison.services import ledger, webhook_health, webhook_keepers, webhook_keeping, webhooks

MOST = 200
"""Events that one act sends again; whoever missed more polls the stream."""

_UNSENT = (MessageState.QUEUED, MessageState.SENDING)


def ping(session: Session, actor: Actor, endpoint_id: UUID, now: datetime) -> bool:
    """A test event through the outbox, like any other; one at a time. Whether it is a new one.

    One that waits for its next try is tried now instead: whoever presses has mended something.
    """
    row = _open(session, actor, endpoint_id, now)
    waiting = session.scalars(
        select(Message).where(
            Message.endpoint_id == row.id,
            Message.state.in_(_UNSENT),
            Message.idem.startswith(f"hook:{row.id}:{PING}:", autoescape=True),
        )
    ).first()
    if waiting is None:
        _ping(session, row, now)
    elif not _try_now(session, waiting, now):
        raise webhook_keeping.NotAsItIs("A test event is on its way already: see what comes of it.")
    webhook_keeping.note(session, actor, "webhook_tested", row, now, {})
    return waiting is None


def _ping(session: Session, row: WebhookEndpoint, now: datetime) -> None:
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


def _try_now(session: Session, message: Message, now: datetime) -> bool:
    """Whether it waited for a later try; the worker may hold it by now."""
    moved = session.scalars(
        update(Message)
        .where(
            Message.id == message.id,
            Message.state == MessageState.QUEUED,
            Message.attempts > 0,
            Message.next_at > now,
        )
        .values(next_at=now)
        .returning(Message.id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    hint(session, Channel.WEBHOOK)
    return moved is not None


def replay(
    session: Session, actor: Actor, endpoint_id: UUID, message_id: UUID, now: datetime
) -> int:
    """One delivery again, under the event's own id; how many were queued: 0 while it waits."""
    row = _open(session, actor, endpoint_id, now)
    params = session.scalar(
        select(Message.params).where(Message.id == message_id, Message.endpoint_id == row.id)
    )
    if params is None or params["type"] == PING:
        raise NotFound
    entry = session.get(Entry, (ledger.provider_stream(row.provider_id), params["seq"]))
    if entry is None:
        raise NotFound
    return _again(session, actor, row, [entry], now)


def count_since(
    session: Session, actor: Actor, endpoint_id: UUID, since: datetime, now: datetime
) -> int:
    """How many events ``replay_since`` would send again, and its refusals."""
    row = _open(session, actor, endpoint_id, now)
    entries, _ = _missed(session, row, _since(session, row, since, now))
    return len(entries)


def replay_since(
    session: Session, actor: Actor, endpoint_id: UUID, since: datetime, now: datetime
) -> int:
    """Every event since a moment that the endpoint is told of, oldest first; how many.

    Those that still wait for their next try are left to it. ``Invalid`` where there are too many.
    """
    row = _open(session, actor, endpoint_id, now)
    return _again(session, actor, row, _since(session, row, since, now), now)


def _since(
    session: Session, row: WebhookEndpoint, since: datetime, now: datetime
) -> Sequence[Entry]:
    stream = ledger.provider_stream(row.provider_id)
    first = feed.first_since(session, stream, since)
    wanted = [Entry.stream == stream, Entry.seq >= first, Entry.at >= since]
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
    return entries[::-1]


def _again(
    session: Session,
    actor: Actor,
    row: WebhookEndpoint,
    entries: Sequence[Entry],
    now: datetime,
) -> int:
    """Queues the entries once more, but for those that wait; notes it where there were any."""
    missed, replayed = _missed(session, row, entries)
    queued = sum(
        webhooks.queue(session, row.id, row.url, entry, now, replayed[entry.seq] + 1)
        for entry in missed
    )
    if queued:
        told = {"events": queued, "from": entries[0].seq, "to": entries[-1].seq}
        webhook_keeping.note(session, actor, "webhook_replayed", row, now, told)
    return queued


def _missed(
    session: Session, row: WebhookEndpoint, entries: Sequence[Entry]
) -> tuple[list[Entry], Counter[int]]:
    """The entries that do not wait for a try, and how often each was sent again.

    Found by their keys, replay by replay: what else the endpoint was told of is not read.
    """
    replayed: Counter[int] = Counter()
    waiting: set[int] = set()
    left, again = {entry.seq for entry in entries}, 0
    while left:
        keys = {webhooks.key(row.id, seq, again): seq for seq in left}
        found = session.execute(
            select(Message.idem, Message.state).where(Message.idem.in_(keys))
        ).all()
        waiting |= {keys[idem] for idem, state in found if state in _UNSENT}
        if again:
            left = {keys[idem] for idem, _ in found}
            replayed.update(left)
        again += 1
    return [entry for entry in entries if entry.seq not in waiting], replayed


def _open(session: Session, actor: Actor, endpoint_id: UUID, now: datetime) -> WebhookEndpoint:
    """The actor's own endpoint, locked, so that two who press at once do not count alike."""
    webhook_keepers.demand_keeper(session, actor, now)
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
