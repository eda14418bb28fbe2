"""Letters to a counterpart: made of numbers, states and dates, looked at, sent with one click.

They carry no case data: our number, their reference, the refs, states and dates of the orders.
They go to the address that is registered with the request and to no other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785
from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.request import LETTERS, LetterKind, letter_language, missing
from liaison.domain.vocabulary import PartyGround, RequestState
from liaison.errors import FieldError, Invalid, InvalidTransition
from liaison.models import CounterpartRequest, Message, Order, ReportedBack, RequestLetter
from liaison.models.base import new_id
from liaison.queries import requests as queries
from liaison.services import ledger, outbox, requests
from liaison.services.requests import RequestChanged

UNANSWERED = (OrderState.DRAFT, OrderState.SUBMITTED, OrderState.ISSUED, OrderState.ACKNOWLEDGED)


@dataclass(frozen=True)
class Prepared:
    """A letter that can be looked at: which text, to whom, with what in it."""

    kind: LetterKind
    letter: str
    language: str
    address: str
    params: dict[str, Any]
    told: dict[str, Any]
    orders: tuple[Order, ...]
    shown: str
    """Names this very letter. Another one is never sent in its place."""


def prepare(
    session: Session,
    row: CounterpartRequest,
    kind: LetterKind,
    now: datetime,
    *,
    items: Collection[str] = (),
    grounds: Collection[str] = (),
) -> Prepared:
    """The letter as it would be sent now.

    ``items``: letters of art. 29(2) to be asked for. ``grounds``: of refusal between Parties.
    """
    told = _told(session, row, kind, now, items, grounds)
    orders = queries.orders_of(session, row) if "orders" in told else []
    language, authority = letter_language(row.language), row.authority
    params = {
        **told,
        "language": language,
        "number": row.number,
        "reference": row.reference,
        "name": row.contact_name or "",
        "received_at": rfc3339(row.received_at),
        "authority": authority.name,
        "email": authority.email,
        "phone": authority.phone,
    }
    before = len(row.letters)
    named = rfc8785.dumps([kind.value, language, row.contact_email, params, before])
    return Prepared(
        kind=kind,
        letter=f"request/{kind.value}.{language}",
        language=language,
        address=row.contact_email,
        params=params,
        told=told,
        orders=tuple(orders),
        shown=hashlib.sha256(named).hexdigest(),
    )


def confirm_receipt(
    session: Session, actor: Actor, request_id: UUID, shown: str, now: datetime
) -> RequestLetter:
    """Tells them that the request arrived and under which number it stands."""
    row = requests.to_handle(session, actor, request_id)
    requests.demand_open(row)
    letter, told = _send(
        session, actor, row, _seen(session, row, LetterKind.RECEIPT, shown, now), now
    )
    row.receipt_at = row.receipt_at or now
    ledger.record(session, now, told)
    return letter


def ask_for_missing(
    session: Session,
    actor: Actor,
    request_id: UUID,
    items: Collection[str],
    shown: str,
    now: datetime,
) -> RequestLetter:
    """Asks for what is missing of art. 29(2)."""
    row = requests.to_handle(session, actor, request_id)
    requests.demand_open(row)
    prepared = _seen(session, row, LetterKind.MISSING, shown, now, items=items)
    letter, told = _send(session, actor, row, prepared, now)
    ledger.record(session, now, told)
    return letter


def report_progress(
    session: Session, actor: Actor, request_id: UUID, shown: str, now: datetime
) -> RequestLetter:
    """Tells where the orders stand; after the result, too, where one has moved on."""
    row = requests.to_handle(session, actor, request_id)
    prepared = _seen(session, row, LetterKind.PROGRESS, shown, now)
    letter, told = _send(session, actor, row, prepared, now)
    ledger.record(session, now, told)
    return letter


def report_result(
    session: Session, actor: Actor, request_id: UUID, shown: str, now: datetime
) -> RequestLetter:
    """Tells what came of every order, and closes the request."""
    row = requests.to_handle(session, actor, request_id)
    requests.demand_open(row)
    prepared = _seen(session, row, LetterKind.RESULT, shown, now)
    letter, told = _send(session, actor, row, prepared, now)
    row.state, row.closed_at = RequestState.CLOSED, now
    ledger.record(session, now, told, requests.entry(row, actor, "closed", {"reported": True}))
    return letter


def refuse(
    session: Session,
    actor: Actor,
    request_id: UUID,
    grounds: Collection[str],
    explanation: str,
    shown: str,
    now: datetime,
) -> RequestLetter:
    """Refuses a request on grounds between Parties (arts 29(4), 29(5)), and says so.

    The explanation stays with us: it is about the case, and letters say nothing of one.
    """
    row = requests.to_handle(session, actor, request_id)
    requests.demand_open(row)
    requests.nothing_under_way(session, row)
    check_explanation(explanation)
    prepared = _seen(session, row, LetterKind.REFUSAL, shown, now, grounds=grounds)
    letter, told = _send(session, actor, row, prepared, now)
    row.state, row.closed_at = RequestState.REFUSED, now
    row.refusal = {**prepared.told, "explanation": explanation.strip()}
    ledger.record(session, now, told, requests.entry(row, actor, "refused", row.refusal))
    return letter


def check_explanation(explanation: str) -> None:
    """``Invalid`` where a refusal is not explained."""
    check_texts(("/explanation", explanation, LONGEST_REASON))
    if not explanation.strip():
        detail = "Say why: whoever is asked about this refusal reads it here."
        raise Invalid([FieldError("/explanation", detail)])


def _seen(
    session: Session,
    row: CounterpartRequest,
    kind: LetterKind,
    shown: str,
    now: datetime,
    *,
    items: Collection[str] = (),
    grounds: Collection[str] = (),
) -> Prepared:
    """The letter, where it is the one that was looked at."""
    prepared = prepare(session, row, kind, now, items=items, grounds=grounds)
    if prepared.shown != shown:
        raise RequestChanged(
            "The letter is another than you looked at: something changed, or it was sent "
            "meanwhile. Nothing was sent. Look at it as it is now, then send it."
        )
    return prepared


def _send(
    session: Session, actor: Actor, row: CounterpartRequest, prepared: Prepared, now: datetime
) -> tuple[RequestLetter, ledger.Record]:
    letter = RequestLetter(
        id=new_id(),
        request_id=row.id,
        kind=prepared.kind.value,
        language=prepared.language,
        at=now,
        by=actor.name,
        told=prepared.told,
    )
    key = f"request:{letter.id}"
    outbox.queue_letter(session, row.contact_email, prepared.letter, prepared.params, key, now)
    idem = outbox.letter_idem(row.contact_email, key)
    letter.message_id = session.scalars(select(Message.id).where(Message.idem == idem)).one()
    session.add(letter)
    _note_told(session, prepared.orders, now)
    session.flush()
    session.expire(row, ["letters"])
    told = {
        "letter": prepared.kind.value,
        "language": prepared.language,
        "to": row.contact_email,
        **prepared.told,
    }
    return letter, requests.entry(row, actor, "letter", told)


def _note_told(session: Session, orders: Collection[Order], now: datetime) -> None:
    known = queries.told_of(session, list(orders))
    for order in orders:
        if order.ref is None:
            continue
        row = known.get(order.id) or ReportedBack(order_id=order.id)
        row.state, row.until, row.at = order.state, order.preserved_until, now
        session.add(row)


def _told(
    session: Session,
    row: CounterpartRequest,
    kind: LetterKind,
    now: datetime,
    items: Collection[str],
    grounds: Collection[str],
) -> dict[str, Any]:
    """What the letter says beside number and reference; ``Invalid`` where that is nothing."""
    if kind is LetterKind.RECEIPT:
        return {}
    if kind is LetterKind.MISSING:
        return {"items": _items(row, items, now)}
    if kind is LetterKind.REFUSAL:
        return {"grounds": _grounds(grounds)}
    orders = queries.orders_of(session, row)
    if row.state is RequestState.REFUSED:
        raise InvalidTransition(f"Request {row.number} is refused: there is nothing to report.")
    if kind is LetterKind.RESULT:
        _demand_results(orders)
    return {"orders": [_order(order) for order in orders]}


def _items(row: CounterpartRequest, items: Collection[str], now: datetime) -> list[str]:
    known = {letter for letter, _ in missing(row, now)}
    wanted = sorted(set(items))
    if not wanted:
        raise Invalid([FieldError("/items", "Choose at least one thing to ask for.")])
    if not set(wanted) <= set(LETTERS):
        raise Invalid([FieldError("/items", "Choose from what is listed.")])
    if not set(wanted) <= known:
        raise RequestChanged("Something you ask for is there by now. Read the request again.")
    return wanted


def _grounds(grounds: Collection[str]) -> list[str]:
    known = [ground.value for ground in PartyGround if ground.value in grounds]
    if not known or len(known) != len(set(grounds)):
        detail = "Choose at least one ground of the list: there is no other between Parties."
        raise Invalid([FieldError("/grounds", detail)])
    return known


def _demand_results(orders: list[Order]) -> None:
    waiting = [order.ref or "a draft" for order in orders if order.state in UNANSWERED]
    if waiting:
        raise InvalidTransition(
            f"There is no result yet of {', '.join(waiting)}. Report progress instead."
        )
    if not orders:
        raise InvalidTransition(
            "No order was made from this request: there is no result to report. Draft one, refuse "
            "the request, or close it without a result."
        )


def _order(order: Order) -> dict[str, Any]:
    """An order as a letter tells it: ``said`` is what the texts have a sentence for."""
    report = order.report
    said = order.state.value
    if order.state in (OrderState.DRAFT, OrderState.SUBMITTED):
        said = "prepared"
    elif order.state is OrderState.PRESERVED and report is not None:
        said = report.outcome.value
        if order.mla_recorded_at is not None and order.preserved_until is not None:
            said = "kept_for_mla"
    at = {
        OrderState.ISSUED: order.issued_at,
        OrderState.ACKNOWLEDGED: order.acknowledged_at,
        OrderState.PRESERVED: report.preserved_at if report else None,
        OrderState.DISPOSED: order.disposed_at,
    }.get(order.state, order.ended_at)
    refusal = order.refusal or {}
    return {
        "ref": order.ref or "",
        "said": said,
        "at": rfc3339(at) if at else "",
        "until": rfc3339(order.preserved_until) if order.preserved_until else "",
        "grounds": list(refusal.get("grounds") or []),
        "meanwhile": bool(refusal.get("preserved_meanwhile")),
    }
