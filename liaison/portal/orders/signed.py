"""The signed order and its PDF, to be saved from the order's page."""

from __future__ import annotations

from flask import Response

from liaison import web
from liaison.portal.orders.blueprint import bp
from liaison.portal.orders.papers import opened
from liaison.web.order_files import SignedOrder, jws_file, pdf_file, signed


@bp.get("/<ref>/order.jws")
def order_jws(ref: str) -> Response:
    """The order as it was served, signed."""
    return jws_file(_signed(ref))


@bp.get("/<ref>/order.pdf")
def order_pdf(ref: str) -> Response:
    """The same for people to read, with the signed order attached."""
    order = _signed(ref)
    web.db().rollback()  # the PDF takes a while, and needs nothing more of the database
    return pdf_file(order)


def _signed(ref: str) -> SignedOrder:
    return signed(web.db(), opened(ref))
