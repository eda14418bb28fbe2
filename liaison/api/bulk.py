"""Orders of many targets: their list as CSV, and the answer to it as CSV."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from flask import Response, request
from sqlalchemy.orm import Session

from liaison.api import access
from liaison.api.acts import act
from liaison.api.blueprint import ORDERS, api, problems
from liaison.api.models import OrderPath, PreservationQuery
from liaison.api.orders import note_served
from liaison.api.reading import reads
from liaison.documents import targets_csv
from liaison.domain import answer_csv
from liaison.domain.actors import Actor
from liaison.domain.answer import Preservation, TargetAnswer
from liaison.errors import FieldError, Invalid
from liaison.models import Order
from liaison.queries.orders import find
from liaison.queries.target_rows import rows
from liaison.services import answers
from liaison.web import core

_TARGET = re.compile(r"/targets/(\d+)/(\w+)", re.ASCII)


@api.get(
    "/orders/<order>/targets.csv",
    operation_id="listTargetsAsCsv",
    summary="Fetch the targets as CSV",
    description=(
        "One line a target, with what was reported so far: fill in `outcome`, `until` and `note`, "
        "and send the file back as preservation report. UTF-8 with a byte order mark, for "
        "spreadsheets; a cell that a spreadsheet would take for a formula has an apostrophe in "
        "front, which may stay."
    ),
    tags=[ORDERS],
    security=[{"key": ["read"]}],
    responses={
        200: {
            "description": f"Columns: {', '.join(answer_csv.COLUMNS)}. Times are in UTC.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
        **problems(404),
    },
)
@reads
def targets_file(path: OrderPath) -> Response:
    """The targets, to be filled in."""
    with core().database.reading() as session:
        order = find(session, access.actor(), path.order)
        text = "".join(targets_csv.write(rows(order)))
        name = f"{order.name}-targets.csv"
    note_served([order])
    response = Response(text, mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def preserve(path: OrderPath, query: PreservationQuery) -> Response:
    """A preservation report as CSV: the lines say what was found, the query for how long."""
    text = answer_csv.decode(request.get_data(), "")
    # Before the act: whoever reads a long file holds nobody up. What is served keeps its targets.
    with core().database.reading() as session:
        targets = find(session, access.actor(), path.order).targets
        known = [answer_csv.Target(target.id, target.value) for target in targets]
    lines = answer_csv.read(text, known, None)

    def verb(session: Session, actor: Actor, at: datetime) -> Order:
        try:
            return answers.preserve(session, actor, path.order, _report(query, lines), at)
        except Invalid as error:
            raise Invalid([_placed(fault, lines) for fault in error.errors]) from None

    return act(path.order, verb)


def _report(query: PreservationQuery, lines: Sequence[answer_csv.Line]) -> Preservation:
    return Preservation(
        days=query.days,
        until=query.until,
        targets=tuple(TargetAnswer(x.target_id, x.outcome, x.until, x.note) for x in lines),
        preserved_at=query.preserved_at,
        reference=query.reference,
        sha256=query.sha256,
    )


def _placed(fault: FieldError, lines: Sequence[answer_csv.Line]) -> FieldError:
    """A fault of a target at its line and column: that is where the file is mended."""
    if fault.pointer == "/targets":
        return FieldError("", fault.detail)
    found = _TARGET.fullmatch(fault.pointer)
    if found is None:
        return fault
    number, column = lines[int(found[1])].number, found[2]
    return FieldError(f"/{number}/{column}", f"Line {number}: {fault.detail}")
