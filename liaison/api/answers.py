"""The provider's answers: acknowledgement, preservation, refusal. Each is one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from flask import Response, request
from sqlalchemy.orm import Session

from liaison.api import access, answering, models
from liaison.api.blueprint import ANSWERS, Responses, api, problems
from liaison.api.kept_answers import fold, unfold
from liaison.api.models import OrderPath
from liaison.api.order_shapes import OrderView
from liaison.api.problems import PreconditionFailed
from liaison.api.reading import reads
from liaison.domain import answer
from liaison.domain.actors import Actor
from liaison.domain.extension import Wish
from liaison.models import Order
from liaison.queries.orders import find
from liaison.queries.views import order_view
from liaison.services import answers, disposals, doubts, extensions, idempotency, routes
from liaison.web import core, now

Verb = Callable[[Session, Actor, datetime], Order]

_RESPONSES: Responses = {200: OrderView, **problems(400, 404, 409, 412, 413, 415)}
REPEATS = (
    " Send an `Idempotency-Key` of your own making, so that a repeat after a lost answer acts "
    "once; send `If-Match` with the version you read to be sure nobody acted since."
)


@api.post(
    "/orders/<order>/acknowledgement",
    operation_id="acknowledgeOrder",
    summary="Acknowledge an order",
    description="Confirms receipt. The escalation stops in the same moment." + REPEATS,
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

    return act(path.order, verb)


@api.post(
    "/orders/<order>/preservation",
    operation_id="confirmPreservation",
    summary="Confirm preservation",
    description=(
        "Says until when the data are kept, target by target where they differ. Acknowledges "
        "too, where that was not done. A second time amends the report." + REPEATS
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

    return act(path.order, verb)


@api.post(
    "/orders/<order>/refusal",
    operation_id="declineOrder",
    summary="Decline an order",
    description="Declines on grounds of the closed list, with an explanation." + REPEATS,
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

    return act(path.order, verb)


@api.post(
    "/orders/<order>/doubt",
    operation_id="doubtOrder",
    summary="Doubt an order",
    description=(
        "Says that the order may be forged. Keep the data provisionally: people of the contact "
        "point are alarmed at their registered numbers, and two who did not write the order must "
        "vouch for it, or it is withdrawn. The clocks go on, and nothing is acknowledged by it. "
        "One doubt at a time." + REPEATS
    ),
    tags=[ANSWERS],
    security=[{"key": ["respond"]}],
    responses=_RESPONSES,
)
@reads
def doubt(path: OrderPath, body: models.Doubt) -> Response:
    """A doubt and its reason."""

    def verb(session: Session, actor: Actor, at: datetime) -> Order:
        return doubts.raise_(session, actor, path.order, body.reason, None, at)

    return act(path.order, verb)


@api.post(
    "/orders/<order>/extension",
    operation_id="confirmExtension",
    summary="Confirm an extension",
    description=(
        "Gives the new date where the contact point asked for one: see `extension` of the order. "
        "An earlier date than asked is marked so; a later one is possible up to the limits. "
        "Without a request from the contact point, amend the preservation report." + REPEATS
    ),
    tags=[ANSWERS],
    security=[{"key": ["respond"]}],
    responses=_RESPONSES,
)
@reads
def extend(path: OrderPath, body: models.Extension) -> Response:
    """The new date."""
    wish = Wish(days=body.days, until=body.until)

    def verb(session: Session, actor: Actor, at: datetime) -> Order:
        return extensions.confirm(
            session, actor, path.order, wish, at, reference=body.reference, note=body.note
        )

    return act(path.order, verb)


@api.post(
    "/orders/<order>/disposal",
    operation_id="confirmDisposal",
    summary="Confirm disposal",
    description=(
        "Says that what was kept for the order is gone, after it was released or has expired, "
        "where the memorandum asks for it (`disposal_wanted`)." + REPEATS
    ),
    tags=[ANSWERS],
    security=[{"key": ["respond"]}],
    responses=_RESPONSES,
)
@reads
def dispose(path: OrderPath, body: models.Disposal) -> Response:
    """Disposal of what was kept."""

    def verb(session: Session, actor: Actor, at: datetime) -> Order:
        return disposals.confirm(
            session, actor, path.order, at, reference=body.reference, note=body.note
        )

    return act(path.order, verb)


@api.post(
    "/orders/<order>/route",
    operation_id="nameOtherProvider",
    summary="Name another provider",
    description=(
        "Says that another provider took part in the transmission, with enough to identify it and "
        "the path (Budapest Convention arts 17, 30); after a refusal, too. Several may be named, "
        "one a call; the same once more changes nothing." + REPEATS
    ),
    tags=[ANSWERS],
    security=[{"key": ["respond"]}],
    responses=_RESPONSES,
)
@reads
def route(path: OrderPath, body: models.Route) -> Response:
    """Another provider, and the path to it."""

    def verb(session: Session, actor: Actor, at: datetime) -> Order:
        return routes.report(
            session, actor, path.order, body.provider, body.path, at, target=body.target
        )

    return act(path.order, verb)


def act(name: str, verb: Verb) -> Response:
    """One act: claim the idempotency key, check ``If-Match``, do it, keep the answer, commit."""
    actor, key = access.actor(), request.headers.get("Idempotency-Key")
    with core().database.transaction() as session:
        if key is not None:
            kept = idempotency.claim(session, access.key().id, key, digest(), now())
            if kept is not None:
                return _replayed(find(session, actor, name), kept)
        check_version(session, actor, name)
        order = verb(session, actor, now())
        view = order_view(order)
        if key is not None:
            idempotency.keep(session, access.key().id, key, 200, fold(order, view))
    return _answered(answering.text(view))


def repeated(name: str) -> Response | None:
    """The answer to this very request, if it was done before: for what is costly to look at."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    with core().database.reading() as session:
        kept = idempotency.known(session, access.key().id, key, digest(), now())
        return _replayed(find(session, access.actor(), name), kept) if kept else None


def digest() -> str:
    """What makes this request the same as another."""
    return idempotency.request_hash(request.method, request.path, request.get_data())


def _replayed(order: Order, kept: idempotency.Kept) -> Response:
    response = _answered(unfold(order, kept.body))
    response.status_code = kept.status
    response.headers["Idempotency-Replayed"] = "true"
    return response


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
