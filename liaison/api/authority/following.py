"""What a case system reads: whose key it has, its contact point's stream, its orders."""

from __future__ import annotations

from flask import Response

from liaison.api import access, answering, events
from liaison.api.authority.shapes import AuthorityOrderList, AuthorityOrderView, AuthorityWhoAmI
from liaison.api.blueprint import AUTHORITY, api, problems
from liaison.api.models import AuthorityOrdersQuery, EventsQuery, OrderPath
from liaison.api.reading import reads
from liaison.api.reference import told_of_key
from liaison.api.shapes import EventPage
from liaison.queries.authority_views import authority_order_view
from liaison.queries.order_list import order_page
from liaison.queries.orders import find
from liaison.web import core


@api.get(
    "/authority/whoami",
    operation_id="authorityWhoAmI",
    summary="Whose key is this?",
    description="The key's contact point, its scopes and its expiry: the first call to try.",
    tags=[AUTHORITY],
    security=[{"key": ["read"]}],
    responses={200: AuthorityWhoAmI, **problems()},
)
@reads
def authority_whoami() -> Response:
    """The key that asks."""
    return answering.answer(answering.text(told_of_key("authority", access.key())))


@api.get(
    "/authority/events",
    operation_id="listAuthorityEvents",
    summary="Read the contact point's own stream",
    description=(
        "What only your contact point may see: drafts, submissions, returns, authorisations, "
        "notes, calls, and who of your people acted. Read, paged, chained and polled like a "
        "provider's stream. What a provider answers stands in the order: fetch it."
    ),
    tags=[AUTHORITY],
    security=[{"key": ["read"]}],
    responses={200: EventPage, 304: {"description": "Nothing new."}, **problems()},
)
@reads
def authority_events(query: EventsQuery) -> Response:
    """The stream from a sequence number on."""
    return events.polled(query)


@api.get(
    "/authority/orders",
    operation_id="listAuthorityOrders",
    summary="List your contact point's orders",
    description=(
        "All orders of your contact point, drafts too, oldest first. Go on with `next` as `after` "
        "until it is null."
    ),
    tags=[AUTHORITY],
    security=[{"key": ["read"]}],
    responses={200: AuthorityOrderList, **problems()},
)
@reads
def authority_orders(query: AuthorityOrdersQuery) -> Response:
    """A page of the contact point's orders."""
    with core().database.reading() as session:
        page = order_page(
            session,
            access.actor(),
            state=query.state,
            urgency=query.urgency,
            after=query.after,
            limit=query.limit,
        )
        views = [authority_order_view(order) for order in page.orders]
    after = str(page.next) if page.next else None
    return answering.answer(answering.text({"orders": views, "next": after}))


@api.get(
    "/authority/orders/<order>",
    operation_id="getAuthorityOrder",
    summary="Fetch an order of your contact point",
    description=(
        "The whole order with its thread, its report and where it stands. `ETag` is its version: "
        "send it as `If-Match` with a change, or as `If-None-Match` to fetch only what changed."
    ),
    tags=[AUTHORITY],
    security=[{"key": ["read"]}],
    responses={200: AuthorityOrderView, 304: {"description": "Unchanged."}, **problems(404)},
)
@reads
def authority_order(path: OrderPath) -> Response:
    """One order; unlike a provider's, this reading is noted nowhere."""
    with core().database.reading() as session:
        found = find(session, access.actor(), path.order)
        etag = str(found.version)
        if answering.has_it(etag):
            return answering.not_modified(etag)
        body = answering.text(authority_order_view(found))
    return answering.answer(body, etag=etag, cache=answering.ASK_AGAIN)
