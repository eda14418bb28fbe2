"""What is sent to a provider's webhooks, for its program: a test, deliveries, events again."""

from __future__ import annotations

from datetime import datetime

from flask import Response
from sqlalchemy.orm import Session

from liaison.api import access, answering
from liaison.api import webhook_shapes as shapes
from liaison.api.blueprint import WEBHOOKS, api, problems
from liaison.api.reading import identifier, reads
from liaison.api.repeats import Done, once
from liaison.domain.actors import Actor
from liaison.queries import webhooks as looked
from liaison.queries.webhook_views import delivery_view
from liaison.services import webhook_replays
from liaison.web import core

_SCOPE: list[dict[str, list[str]]] = [{"key": ["webhooks"]}]
_PROBLEMS = problems(400, 404, 409, 413, 415)


@api.post(
    "/webhooks/<webhook>/test",
    operation_id="testWebhook",
    summary="Send a test event",
    description=(
        "Queues an event of the type `ping`; its delivery says what came of it. One at a time: "
        "where one waits for its next try, that one is tried now."
    ),
    tags=[WEBHOOKS],
    security=_SCOPE,
    responses={200: shapes.Queued, **_PROBLEMS},
)
@reads
def test(path: shapes.WebhookPath, body: shapes.NoFields) -> Response:
    """A test event on its way."""
    del body  # read, so that a misspelt field is an error here too

    def act(session: Session, actor: Actor, at: datetime) -> Done:
        return _queued(webhook_replays.ping(session, actor, identifier(path.webhook), at))

    return once(act)


@api.get(
    "/webhooks/<webhook>/deliveries",
    operation_id="listDeliveries",
    summary="List deliveries",
    description=(
        "What was sent there, newest first, with each try: when, how long it took, the status and "
        "the start of the answer. Go on with `next` as `after` until it is null."
    ),
    tags=[WEBHOOKS],
    security=_SCOPE,
    responses={200: shapes.DeliveryList, **problems(404)},
)
@reads
def deliveries(path: shapes.WebhookPath, query: shapes.DeliveriesQuery) -> Response:
    """A page of deliveries."""
    with core().database.reading() as session:
        row = looked.one(session, access.actor(), identifier(path.webhook))
        page = looked.deliveries(session, row, query.after, query.limit)
        views = [delivery_view(message) for message in page.messages]
    older = str(page.older) if page.older else None
    return answering.answer(answering.text({"deliveries": views, "next": older}))


@api.post(
    "/webhooks/<webhook>/deliveries/<delivery>/replay",
    operation_id="replayDelivery",
    summary="Send one event again",
    description="Under its own id, so that your program can tell that it is a repeat.",
    tags=[WEBHOOKS],
    security=_SCOPE,
    responses={200: shapes.Queued, **_PROBLEMS},
)
@reads
def replay(path: shapes.DeliveryPath, body: shapes.NoFields) -> Response:
    """One event again."""
    del body
    hook, delivery = identifier(path.webhook), identifier(path.delivery)

    def act(session: Session, actor: Actor, at: datetime) -> Done:
        return _queued(webhook_replays.replay(session, actor, hook, delivery, at))

    return once(act)


@api.post(
    "/webhooks/<webhook>/replay",
    operation_id="replaySince",
    summary="Send all events again since a time",
    description=(
        f"Every event since then that it is told of, oldest first, at most {webhook_replays.MOST}; "
        "those that wait for their next try are left to it. Where more are missing, read your "
        "stream."
    ),
    tags=[WEBHOOKS],
    security=_SCOPE,
    responses={200: shapes.Queued, **_PROBLEMS},
)
@reads
def replay_since(path: shapes.WebhookPath, body: shapes.Since) -> Response:
    """All events since a moment."""
    hook = identifier(path.webhook)

    def act(session: Session, actor: Actor, at: datetime) -> Done:
        return _queued(webhook_replays.replay_since(session, actor, hook, body.since, at))

    return once(act)


def _queued(number: int) -> Done:
    return Done(answering.text({"queued": int(number)}))
