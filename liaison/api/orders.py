"""``GET /orders`` and ``GET /orders/{order}``: reading, and the note that an order was served."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from flask import Response, request
from sqlalchemy.exc import OperationalError

from liaison.api import access, answering
from liaison.api.blueprint import ORDERS, api, problems
from liaison.api.models import OrderPath, OrdersQuery
from liaison.api.order_shapes import OrderList, OrderView
from liaison.api.reading import reads
from liaison.models import Order
from liaison.queries.order_list import order_page
from liaison.queries.orders import find
from liaison.queries.views import order_view
from liaison.services.orders import note_fetched
from liaison.web import core, now


@api.get(
    "/orders",
    operation_id="listOrders",
    summary="List orders",
    description=(
        "All orders served on you, oldest first. Go on with `next` as `after` until it is null. "
        "To follow what happens, read the stream instead."
    ),
    tags=[ORDERS],
    security=[{"key": ["read"]}],
    responses={200: OrderList, **problems()},
)
@reads
def orders(query: OrdersQuery) -> Response:
    """A page of the provider's orders."""
    with core().database.reading() as session:
        page = order_page(
            session,
            access.actor(),
            state=query.state,
            urgency=query.urgency,
            after=query.after,
            limit=query.limit,
        )
        views = [order_view(order) for order in page.orders]
    note_served(page.orders)
    after = str(page.next) if page.next else None
    return answering.answer(answering.text({"orders": views, "next": after}))


@api.get(
    "/orders/<order>",
    operation_id="getOrder",
    summary="Fetch an order",
    description=(
        "The whole order. The first time is noted in the stream as `order.fetched`. `ETag` is the "
        "order's version: send it as `If-Match` with your answer, or as `If-None-Match` to fetch "
        "only what changed."
    ),
    tags=[ORDERS],
    security=[{"key": ["read"]}],
    responses={200: OrderView, 304: {"description": "Unchanged."}, **problems(404)},
)
@reads
def order(path: OrderPath) -> Response:
    """One order."""
    with core().database.reading() as session:
        found = find(session, access.actor(), path.order)
        etag = str(found.version)
        if answering.has_it(etag):
            return answering.not_modified(etag)
        body = answering.text(order_view(found))
    note_served([found])
    return answering.answer(body, etag=etag, cache=answering.ASK_AGAIN)


def note_served(given: Iterable[Order]) -> None:
    """Notes the first fetch of each order; later ones write nothing, and neither does HEAD."""
    new = [order.name for order in given if order.fetched_at is None]
    if not new or request.method == "HEAD":
        return
    for name in new:
        # Each in a transaction of its own: two locked orders at once could stop an answer. And
        # what is noted beside a reading must not make the reading fail.
        with suppress(OperationalError), core().database.transaction() as session:
            note_fetched(session, access.actor(), name, now())
