"""An order's papers: its deadlines for a calendar, the order and its whole record for printing."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from flask import Response, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.documents import deadlines as calendar
from liaison.domain.permissions import Verb, demand
from liaison.domain.terms import terms_from_json
from liaison.domain.terms_words import Line, said
from liaison.errors import InvalidTransition
from liaison.models import Order
from liaison.portal.orders import words
from liaison.portal.orders.blueprint import bp, seen_order
from liaison.queries import order_papers
from liaison.queries.orders import find
from liaison.queries.views import order_content
from liaison.services.orders import note_fetched


@bp.get("/<ref>/deadlines.ics")
def deadlines(ref: str) -> ResponseReturnValue:
    """The order's deadlines, as the reader's own side has them; no case data."""
    order, actor = seen_order(ref), web.actor()
    if order.ref is None:
        raise InvalidTransition("The order has no deadlines before it is issued. Nothing was made.")
    base = web.settings().base_url.rstrip("/")
    about = calendar.About(
        ref=order.ref,
        version=order.version,
        with_=order.authority.name if actor.is_provider else order.provider.name,
        link=base + url_for("orders.show", ref=order.ref),
        test=order.test,
    )
    host = urlsplit(base).hostname or "liaison"
    content = calendar.write(about, order_papers.deadlines(order, actor), web.now(), host)
    response = Response(content, content_type="text/calendar; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Content-Disposition"] = f'attachment; filename="{order.ref}.ics"'
    return response


@bp.get("/<ref>/print")
def print_(ref: str) -> ResponseReturnValue:
    """The order as it was served, whole, for paper; a draft says that it was not served."""
    return _sheet("print", opened(ref))


@bp.get("/<ref>/record")
def record(ref: str) -> ResponseReturnValue:
    """All that happened to the order, for paper; a provider's holds what both sides may see."""
    demand(web.actor(), Verb.EXPORT)
    order, actor = opened(ref), web.actor()
    found = order_papers.record(web.db(), actor, order, web.now())
    lines = [(item, words.tell(item), words.via(item)) for item in found.items]
    return _sheet("record", order, record=found, lines=lines)


def opened(ref: str) -> Order:
    """The order; that a provider has opened it is noted, on paper as on its page."""
    order, actor = seen_order(ref), web.actor()
    if not actor.is_provider or order.fetched_at is not None:
        return order
    with web.write() as session:
        note_fetched(session, actor, order.name, web.now())
    web.db().rollback()
    return find(web.db(), actor, order.name)


def _sheet(kind: str, order: Order, **more: Any) -> Response:
    served = order_content(order)
    html = render_template(
        f"orders/{kind}.html",
        order=order,
        served={name: _moment(served[name]) for name in ("acknowledge_by", "preserve_by")},
        terms=_terms(order),
        **more,
    )
    return make_response(html)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _terms(order: Order) -> list[Line]:
    """The terms that were copied at issue; whom a ladder calls is on the memorandum's page."""
    if order.terms is None:
        return []
    terms = said(terms_from_json(order.terms))
    return [line for line in terms if not line.key.startswith("ladders/")]
