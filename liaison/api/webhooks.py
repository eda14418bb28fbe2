"""A provider's webhooks, kept by its own program: the verbs of the portal's pages.

Needs a key with the scope ``webhooks``. What a program does here is told to the provider's
administrators by letter.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from liaison.api import access, answering, repeats
from liaison.api import webhook_shapes as shapes
from liaison.api.blueprint import WEBHOOKS, api, problems
from liaison.api.problems import PreconditionFailed
from liaison.api.reading import identifier, reads
from liaison.api.repeats import Done
from liaison.domain.actors import Actor
from liaison.models import WebhookEndpoint
from liaison.models.webhooks import EndpointState
from liaison.queries import webhooks as looked
from liaison.queries.webhook_views import delivery_view, webhook_view
from liaison.services import webhook_keepers, webhook_keeping, webhook_replays
from liaison.services.webhook_keeping import Wanted
from liaison.settings import Env
from liaison.web import core, now, settings, vault

Act = Callable[[Session, Actor, datetime], Done]

_SCOPE: list[dict[str, list[str]]] = [{"key": ["webhooks"]}]
_ACT_PROBLEMS = problems(400, 404, 409, 413, 415)
_GUARDED_PROBLEMS = problems(400, 404, 409, 412, 413, 415)


@api.get(
    "/webhooks",
    operation_id="listWebhooks",
    summary="List webhooks",
    description="Your provider's webhooks, without their secrets.",
    tags=[WEBHOOKS],
    security=_SCOPE,
    responses={200: shapes.WebhookList, **problems()},
)
@reads
def webhooks() -> Response:
    """The provider's webhooks."""
    with core().database.reading() as session:
        rows = looked.of_provider(session, access.actor())
        views = [webhook_view(row, now()) for row in rows]
    return answering.answer(answering.text({"webhooks": views}))


@api.post(
    "/webhooks",
    operation_id="makeWebhook",
    summary="Make a webhook",
    description=(
        "Says where your stream's entries are announced. The answer has the `secret` that signs "
        "them; it is shown this once. Nothing is sent there by it: send a test. Send an "
        "`Idempotency-Key`, so that a repeat after a lost answer makes no second one; the "
        "repeated answer has no secret, since secrets are not kept in clear."
    ),
    tags=[WEBHOOKS],
    security=_SCOPE,
    responses={201: shapes.WebhookWithSecret, **problems(400, 413, 415)},
)
@reads
def make(body: shapes.NewWebhook) -> Response:
    """A new webhook and its secret."""

    def act(session: Session, actor: Actor, at: datetime) -> Done:
        wanted = Wanted(body.url, body.description or "", body.events or [])
        row, secret = webhook_keeping.make(
            session, vault(), actor, wanted, at, loopback=_loopback()
        )
        return _with_secret(row, secret, at, 201)

    return _once(act)


@api.get(
    "/webhooks/<webhook>",
    operation_id="getWebhook",
    summary="Fetch a webhook",
    description="How it does. `ETag` is its version: send it as `If-Match` with a change.",
    tags=[WEBHOOKS],
    security=_SCOPE,
    responses={200: shapes.Webhook, **problems(404)},
)
@reads
def webhook(path: shapes.WebhookPath) -> Response:
    """One webhook."""
    with core().database.reading() as session:
        row = looked.one(session, access.actor(), identifier(path.webhook))
        return repeats.answered(_shown(row, now()))


@api.patch(
    "/webhooks/<webhook>",
    operation_id="changeWebhook",
    summary="Change a webhook",
    description=(
        "Another address, description or choice of events; `state` disables and enables it. What "
        "is left out stays. What waits goes to the new address; once it is disabled, what waits is "
        "taken back. Send `If-Match` with the version you read to be sure nobody changed it since."
    ),
    tags=[WEBHOOKS],
    security=_SCOPE,
    responses={200: shapes.Webhook, **_GUARDED_PROBLEMS},
)
@reads
def change(path: shapes.WebhookPath, body: shapes.WebhookChange) -> Response:
    """What is named is changed, all of it or nothing."""
    actor, at = access.actor(), now()
    with core().database.transaction() as session:
        row = _held(session, actor, path.webhook, at)
        if {body.url, body.description} != {None} or body.events is not None:
            wanted = Wanted(
                row.url if body.url is None else body.url,
                row.description if body.description is None else body.description,
                row.events if body.events is None else body.events,
            )
            webhook_keeping.change(
                session, actor, row.id, wanted, row.version, at, loopback=_loopback()
            )
        if body.state is not None and EndpointState(body.state) is not row.state:
            is_on = row.state is not EndpointState.ACTIVE
            turn = webhook_keeping.enable if is_on else webhook_keeping.disable
            turn(session, actor, row.id, at)
        session.flush()
        done = _shown(row, at)
    return repeats.answered(done)


@api.delete(
    "/webhooks/<webhook>",
    operation_id="removeWebhook",
    summary="Remove a webhook",
    description=(
        "For good: its secrets are forgotten, nothing is sent there any more. `If-Match` as with a "
        "change."
    ),
    tags=[WEBHOOKS],
    security=_SCOPE,
    responses={204: {"description": "It is gone."}, **problems(404, 412)},
)
@reads
def remove(path: shapes.WebhookPath) -> Response:
    """Gone, with its secrets."""
    with core().database.transaction() as session:
        row = _held(session, access.actor(), path.webhook, now())
        webhook_keeping.remove(session, access.actor(), row.id, now())
    response = Response(status=204)
    response.headers["Cache-Control"] = answering.KEEP_NOTHING
    return response


@api.post(
    "/webhooks/<webhook>/rotate",
    operation_id="rotateSecret",
    summary="Take a new secret",
    description=(
        "A new `secret`, shown this once; the older one signs beside it for `overlap` hours "
        f"({webhook_keeping.OVERLAP} where it is left out), so that your program can change over "
        "without a gap. A repeat with the same `Idempotency-Key` takes no other one, and its "
        "answer has no secret."
    ),
    tags=[WEBHOOKS],
    security=_SCOPE,
    responses={200: shapes.WebhookWithSecret, **_GUARDED_PROBLEMS},
)
@reads
def rotate(path: shapes.WebhookPath, body: shapes.Rotation) -> Response:
    """A new secret beside the older one."""
    overlap = webhook_keeping.OVERLAP if body.overlap is None else body.overlap

    def act(session: Session, actor: Actor, at: datetime) -> Done:
        held = _held(session, actor, path.webhook, at)
        row, secret = webhook_keeping.roll(session, vault(), actor, held.id, overlap, at)
        return _with_secret(row, secret, at, 200)

    return _once(act)


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
    responses={200: shapes.Queued, **_ACT_PROBLEMS},
)
@reads
def test(path: shapes.WebhookPath, body: shapes.NoFields) -> Response:
    """A test event on its way."""
    del body  # read, so that a misspelt field is an error here too

    def act(session: Session, actor: Actor, at: datetime) -> Done:
        return _queued(webhook_replays.ping(session, actor, identifier(path.webhook), at))

    return _once(act)


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
    responses={200: shapes.Queued, **_ACT_PROBLEMS},
)
@reads
def replay(path: shapes.DeliveryPath, body: shapes.NoFields) -> Response:
    """One event again."""
    del body
    hook, delivery = identifier(path.webhook), identifier(path.delivery)

    def act(session: Session, actor: Actor, at: datetime) -> Done:
        return _queued(webhook_replays.replay(session, actor, hook, delivery, at))

    return _once(act)


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
    responses={200: shapes.Queued, **_ACT_PROBLEMS},
)
@reads
def replay_since(path: shapes.WebhookPath, body: shapes.Since) -> Response:
    """All events since a moment."""
    hook = identifier(path.webhook)

    def act(session: Session, actor: Actor, at: datetime) -> Done:
        return _queued(webhook_replays.replay_since(session, actor, hook, body.since, at))

    return _once(act)


def _once(act: Act) -> Response:
    """One act: claim the idempotency key, do it, keep the answer without a secret, commit."""
    with core().database.transaction() as session:
        if kept := repeats.claimed(session):
            version = json.loads(kept.body).get("version")
            etag = str(version) if version is not None else None
            return repeats.replayed(repeats.answered(Done(kept.body, kept.status, etag)))
        done = act(session, access.actor(), now())
        repeats.keep(session, done.status, done.kept or done.body)
    return repeats.answered(done)


def _held(session: Session, actor: Actor, name: str, at: datetime) -> WebhookEndpoint:
    """The webhook, its provider's keepers held off, in the version that ``If-Match`` names."""
    webhook_keepers.keeper_of(session, actor, at)
    row = looked.one(session, actor, identifier(name))
    if "If-Match" in request.headers and not request.if_match.contains(str(row.version)):
        raise PreconditionFailed(
            f"This webhook is in version {row.version} now. Nothing was done. Fetch it again, then "
            "decide."
        )
    return row


def _shown(row: WebhookEndpoint, at: datetime) -> Done:
    return Done(answering.text(webhook_view(row, at)), etag=str(row.version))


def _with_secret(row: WebhookEndpoint, secret: str, at: datetime, status: int) -> Done:
    view = webhook_view(row, at)
    return Done(
        answering.text({**view, "secret": secret}),
        status,
        etag=str(row.version),
        location=url_for("api.webhook", webhook=row.id) if status == 201 else None,
        kept=answering.text({**view, "secret": None}),
    )


def _queued(number: int) -> Done:
    return Done(answering.text({"queued": int(number)}))


def _loopback() -> bool:
    return settings().env is not Env.PRODUCTION
