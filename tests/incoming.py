"""Counterparts' requests for the tests: the foreign orders of data/orders as they first arrived."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select

from liaison.domain.request import LetterKind
from liaison.models import CounterpartRequest, Message, Order, RequestLetter
from liaison.services import orders, request_letters, requests
from tests.world import World

RANSOMWARE = "02-foreign-ransomware-hosting.json"
FOLLOW_UP = "04-foreign-followup-mail.json"
THREAT = "08-emergency-threat-foreign.json"
LANGUAGES = {RANSOMWARE: "nl", FOLLOW_UP: "fr", THREAT: "en"}
ADDRESSES = {
    RANSOMWARE: "247cp@politie.example",
    FOLLOW_UP: "247cp@police-fr.example",
    THREAT: "247cp@justice.example",
}
SHARED = (
    "status",
    "urgency",
    "emergency_ground",
    "investigating_authority",
    "prosecution",
    "legal_basis",
    "offence",
    "facts",
    "necessity",
    "custodian",
    "targets",
    "duration_days",
    "confidential_until",
    "mla",
)


def asked(world: World, file: str = RANSOMWARE, **changes: Any) -> dict[str, Any]:
    """The request that an order of data/orders was made from; ``None`` leaves a field out."""
    order = world.data(file)
    origin = order["origin"]
    data = {name: order[name] for name in SHARED if name in order} | {
        "party": origin["party"],
        "reference": origin["reference"],
        "requesting_authority": origin["authority"],
        "previous": origin.get("previous", []),
        "received_at": "2026-11-23T11:30:00Z",
        "contact": {"email": ADDRESSES[file], "name": order["confirmation_contact"]["name"]},
        "language": LANGUAGES[file],
    }
    data.update(changes)
    return {name: value for name, value in data.items() if value is not None}


def register(
    world: World, file: str = RANSOMWARE, *, by: str = "officer", **changes: Any
) -> CounterpartRequest:
    """A registered request, committed."""
    data = asked(world, file, **changes)
    with world.database.transaction() as session:
        return requests.register(session, world.actor(by), data, world.now, confirmed=True)


def row(world: World, request: CounterpartRequest) -> CounterpartRequest:
    """The request as it stands now."""
    with world.database.reading() as session:
        return session.get_one(CounterpartRequest, request.id)


def made(world: World, request: CounterpartRequest, file: str, **changes: Any) -> Order:
    """An order drafted from the request, issued (and authorised by another person)."""
    with world.database.transaction() as session:
        data = world.data(file, **changes)
        actor = world.actor("officer")
        return orders.draft(session, actor, data, world.now, request_id=request.id)


def served(world: World, request: CounterpartRequest, file: str, **changes: Any) -> Order:
    """The same, served on its provider."""
    drafted = made(world, request, file, **changes)
    if drafted.urgency.value != "emergency":
        return world.authorise(world.submit(drafted))
    with world.database.transaction() as session:
        actor = world.actor("officer")
        issued = orders.issue(session, actor, drafted.name, drafted.version, world.now)
        session.flush()
        return issued


SENDS = {
    LetterKind.RECEIPT: request_letters.confirm_receipt,
    LetterKind.PROGRESS: request_letters.report_progress,
    LetterKind.RESULT: request_letters.report_result,
}


def write(
    world: World, request: CounterpartRequest, kind: LetterKind, by: str = "officer"
) -> RequestLetter:
    """Looks at a letter and sends it."""
    with world.database.transaction() as session:
        held = session.get_one(CounterpartRequest, request.id)
        seen = request_letters.prepare(session, held, kind, world.now)
        send = SENDS[kind]
        return send(session, world.actor(by), request.id, seen.shown, world.now)


def mail(world: World, request_id: UUID) -> list[Message]:
    """The messages of a request's letters, the oldest first."""
    with world.database.reading() as session:
        query = (
            select(Message)
            .join(RequestLetter, RequestLetter.message_id == Message.id)
            .where(RequestLetter.request_id == request_id)
        )
        return list(session.scalars(query.order_by(RequestLetter.id)))
