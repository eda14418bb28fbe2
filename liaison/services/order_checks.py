"""Anybody's question whether an order is real: by the signed order, or by ref and fingerprint.

Who has the signed order knows what is in it, and is told whether it is ours and whether it stands.
Who has ref and fingerprint is told as much, but not to whom it went. A ref alone tells nothing: a
fingerprint cannot be guessed, and a wrong one is answered like an order that never was.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, joinedload

from liaison.documents.order_jws import Keys, NotOurs, Signed, Unreadable
from liaison.domain.lifecycle import OrderState
from liaison.domain.reading import unstorable
from liaison.errors import FieldError, Invalid, RateLimited
from liaison.models import Order
from liaison.queries.orders import by_name
from liaison.services import throttle

TRIES, WINDOW = 30, timedelta(minutes=1)
"""Questions from one place: more than a person asks, and few for a program that guesses."""

_FINGERPRINT = re.compile(r"(?:sha-?256)?[\s:]*([0-9a-f]{64})", re.IGNORECASE | re.ASCII)


class Verdict(StrEnum):
    """What is said of what was given."""

    REAL = "real"
    """It was served as it lies here."""
    UNKNOWN = "unknown"
    """No order has this ref and this fingerprint."""
    FORGED = "forged"
    """It was not signed by us, or was changed afterwards."""
    LOST = "lost"
    """It bears our signature, and no such order is stored: something is badly wrong."""


@dataclass(frozen=True)
class Finding:
    """The answer. Of a real order: who served it when, and whether it stands; nothing else."""

    verdict: Verdict
    ref: str = ""
    authority: str = ""
    provider: str = ""
    """As the signed order names it; empty where only the fingerprint was given."""
    issued_at: datetime | None = None
    withdrawn_at: datetime | None = None
    ended_at: datetime | None = None
    unratified: bool = False
    """An emergency that one person issued, and no second person has ratified so far."""
    test: bool = False


def check_signed(
    session: Session, text: str | bytes, keys: Keys, at: str, now: datetime
) -> Finding:
    """By the signed order. ``at``: the asker's address. ``Invalid``, ``RateLimited``."""
    _count(session, at, now)
    try:
        signed = keys.verify(text)
    except Unreadable:
        detail = (
            "This is no signed order. It is one long line of letters with two dots in it, in a "
            "file that ends in .jws; a PDF has that file attached."
        )
        raise Invalid([FieldError("/signed", detail)]) from None
    except NotOurs:
        return Finding(Verdict.FORGED)
    order = _stored(session, signed)
    if order is None:
        return Finding(Verdict.LOST)
    return _told(order, provider=str(signed.content["provider"]["name"]))


def check_fingerprint(session: Session, ref: str, sha256: str, at: str, now: datetime) -> Finding:
    """By ref and fingerprint, as they stand on paper."""
    _count(session, at, now)
    found = _FINGERPRINT.fullmatch(re.sub(r"\s", "", sha256))
    if found is None:
        raise Invalid(
            [FieldError("/sha256", "A fingerprint has 64 digits and letters from a to f.")]
        )
    name = ref.strip()
    if not name or unstorable(name):
        raise Invalid([FieldError("/ref", "Enter the order's ref, like EM-2026-0412.")])
    order = session.scalars(_orders().where(by_name(name), Order.ref.is_not(None))).one_or_none()
    if order is None or not hmac.compare_digest(order.sha256 or "", found[1].lower()):
        return Finding(Verdict.UNKNOWN)
    return _told(order)


def _stored(session: Session, signed: Signed) -> Order | None:
    order = session.scalars(_orders().where(Order.id == UUID(signed.content["id"]))).one_or_none()
    return order if order is not None and order.sha256 == signed.sha256 else None


def _orders() -> Select[Order]:
    return select(Order).options(joinedload(Order.authority))


def _told(order: Order, provider: str = "") -> Finding:
    withdrawn = order.state is OrderState.WITHDRAWN
    ended = order.state in (OrderState.RELEASED, OrderState.EXPIRED, OrderState.DISPOSED)
    return Finding(
        Verdict.REAL,
        ref=order.ref or "",
        authority=order.authority.name,
        provider=provider,
        issued_at=order.issued_at,
        withdrawn_at=order.ended_at if withdrawn else None,
        ended_at=order.ended_at if ended else None,
        unratified=order.ratify_by is not None and order.ratified_at is None and not withdrawn,
        test=order.test,
    )


def _count(session: Session, at: str, now: datetime) -> None:
    wait = throttle.count(session, f"verify:{throttle.place(at)}", TRIES, WINDOW, now)
    if wait is not None:
        detail = "Too many orders were checked from here. Wait a little, or call the contact point."
        raise RateLimited(detail, wait)
