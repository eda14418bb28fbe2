"""The provider's answers: acknowledgement, preservation, refusal. Each is one transaction."""

from __future__ import annotations

from datetime import datetime

from flask import Response, request
from sqlalchemy.orm import Session

from liaison.api import bulk, models
from liaison.api.acts import REPEATS, act
from liaison.api.blueprint import ANSWERS, Responses, api, problems
from liaison.api.models import OrderPath
from liaison.api.order_shapes import OrderView
from liaison.api.reading import CSV, reads, reads_or_csv
from liaison.domain import answer
from liaison.domain.actors import Actor
from liaison.domain.extension import Wish
from liaison.errors import FieldError, Invalid
from liaison.models import Order
from liaison.services import answers, disposals, doubts, extensions, routes

_RESPONSES: Responses = {200: OrderView, **problems(400, 404, 409, 412, 413, 415)}


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
        "too, where that was not done. A second time amends the report. For many targets, send "
        "`text/csv` instead: the file from `targets.csv` with `outcome`, `until` and `note` filled "
        "in, each target once, and the whole answer's fields in the query. Then `pointer` of an "
        "error is `/LINE/COLUMN`, lines counted from 1." + REPEATS
    ),
    tags=[ANSWERS],
    security=[{"key": ["respond"]}],
    responses=_RESPONSES,
)
@reads_or_csv
def preserve(
    path: OrderPath, query: models.PreservationQuery, body: models.Preservation
) -> Response:
    """A preservation report."""
    if request.mimetype == CSV:
        return bulk.preserve(path, query)
    if extra := query.model_fields_set:
        detail = "Give this in the body; in the address it stands only beside a CSV body."
        raise Invalid([FieldError(f"/{name}", detail) for name in sorted(extra)])
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
