"""One act on an order: done once, in the version that was read, answered with the order."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from flask import Response, request
from sqlalchemy.orm import Session

from liaison.api import access, answering, repeats
from liaison.api.kept_answers import fold, unfold
from liaison.api.problems import PreconditionFailed
from liaison.domain.actors import Actor
from liaison.models import Order
from liaison.queries.orders import find
from liaison.queries.views import order_view
from liaison.services import idempotency
from liaison.web import core, now

Verb = Callable[[Session, Actor, datetime], Order]

REPEATS = (
    " Send an `Idempotency-Key` of your own making, so that a repeat after a lost answer acts "
    "once; send `If-Match` with the version you read to be sure nobody acted since."
)


def act(name: str, verb: Verb) -> Response:
    """One act: claim the idempotency key, check ``If-Match``, do it, keep the answer, commit."""
    actor = access.actor()
    with core().database.transaction() as session:
        if kept := repeats.claimed(session):
            return _replayed(find(session, actor, name), kept)
        check_version(session, actor, name)
        order = verb(session, actor, now())
        view = order_view(order)
        repeats.keep(session, 200, fold(order, view))
    return _answered(answering.text(view))


def repeated(name: str) -> Response | None:
    """The answer to this very request, if it was done before: for what is costly to look at."""
    kept = repeats.known()
    if kept is None:
        return None
    with core().database.reading() as session:
        return _replayed(find(session, access.actor(), name), kept)


def _replayed(order: Order, kept: idempotency.Kept) -> Response:
    response = _answered(unfold(order, kept.body))
    response.status_code = kept.status
    return repeats.replayed(response)


def _answered(body: str) -> Response:
    return answering.answer(body, etag=str(json.loads(body)["version"]))


def check_version(session: Session, actor: Actor, name: str) -> None:
    """412 where the order, locked, is no longer in the version that ``If-Match`` names."""
    if "If-Match" not in request.headers:
        return
    order = find(session, actor, name, lock=True)
    if not request.if_match.contains(str(order.version)):
        raise PreconditionFailed(
            f"Order {order.name} is in version {order.version} now: "
            f"{order.state.label.lower()}. Nothing was done. Read it again, then decide."
        )
