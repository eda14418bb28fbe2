"""An order's page; and the live part of a page, which it asks for again and again."""

from __future__ import annotations

import hashlib

from flask import Response, make_response, render_template, request

from liaison import web
from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Urgency
from liaison.models import Order
from liaison.portal.frame import frame
from liaison.portal.orders.blueprint import bp
from liaison.portal.orders.page import OrderPage, order_page
from liaison.portal.orders.shown_deliveries import counted, folded
from liaison.queries import deliveries, orders
from liaison.queries.ladder import StepState
from liaison.services.orders import note_fetched

EMERGENCY_POLL, CALM_POLL = 5, 30
"""Seconds between two looks of an open page."""


@bp.get("/<ref>")
def show(ref: str) -> Response:
    """One order: how long is left, what to do, who is called, what it is about."""
    actor = web.actor()
    order = orders.find(web.db(), actor, ref)
    if actor.is_provider and order.fetched_at is None:
        order = _note_opened(actor, order.name)
    page = order_page(web.db(), actor, order, web.now())
    burning = order.state.is_open and order.urgency is Urgency.EMERGENCY
    return live_page(
        "show",
        _order_tag(page),
        EMERGENCY_POLL if burning else CALM_POLL,
        page=page,
        order=order,
        folded=folded,
        counted=counted,
    )


def _note_opened(actor: Actor, ref: str) -> Order:
    """Notes that the provider has seen the order, and reads it anew."""
    with web.write() as writing:
        note_fetched(writing, actor, ref, web.now())
    web.db().rollback()
    return orders.find(web.db(), actor, ref)


def live_page(template: str, tag: str, every: int, **values: object) -> Response:
    """The whole page, or with ``?part=live`` only what changes: 304 where nothing did."""
    live = request.args.get("part") == "live"
    tag = tag_of(tag, frame().faults) if live else tag
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


def _order_tag(page: OrderPage) -> str:
    ladder = page.ladder
    steps, calls, failed = ladder.steps, ladder.calls, ladder.failed
    if page.viewer.is_provider:
        # Only what its page shows: it must not tell by this when we call whom, nor whom of ours
        # we cannot reach. That a notice to its own people came back is its business.
        steps, calls = [s for s in steps if s.state is StepState.DONE], []
        failed = [m for m in failed if m.contact and m.contact.provider_id is not None]
    return tag_of(
        page.viewer.id,
        page.order.version,
        page.deadline.late,
        [str(line.item.entry.id) for line in page.lines],
        [(step.state, str(step.due_at)) for step in steps],
        [(str(call.id), call.state) for call in calls],
        [str(message.id) for message in failed],
        _deliveries(page),
    )


def _deliveries(page: OrderPage) -> list[tuple[object, ...]]:
    """Where each notice that the viewer is shown stands: a carrier's word changes no order."""
    found = deliveries.of_order(web.db(), page.viewer, page.order, web.now())
    return [
        (str(one.message.id), one.stand.value, str(one.at), len(one.tries), one.message.settled_at)
        for one in found
    ]


def tag_of(*parts: object) -> str:
    """The ETag of a live part: another one as soon as anything in it is."""
    # The minute is part of it: "2 min ago" grows old though nothing happened.
    minute = int(web.now().timestamp()) // 60
    return hashlib.sha256(repr((minute, *parts)).encode()).hexdigest()[:32]
