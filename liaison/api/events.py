"""``GET /events``: the provider's stream, polled."""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from liaison.api import access, answering
from liaison.api.blueprint import EVENTS, api, problems, waiting
from liaison.api.models import EventsQuery
from liaison.api.reading import reads
from liaison.api.shapes import EventPage
from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.models import Entry
from liaison.queries import feed
from liaison.services.ledger import entry_data
from liaison.web import core

STEP = 0.5
"""Seconds between two looks of a long poll."""
SOON, LATER = 5, 30
"""Seconds to the next poll: while an emergency is open, and else."""


@api.get(
    "/events",
    operation_id="listEvents",
    summary="Read your stream",
    description=(
        "Entries after `after`, in sequence. Keep `next` and send it as `after` next time; keep "
        "`head` to notice if history were ever rewritten. `ETag` with `If-None-Match` gives 304 "
        "while there is nothing new; `X-Poll-Interval` says in how many seconds to ask again."
    ),
    tags=[EVENTS],
    security=[{"key": ["read"]}],
    responses={200: EventPage, 304: {"description": "Nothing new."}, **problems()},
)
@reads
def events(query: EventsQuery) -> Response:
    """The stream from a sequence number on."""
    return polled(query)


def polled(query: EventsQuery) -> Response:
    """A poll of the one stream that the key's organisation can open."""
    actor = access.actor()
    end, urgent = _look(actor)
    if query.wait and _idle(end, query):
        end, urgent = _wait(actor, query, end, urgent)
    etag = _etag(end, query)
    if answering.has_it(etag):
        response = answering.not_modified(etag)
    else:
        with core().database.reading() as session:
            body = answering.text(_page(session, actor, end, query))
        response = answering.answer(body, etag=etag, cache=answering.ASK_AGAIN)
    response.headers["X-Poll-Interval"] = str(SOON if urgent else LATER)
    return response


def _look(actor: Actor) -> tuple[feed.Head, bool]:
    with core().database.reading() as session:
        return feed.head(session, actor), feed.emergency_open(session, actor)


def _idle(end: feed.Head, query: EventsQuery) -> bool:
    return end.seq <= query.after or answering.has_it(_etag(end, query))


def _wait(actor: Actor, query: EventsQuery, end: feed.Head, urgent: bool) -> tuple[feed.Head, bool]:
    """Looks again until something is new or the time is over; no transaction is open between.

    A key that is revoked or expires meanwhile ends the wait with 401: nothing more is read for it.
    A process keeps few places for waiting; who finds none is answered at once and polls on.
    """
    places = waiting().places
    if not places.acquire(blocking=False):
        return end, urgent
    try:
        for _ in range(int(query.wait / STEP)):
            waiting().hook(STEP)
            access.look_again()
            end, urgent = _look(actor)
            if not _idle(end, query):
                break
    finally:
        places.release()
    return end, urgent


def _etag(end: feed.Head, query: EventsQuery) -> str:
    # The page follows from the head and these two: an erased entry appends one, too.
    told = f"{end.seq} {end.hash} {query.after} {query.limit}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _page(session: Session, actor: Actor, end: feed.Head, query: EventsQuery) -> dict[str, Any]:
    page = feed.page(session, actor, end, query.after, query.limit)
    return {
        "events": [_event(entry, ref) for entry, ref in page.entries],
        "next": page.next,
        "more": page.more,
        "head": {"seq": end.seq, "hash": end.hash},
    }


def _event(entry: Entry, ref: str | None) -> dict[str, Any]:
    return {
        "seq": entry.seq,
        "id": str(entry.id),
        "type": entry.type,
        "at": rfc3339(entry.at),
        "actor": entry.actor,
        "order": {"id": str(entry.order_id), "ref": ref} if entry.order_id else None,
        "data": entry_data(entry),
        "salt": entry.salt,
        "digest": entry.digest,
        "prev": entry.prev,
        "hash": entry.hash,
    }
