"""The queue and an order's page. Each has a live part that a page asks for again and again."""

from __future__ import annotations

import hashlib

from flask import Response, make_response, render_template, request

from liaison import web
from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.vocabulary import Urgency
from liaison.models import Order
from liaison.portal.orders import words
from liaison.portal.orders.blueprint import bp
from liaison.portal.orders.page import OrderPage, order_page
from liaison.queries import orders
from liaison.queries.queue import Queue, queue
from liaison.queries.queue_views import COUNTED, View
from liaison.services.orders import note_fetched

EMERGENCY_POLL, CALM_POLL = 5, 30
"""Seconds between two looks of an open page."""

LAST_PAGE = 10_000


@bp.get("")
def index() -> Response:
    """What needs a person first; ``?view=`` filters, ``?q=`` finds, ``?page=`` goes on."""
    session, actor = web.db(), web.actor()
    demand(actor, Verb.READ_ORDERS)
    text = request.args.get("q", "")[:200]
    number = min(max(request.args.get("page", 1, type=int), 1), LAST_PAGE)
    found = queue(session, actor, web.now(), view=request.args.get("view"), text=text, page=number)
    running = found.counts[View.EMERGENCIES]
    return _live_page(
        "queue",
        _queue_tag(found, actor),
        EMERGENCY_POLL if running else CALM_POLL,
        queue=found,
        text=text,
        counted=COUNTED,
        views=View,
        words=words,
    )


@bp.get("/<ref>")
def show(ref: str) -> Response:
    """One order: how long is left, what to do, who is called, what it is about."""
    actor = web.actor()
    order = orders.find(web.db(), actor, ref)
    if actor.is_provider and order.fetched_at is None:
        order = _note_opened(actor, order.name)
    page = order_page(web.db(), actor, order, web.now())
    burning = order.state.is_open and order.urgency is Urgency.EMERGENCY
    return _live_page(
        "show", _order_tag(page), EMERGENCY_POLL if burning else CALM_POLL, page=page, order=order
    )


def _note_opened(actor: Actor, ref: str) -> Order:
    """Notes that the provider has seen the order, and reads it anew."""
    with web.write() as writing:
        note_fetched(writing, actor, ref, web.now())
    web.db().rollback()
    return orders.find(web.db(), actor, ref)


def _live_page(template: str, tag: str, every: int, **values: object) -> Response:
    """The whole page, or with ``?part=live`` only what changes: 304 where nothing did."""
    live = request.args.get("part") == "live"
    name = f"orders/_{template}_live.html" if live else f"orders/{template}.html"
    if live and tag in request.if_none_match:
        response = make_response("", 304)
    else:
        args = {key: value for key, value in request.args.items() if key != "part"}
        response = make_response(
            render_template(
                name,
                every=every,
                live_args=args,
                **values,
            )
        )
    if live:
        response.set_etag(tag)
        response.headers["X-Poll-Interval"] = str(every)
    return response


def _queue_tag(found: Queue, actor: Actor) -> str:
    rows = [
        (r.order.name, r.order.version, r.last_at, r.waiting_for, r.overdue) for r in found.rows
    ]
    return _tag(actor.id, found.view, found.page, sorted(found.counts.items()), rows)


def _order_tag(page: OrderPage) -> str:
    ladder = page.ladder
    return _tag(
        page.viewer.id,
        page.order.version,
        page.deadline.late,
        [str(line.item.entry.id) for line in page.lines],
        [(step.state, str(step.due_at)) for step in ladder.steps],
        [(str(call.id), call.state) for call in ladder.calls],
        [str(message.id) for message in ladder.failed],
    )


def _tag(*parts: object) -> str:
    # The minute is part of it: "2 min ago" grows old though nothing happened.
    minute = int(web.now().timestamp()) // 60
    return hashlib.sha256(repr((minute, *parts)).encode()).hexdigest()[:32]
