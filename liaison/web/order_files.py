"""The signed order and its PDF, as both doors hand them out: to be saved, opened by no browser."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response
from sqlalchemy.orm import Session

from liaison import typesetting
from liaison.documents import order_jws, order_pdf
from liaison.models import Order
from liaison.queries.served import served_content
from liaison.web.context import settings, signer
from liaison.web.files import SHUT_IN

PDF = "application/pdf"


@dataclass(frozen=True)
class SignedOrder:
    """What was served, and its signature. Holds no row: the PDF is made with no session open."""

    content: dict[str, Any]
    sha256: str
    jws: str

    @property
    def tag(self) -> str:
        """The ETag: another key signs, and it is another file."""
        return f"{self.sha256}.{signer().kid}"


def signed(session: Session, order: Order) -> SignedOrder:
    """The order's content as it was served, signed. Refusals as of ``served_content``."""
    content = served_content(session, order)
    assert order.sha256 is not None
    return SignedOrder(content, order.sha256, signer().sign(content))


def jws_file(order: SignedOrder) -> Response:
    """The signed order."""
    return _saved(order, order.jws.encode(), order_jws.MEDIA_TYPE, "jws")


def pdf_file(order: SignedOrder) -> Response:
    """Its PDF; ``NotDrawn`` where there can be none."""
    made = typesetting.first_that_sets(
        order_pdf.TEMPLATE,
        order_pdf.texts(order.content, order.sha256, f"{settings().base_url}/verify"),
        {"jws": order.jws},
        datetime.fromisoformat(order.content["issued_at"]),
    )
    return _saved(order, made, PDF, "pdf")


def _saved(order: SignedOrder, content: bytes, media_type: str, ending: str) -> Response:
    response = Response(content)
    response.headers["Content-Type"] = media_type
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{order.content["ref"]}.{ending}"'
    )
    response.headers["Content-Security-Policy"] = SHUT_IN
    response.headers["Cache-Control"] = "private, no-cache"
    response.set_etag(order.tag)
    return response
