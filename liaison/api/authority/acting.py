"""One act of a case system: its repeat answered alike, its version checked, one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from flask import Response, request, url_for
from sqlalchemy.orm import Session

from liaison.api import access, answering
from liaison.api.acts import check_version
from liaison.api.repeats import digest
from liaison.domain.actors import Actor
from liaison.errors import LiaisonError
from liaison.models import Order
from liaison.queries.authority_views import authority_order_view
from liaison.queries.orders import find
from liaison.services import idempotency
from liaison.web import core, now

Verb = Callable[[Session, Actor, datetime], Order]


class VersionNeeded(LiaisonError):
    """The call writes over what is there and does not say what it has read (RFC 6585, 428)."""

    slug = "precondition-required"
    title = "Say which version you read"
    status = 428


def begin(verb: Verb) -> Response:
    """A new order: 201, and where it is."""
    return _act(None, verb, 201, needs_version=False)


def act(name: str, verb: Verb, *, needs_version: bool = False) -> Response:
    """An act on an order of the authority's own; ``If-Match`` is checked where it is sent."""
    return _act(name, verb, 200, needs_version=needs_version)


def _act(name: str | None, verb: Verb, status: int, *, needs_version: bool) -> Response:
    actor, key = access.actor(), request.headers.get("Idempotency-Key")
    with core().database.transaction() as session:
        if key is not None:
            kept = idempotency.claim(session, access.key().id, key, digest(), now())
            if kept is not None:
                return _replayed(kept)
        if name is not None:
            _check(session, actor, name, needed=needs_version)
        body = answering.text(authority_order_view(verb(session, actor, now())))
        if key is not None:
            # Whole, unlike an answer about a served order: a draft's every word may change.
            idempotency.keep(session, access.key().id, key, status, body)
    return _answered(body, status)


def _check(session: Session, actor: Actor, name: str, *, needed: bool) -> None:
    order = find(session, actor, name)  # what is not there is not there, whatever was sent
    if needed and "If-Match" not in request.headers:
        raise VersionNeeded(
            f"Order {order.name} is in version {order.version} now. Read it, then send its ETag as "
            "If-Match with your change: somebody may have changed it since you read it last."
        )
    check_version(session, actor, name)


def _replayed(kept: idempotency.Kept) -> Response:
    response = _answered(kept.body, kept.status)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _answered(body: str, status: int) -> Response:
    told = json.loads(body)
    response = answering.answer(body, etag=str(told["version"]))
    response.status_code = status
    if status == 201:
        response.headers["Location"] = url_for("api.authority_order", order=told["id"])
    return response
