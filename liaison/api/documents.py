"""``order.jws`` and ``order.pdf``: an order signed, and for people to read, at both doors."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response

from liaison.api import access, answering
from liaison.api.blueprint import AUTHORITY, ORDERS, Responses, api, problems
from liaison.api.models import OrderPath
from liaison.api.orders import note_served
from liaison.api.reading import reads
from liaison.documents.order_jws import MEDIA_TYPE
from liaison.queries.orders import find
from liaison.web import core
from liaison.web.order_files import PDF, SignedOrder, jws_file, pdf_file, signed

SIGNED = (
    "The order as it was served, as a JWS in compact form (RFC 7515), signed by EdDSA with "
    "Ed25519. Its payload is canonical JSON (RFC 8785): the SHA-256 of the payload is "
    "`documents.sha256`. The keys are at `/.well-known/jwks.json`. It never changes; what "
    "happened since is in the order."
)
FOR_PEOPLE = (
    "The order as it was served, for people: PDF/A-3 and PDF/UA-1, with the signed order "
    "attached. A character that its fonts do not have stands as its code. Where no PDF can be "
    "made (503) take the signed order: it is the original."
)


def _answers(kind: str, description: str, *statuses: int) -> Responses:
    file = {kind: {"schema": {"type": "string", "format": "binary"}}}
    return {
        200: {"description": description, "content": file},
        304: {"description": "Unchanged."},
        **problems(404, *statuses),
    }


_JWS = "The signed order, one line of ASCII."
_PDF = "The PDF, to be saved."


@api.get(
    "/orders/<order>/order.jws",
    operation_id="getSignedOrder",
    summary="Fetch the signed order",
    description=SIGNED,
    tags=[ORDERS],
    security=[{"key": ["read"]}],
    responses=_answers(MEDIA_TYPE, _JWS),
)
@reads
def signed_order(path: OrderPath) -> Response:
    """The signed order."""
    return _file(path.order, jws_file)


@api.get(
    "/orders/<order>/order.pdf",
    operation_id="getOrderPdf",
    summary="Fetch the order as PDF",
    description=FOR_PEOPLE,
    tags=[ORDERS],
    security=[{"key": ["read"]}],
    responses=_answers(PDF, _PDF, 503),
)
@reads
def order_pdf(path: OrderPath) -> Response:
    """Its PDF."""
    return _file(path.order, pdf_file)


@api.get(
    "/authority/orders/<order>/order.jws",
    operation_id="getAuthoritySignedOrder",
    summary="Fetch the signed order of your contact point",
    description=f"{SIGNED} Of a draft there is none (409).",
    tags=[AUTHORITY],
    security=[{"key": ["read"]}],
    responses=_answers(MEDIA_TYPE, _JWS, 409),
)
@reads
def authority_signed_order(path: OrderPath) -> Response:
    """The signed order; that its own side reads it is noted nowhere."""
    return _file(path.order, jws_file)


@api.get(
    "/authority/orders/<order>/order.pdf",
    operation_id="getAuthorityOrderPdf",
    summary="Fetch an order of your contact point as PDF",
    description=f"{FOR_PEOPLE} Of a draft there is none (409).",
    tags=[AUTHORITY],
    security=[{"key": ["read"]}],
    responses=_answers(PDF, _PDF, 409, 503),
)
@reads
def authority_order_pdf(path: OrderPath) -> Response:
    """Its PDF."""
    return _file(path.order, pdf_file)


def _file(name: str, made: Callable[[SignedOrder], Response]) -> Response:
    with core().database.reading() as session:
        found = find(session, access.actor(), name)
        order = signed(session, found)
    if answering.has_it(order.tag):
        return answering.not_modified(order.tag)
    response = made(order)
    # After it was made: where no PDF can be had, nobody has fetched anything.
    if access.actor().is_provider:
        note_served([found])
    return response
