"""An order's page."""

from __future__ import annotations

from flask import Response

from liaison import web
from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Urgency
from liaison.models import Order
from liaison.portal.live import CALM_POLL, EMERGENCY_POLL, live_page, tag_of
from liaison.portal.orders.blueprint import bp
from liaison.portal.orders.page import OrderPage, order_page
from liaison.portal.orders.shown_deliveries import counted, folded
from liaison.queries import deliveries, orders
from liaison.queries.ladder import StepState
from liaison.services.orders import note_fetched


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
        "orders/show",
        _order_tag(page),
        EMERGENCY_POLL if burning else CALM_POLL,
        page=page,
        order=order,
        folded=folded,
        counted=counted,
        why_failed=deliveries.reason,
    )


def _note_opened(actor: Actor, ref: str) -> Order:
    """Notes that the provider has seen the order, and reads it anew."""
    with web.write() as writing:
        note_fetched(writing, actor, ref, web.now())
    web.db().rollback()
    return orders.find(web.db(), actor, ref)


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
