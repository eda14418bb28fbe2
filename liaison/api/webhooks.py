"""A provider's webhooks, kept by its own program: the verbs of the portal's pages.

Needs a key with the scope ``webhooks``. What a program does here is told to the provider's
administrators by letter.
"""

from __future__ import annotations

from datetime import datetime

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from liaison.api import access, answering, repeats
from liaison.api import webhook_shapes as shapes
from liaison.api.blueprint import WEBHOOKS, api, problems
from liaison.api.problems import PreconditionFailed
from liaison.api.reading import identifier, reads
from liaison.api.repeats import Done, once
from liaison.domain.actors import Actor
from liaison.models import WebhookEndpoint
from liaison.models.webhooks import EndpointState
from liaison.queries import webhooks as looked
from liaison.queries.webhook_views import webhook_view
from liaison.services import webhook_keepers, webhook_keeping
from liaison.services.webhook_keeping import Wanted
from liaison.settings import Env
from liaison.web import core, now, settings, vault

_SCOPE: list[dict[str, list[str]]] = [{"key": ["webhooks"]}]
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

    return once(act)


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

    return once(act)


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


def _loopback() -> bool:
    return settings().env is not Env.PRODUCTION
