"""The provider's answers: acknowledgement, preservation, refusal. Each is one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from flask import Response, request
from sqlalchemy.orm import Session

from liaison.api import access, answering, models
from liaison.api.blueprint import ANSWERS, Responses, api, problems
from liaison.api.models import OrderPath
from liaison.api.order_shapes import OrderView
from liaison.api.problems import PreconditionFailed
from liaison.api.reading import reads
from liaison.domain import answer
from liaison.domain.actors import Actor
from liaison.models import Order
from liaison.queries.orders import find
from liaison.queries.views import order_view
from liaison.services import answers, idempotency
from liaison.web import core, now

Verb = Callable[[Session, Actor, datetime], Order]

_RESPONSES: Responses = {200: OrderView, **problems(400, 404, 409, 412, 413, 415)}
_REPEATS = (
    " Send an `Idempotency-Key` of your own making, so that a repeat after a lost answer acts "
    "once; send `If-Match` with the version you read to be sure nobody acted since."
)


@api.post(
    "/orders/<order>/acknowledgement",
    operation_id="acknowledgeOrder",
    summary="Acknowledge an order",
    description="Confirms receipt. The escalation stops in the same moment." + _REPEATS,
    tags=[ANSWERS],
    security=[{"key": ["respond"]}],
    responses=_RESPONSES,
)
@reads
def acknowledge(path: OrderPath, body: models.Acknowledgement) -> Response:
    """Receipt of an order."""

    def verb(session: Session, actor: Actor, at: datetime) -> Order:
        return answers.acknowledge(
            session, actor, path.order, at, reference=body.reference, note=body.note
        )

    return _act(path.order, verb)


@api.post(
    "/orders/<order>/preservation",
    operation_id="confirmPreservation",
    summary="Confirm preservation",
    description=(
        "Says until when the data are kept, target by target where they differ. Acknowledges "
        "too, where that was not done. A second time amends the report." + _REPEATS
    ),
    tags=[ANSWERS],
    security=[{"key": ["respond"]}],
    responses=_RESPONSES,
)
@reads
def preserve(path: OrderPath, body: models.Preservation) -> Response:
    """A preservation report."""
    report = answer.Preservation(
        days=body.days,
        until=body.until,
        targets=tuple(
            answer.TargetAnswer(t.id, t.outcome, t.until, t.note) for t in body.targets or ()
        ),
        preserved_at=body.preserved_at,
        reference=body.reference,
        sha256=body.sha256,
        risk=body.risk,
        note=body.note,
    )

    def verb(session: Session, actor: Actor, at: datetime) -> Order:
        return answers.preserve(session, actor, path.order, report, at)

    return _act(path.order, verb)


@api.post(
    "/orders/<order>/refusal",
    operation_id="declineOrder",
    summary="Decline an order",
    description="Declines on grounds of the closed list, with an explanation." + _REPEATS,
    tags=[ANSWERS],
    security=[{"key": ["respond"]}],
    responses=_RESPONSES,
)
@reads
def decline(path: OrderPath, body: models.Refusal) -> Response:
    """A refusal with its grounds."""
    refusal = answer.Refusal(tuple(body.grounds), body.explanation, body.preserved_meanwhile)

    def verb(session: Session, actor: Actor, at: datetime) -> Order:
        return answers.decline(session, actor, path.order, refusal, at)

    return _act(path.order, verb)


def _act(name: str, verb: Verb) -> Response:
    """One act: claim the idempotency key, check ``If-Match``, do it, keep the answer, commit."""
    actor, key = access.actor(), request.headers.get("Idempotency-Key")
    with core().database.transaction() as session:
        if key is not None:
            kept = idempotency.claim(session, access.key().id, key, _digest(), now())
            if kept is not None:
                return _replayed(kept)
        _check_version(session, actor, name)
        body = answering.text(order_view(verb(session, actor, now())))
        if key is not None:
            idempotency.keep(session, access.key().id, key, 200, body)
    return _answered(body)


def _digest() -> str:
    return idempotency.request_hash(request.method, request.path, request.get_data())


def _replayed(kept: idempotency.Kept) -> Response:
    response = _answered(kept.body)
    response.status_code = kept.status
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _answered(body: str) -> Response:
    return answering.answer(body, etag=str(json.loads(body)["version"]))


def _check_version(session: Session, actor: Actor, name: str) -> None:
    if "If-Match" not in request.headers:
        return
    order = find(session, actor, name, lock=True)
    if not request.if_match.contains(str(order.version)):
        raise PreconditionFailed(
            f"Order {order.name} is in version {order.version} now: "
            f"{order.state.label.lower()}. Nothing was done. Read it again, then decide."
        )
