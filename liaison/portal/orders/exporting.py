"""The queue as a file: what is shown, all its pages, in the reader's own columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flask import Blueprint, Response, request
from flask_login import login_required

from liaison import web
from liaison.clock import rfc3339
from liaison.documents import csv_file
from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.portal.orders import words
from liaison.queries import queue_filters
from liaison.queries.queue import Row, everything
from liaison.services import exports

bp = Blueprint("orders_export", __name__)

MOST = 10_000
"""Rows of one file; where more orders fit, its last line says so."""

COLUMNS = (
    "ref",
    "state",
    "urgency",
    "test",
    "authority",
    "provider",
    "issued_at",
    "due_at",
    "overdue",
    "preserved_until",
    "waiting_for",
    "targets",
    "provider_reference",
    "last_event",
    "last_event_at",
)
OWN_COLUMNS = ("party", "counterpart_reference", "case_number", "person_in_charge")
"""For the contact point only."""


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody takes orders away without signing in."""


@bp.get("/orders.csv")
def export() -> Response:
    """Takes away what the filters show; that it was done is noted."""
    session, actor = web.db(), web.actor()
    demand(actor, Verb.READ_ORDERS)
    demand(actor, Verb.EXPORT)
    filters, _ = queue_filters.read(session, actor, request.args)
    found = list(everything(session, actor, filters, web.now(), MOST + 1))
    text = "".join(csv_file.lines(_lines(found, actor)))
    with web.write() as writing:
        exports.note(writing, actor, filters, min(len(found), MOST), web.now())
    response = Response(f"\ufeff{text}", mimetype="text/csv")
    name = f"orders-{web.now().date().isoformat()}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _lines(found: list[Row], actor: Actor) -> Iterator[tuple[str, ...]]:
    yield COLUMNS if actor.is_provider else COLUMNS + OWN_COLUMNS
    yield from _rows(found[:MOST], actor)
    if len(found) > MOST:
        yield (f"Only the first {MOST} orders are here. Narrow the filters down for the rest.",)


def _rows(found: Iterable[Row], actor: Actor) -> Iterator[tuple[str, ...]]:
    for row in found:
        order = row.order
        shared = (
            order.ref or "",
            order.state.value,
            order.urgency.value,
            _yes(order.test),
            order.authority.name,
            order.provider.name,
            rfc3339(order.issued_at) if order.issued_at else "",
            rfc3339(row.due) if row.due and order.state.is_open else "",
            _yes(row.overdue),
            rfc3339(order.preserved_until) if order.preserved_until else "",
            row.waiting_for,
            str(row.more_targets + 1 if row.target else 0),
            order.provider_reference or "",
            words.short(row.last_type),
            rfc3339(row.last_at) if row.last_at else "",
        )
        yield shared if actor.is_provider else (*shared, *_own(row))


def _own(row: Row) -> tuple[str, ...]:
    order = row.order
    return (
        order.party or "",
        str(order.origin.get("reference") or ""),
        str(order.investigating_authority.get("case_number") or ""),
        str(order.issuing_officer.get("name") or ""),
    )


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"
