"""``GET /events``: the provider's stream, polled."""

from __future__ import annotations

import hashlib
from json.encoder import encode_basestring

from flask import Response

from liaison.api import access, answering
from liaison.api.blueprint import EVENTS, api, problems, waiting
from liaison.api.models import EventsQuery
from liaison.api.reading import reads
from liaison.api.shapes import EventPage
from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.queries import feed
from liaison.services.keys import KnownKey
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
    found, turned_away = access.key(), False
    if query.wait and _idle(found, query):
        found, turned_away = _wait(found, query)
    end = feed.head(found)
    etag = _etag(end, query)
    if answering.has_it(etag):
        response = answering.not_modified(etag)
    else:
        body = _body(access.actor(), end, query)
        response = answering.answer(body, etag=etag, cache=answering.ASK_AGAIN)
    interval = str(SOON if found.urgent else LATER)
    response.headers["X-Poll-Interval"] = interval
    if turned_away:
        response.headers["Retry-After"] = interval
    return response


def _idle(found: KnownKey, query: EventsQuery) -> bool:
    end = feed.head(found)
    return end.seq <= query.after or answering.has_it(_etag(end, query))


def _wait(found: KnownKey, query: EventsQuery) -> tuple[KnownKey, bool]:
    """Looks again until something is new or the time is over; nothing is held open between.

    A key that is revoked or expires meanwhile ends the wait with 401: nothing more is read for it.
    A process keeps few places for waiting; who finds none is answered at once, is told so, and
    polls on.
    """
    with waiting().place(found.owner_id) as got:
        for _ in range(int(query.wait / STEP) if got else 0):
            waiting().hook(STEP)
            found = access.look_again()
            if not _idle(found, query):
                break
    return found, not got


def _etag(end: feed.Head, query: EventsQuery) -> str:
    # The page follows from the head and these two: an erased entry appends one, too.
    told = f"{end.seq} {end.hash} {query.after} {query.limit}"
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def _body(actor: Actor, end: feed.Head, query: EventsQuery) -> str:
    """The page as JSON, put together by hand: most of it is stored as the very text to be told."""
    with core().database.looking() as looking:
        page = feed.page(looking, actor, end, query.after, query.limit)
    events = ",".join([_event(entry) for entry in page.entries])
    more = "true" if page.more else "false"
    return (
        f'{{"events":[{events}],"next":{page.next},"more":{more},'
        f'"head":{{"seq":{end.seq},"hash":"{end.hash}"}}}}'
    )


def _event(entry: feed.Told) -> str:
    """One entry. Its data are stored as canonical JSON, as they were hashed, and go out so."""
    seq, id_, type_, at, actor, order_id, ref, data, salt, digest, prev, hash_ = entry
    order = f'{{"id":"{order_id}","ref":{_text(ref)}}}' if order_id else "null"
    return (
        f'{{"seq":{seq},"id":"{id_}","type":{_text(type_)},"at":"{rfc3339(at)}",'
        f'"actor":{_text(actor)},"order":{order},"data":{data or "null"},"salt":{_text(salt)},'
        f'"digest":"{digest}","prev":"{prev}","hash":"{hash_}"}}'
    )


def _text(value: str | None) -> str:
    return "null" if value is None else encode_basestring(value)
