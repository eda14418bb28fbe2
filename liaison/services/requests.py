"""A counterpart's request: registered first, completed, made into orders, refused or closed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.draft import OrderDraft
from liaison.domain.lifecycle import OrderState
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.request import LetterKind, RequestEntry, fold, read_request
from liaison.domain.vocabulary import OriginKind, RequestState
from liaison.errors import FieldError, Forbidden, Invalid, InvalidTransition, Stale
from liaison.models import Authority, CounterpartRequest, Order, RequestCounter, RequestWriter
from liaison.models.base import insert_once
from liaison.queries import requests as queries
from liaison.services import guards, ledger, portal_log, writers

CONTACT = frozenset({"contact_name", "contact_email", "contact_phone", "language"})
"""Where letters go and how: this can be put right at any time, all else while it is open."""

UNDER_WAY = (
    OrderState.DRAFT,
    OrderState.SUBMITTED,
    OrderState.ISSUED,
    OrderState.ACKNOWLEDGED,
    OrderState.PRESERVED,
)


class RegisteredBefore(Stale):
    """The Party's reference is known here already. ``known``: ids of the requests that have it."""

    title = "This reference was registered before"

    def __init__(self, detail: str, known: list[UUID]) -> None:
        self.known = known
        super().__init__(detail)


class RequestChanged(Stale):
    """Somebody else changed the request meanwhile."""

    title = "The request changed in the meantime"


def register(
    session: Session, actor: Actor, data: object, now: datetime, *, confirmed: bool = False
) -> CounterpartRequest:
    """Registers a request and gives it its number.

    A Party's reference that is known already is refused with the requests that have it, unless it
    is ``confirmed`` that this is another one.
    """
    demand(actor, Verb.HANDLE_REQUESTS)
    authority = _authority(session, actor)
    given = read_request(data, now)
    _of_another_party(given, authority)
    # The number first: whoever registers at the same time waits here, then sees this one.
    number = _next_number(session, authority, now)
    known = queries.same_reference(session, authority.id, given.party, given.reference)
    if known and not confirmed:
        raise RegisteredBefore(
            f"{given.party} {given.reference} was registered as {known[0].number}. Nothing was "
            "stored. Open that one, or say that this is another request.",
            [other.id for other in known],
        )
    row = CounterpartRequest(
        number=number,
        authority_id=authority.id,
        state=RequestState.OPEN,
        registered_at=now,
        registered_by_id=actor.person_id,
        registered_by=actor.name,
        reference_key=fold(given.reference),
        **asdict(given),
    )
    session.add(row)
    session.flush()
    _note_writer(session, row, actor, now)
    told: dict[str, Any] = {"party": row.party, "received_at": row.received_at.isoformat()}
    if known:
        told["also"] = [other.number for other in known]
    record(session, now, row, actor, "registered", told)
    return row


def change(
    session: Session, actor: Actor, request_id: UUID, data: object, version: int, now: datetime
) -> CounterpartRequest:
    """Completes or corrects what was registered, all of it.

    Another address for the letters, once one has gone out, needs a fresh second factor: whoever
    could change it unseen would read what we report.
    """
    row = to_handle(session, actor, request_id, version)
    given = read_request(data, now)
    _of_another_party(given, _authority(session, actor))
    before = {name: getattr(row, name) for name in asdict(given)}
    changed = sorted(name for name, value in asdict(given).items() if before[name] != value)
    if row.state is not RequestState.OPEN and set(changed) - CONTACT:
        raise InvalidTransition(
            f"The request is {row.state.label.lower()}: only where and how its letters go can be "
            "changed. Register a new request for what they ask now."
        )
    told: dict[str, Any] = {"changed": changed}
    if "contact_email" in changed and row.letters:
        guards.fresh_factor(actor, now)
        told["address"] = [row.contact_email, given.contact_email]
        told["after_letters"] = True
    if {"party", "reference"} & set(changed) and queries.orders_of(session, row):
        detail = "Orders were made from this request: they carry Party and reference as they are."
        pointer = "/party" if "party" in changed else "/reference"
        raise Invalid([FieldError(pointer, detail)])
    if not changed:
        return row
    for name, value in asdict(given).items():
        setattr(row, name, value)
    row.reference_key = fold(given.reference)
    session.flush()
    if set(changed) - CONTACT:
        _note_writer(session, row, actor, now)
    record(session, now, row, actor, "changed", told)
    return row


def close(
    session: Session, actor: Actor, request_id: UUID, reason: str, version: int, now: datetime
) -> CounterpartRequest:
    """Closes a request of which there is no result to report, such as one taken back."""
    row = to_handle(session, actor, request_id, version)
    check_texts(("/reason", reason, LONGEST_REASON))
    demand_open(row)
    nothing_under_way(session, row)
    if not reason.strip():
        raise Invalid([FieldError("/reason", "Say why: it stands in the request's history.")])
    row.state, row.closed_at = RequestState.CLOSED, now
    session.flush()
    record(session, now, row, actor, "closed", {"reason": reason.strip()})
    return row


def for_draft(session: Session, actor: Actor, request_id: UUID, draft: OrderDraft) -> UUID:
    """The request an order is drafted from, where it is open and the order is one of it.

    What becomes of the order is reported to that counterpart: it must be theirs.
    """
    row = queries.find(session, actor, request_id, lock=True)
    if row.state is not RequestState.OPEN:
        detail = (
            f"Request {row.number} is {row.state.label.lower()}: no order is made from it any "
            "more. Register what they ask now, or draft the order without it."
        )
        raise Invalid([FieldError("/request_id", detail)])
    same_origin(row, draft)
    return row.id


def for_follow_on(session: Session, request_id: UUID) -> UUID | None:
    """The request that an order's follow-on belongs to; None where nothing is reported any more.

    That is so once it was refused, or closed without a result. After a result the counterpart is
    told of what moves on.
    """
    row = session.get_one(CounterpartRequest, request_id, with_for_update=True)
    reported = any(letter.kind == LetterKind.RESULT for letter in row.letters)
    goes_on = row.state is RequestState.OPEN or (row.state is RequestState.CLOSED and reported)
    return row.id if goes_on else None


def note_writers(session: Session, request_id: UUID, order: Order, now: datetime) -> None:
    """Whoever registered the request, or changed what it says, has written its order, too.

    Where and how its letters go is no part of an order.
    """
    wrote = select(RequestWriter.person_id).where(RequestWriter.request_id == request_id)
    for person_id in session.scalars(wrote.order_by(RequestWriter.at)).all():
        writers.note_writer(session, order, person_id, now)


def same_origin(row: CounterpartRequest, draft: OrderDraft) -> None:
    """``Invalid`` where an order of a request names another Party or reference."""
    origin = draft.origin
    hint = f"This order is made from {row.number}, whose results go to that counterpart"
    faults = []
    if draft.origin_kind is not OriginKind.FOREIGN or origin.get("party") != row.party:
        faults.append(FieldError("/origin/party", f"{hint}: the Party is {row.party}."))
    if fold(str(origin.get("reference") or "")) != row.reference_key:
        faults.append(FieldError("/origin/reference", f"{hint}: it is {row.reference}."))
    if faults:
        raise Invalid(faults)


def to_handle(
    session: Session, actor: Actor, request_id: UUID, version: int | None = None
) -> CounterpartRequest:
    """The request, locked, for somebody who may act on it."""
    demand(actor, Verb.HANDLE_REQUESTS)
    row = queries.find(session, actor, request_id, lock=True)
    if version is not None and version != row.version:
        raise RequestChanged(
            f"Request {row.number} changed since you read it; it is {row.state.label.lower()} now. "
            "Nothing was done. Read it again, then decide."
        )
    return row


def demand_open(row: CounterpartRequest) -> None:
    """Refuses where the request is closed or refused."""
    if row.state is not RequestState.OPEN:
        raise InvalidTransition(
            f"Request {row.number} is {row.state.label.lower()}; nothing was done. "
            "Register what they ask now as a new request."
        )


def nothing_under_way(
    session: Session, row: CounterpartRequest, states: Collection[OrderState] = UNDER_WAY
) -> None:
    """Refuses while an order of the request can still come to something."""
    names = [o.ref or "a draft" for o in queries.orders_of(session, row) if o.state in states]
    if names:
        raise InvalidTransition(
            f"Not while orders made from it are under way: {', '.join(names)}. Withdraw, release "
            "or discard them first, or report the result."
        )


def record(
    session: Session,
    now: datetime,
    row: CounterpartRequest,
    actor: Actor,
    act: str,
    data: dict[str, Any],
) -> None:
    """Appends to the authority's stream: the last write of its transaction."""
    ledger.record(session, now, entry(row, actor, act, data))


def entry(
    row: CounterpartRequest, actor: Actor, act: str, data: Mapping[str, Any]
) -> ledger.Record:
    """What the authority's stream says of an act; the request's page finds it by its id."""
    told = {**data, "request": str(row.id), "number": row.number, **portal_log.by(actor)}
    stream = ledger.authority_stream(row.authority_id)
    return ledger.Record(stream, f"request.{act}", actor.id, told)


def _authority(session: Session, actor: Actor) -> Authority:
    if actor.authority_id is None:
        raise Forbidden("Only a contact point handles requests.")
    return session.get_one(Authority, actor.authority_id)


def _note_writer(session: Session, row: CounterpartRequest, actor: Actor, now: datetime) -> None:
    if actor.person_id is not None:
        values = {"request_id": row.id, "person_id": actor.person_id, "at": now}
        insert_once(session, RequestWriter, values)


def _of_another_party(given: RequestEntry, authority: Authority) -> None:
    if given.party == authority.country:
        detail = "This is your own country. A domestic request needs no entry: draft the order."
        raise Invalid([FieldError("/party", detail)])


def _next_number(session: Session, authority: Authority, now: datetime) -> str:
    """The next number of the authority's year, without gaps: it rolls back with the act."""
    year = now.astimezone(ZoneInfo(authority.time_zone)).year
    counter = RequestCounter
    insert_once(session, counter, {"authority_id": authority.id, "year": year, "last": 0})
    number = session.execute(
        update(counter)
        .where(counter.authority_id == authority.id, counter.year == year)
        .values(last=counter.last + 1)
        .returning(counter.last)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    return f"{authority.code}-IN-{year}-{number:04d}"
