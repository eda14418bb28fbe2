"""Drafts by a program: begun, written anew, discarded. Nobody outside hears of them."""

from __future__ import annotations

from datetime import datetime

from flask import Response
from sqlalchemy.orm import Session

from liaison.api.acts import REPEATS
from liaison.api.authority.acting import act, begin
from liaison.api.authority.shapes import AuthorityOrderView, DraftBody
from liaison.api.blueprint import AUTHORITY, api, problems
from liaison.api.models import OrderPath
from liaison.api.reading import reads
from liaison.domain.actors import Actor
from liaison.models import Order
from liaison.queries.orders import find
from liaison.services import orders

_ONCE = REPEATS.partition("; ")[0].rstrip(".") + "."


@api.post(
    "/authority/orders",
    operation_id="draftOrder",
    summary="Draft an order",
    description=(
        "A new draft, in the format of `liaison order import`. Every fault is named at once by its "
        "JSON pointer, and then nothing is stored. Nobody outside hears of it, and no key can "
        "issue it: submit it, and people of your contact point authorise it." + _ONCE
    ),
    tags=[AUTHORITY],
    security=[{"key": ["draft"]}],
    responses={201: AuthorityOrderView, **problems(400, 413, 415)},
)
@reads
def draft_order(body: DraftBody) -> Response:
    """A new draft."""

    def verb(session: Session, actor: Actor, at: datetime) -> Order:
        return orders.draft(session, actor, body.sent, at)

    return begin(verb)


@api.put(
    "/authority/orders/<order>",
    operation_id="changeDraft",
    summary="Write a draft anew",
    description=(
        "Takes the place of the whole draft, so send all of it. Only a draft, and only until a "
        "person is in charge of it (`in_charge`). `If-Match` is needed: the version you read."
        + _ONCE
    ),
    tags=[AUTHORITY],
    security=[{"key": ["draft"]}],
    responses={200: AuthorityOrderView, **problems(400, 404, 409, 412, 413, 415, 428)},
)
@reads
def change_draft(path: OrderPath, body: DraftBody) -> Response:
    """A draft, all of it."""

    def verb(session: Session, actor: Actor, at: datetime) -> Order:
        version = find(session, actor, path.order).version  # locked, and checked against If-Match
        return orders.edit(session, actor, path.order, body.sent, version, at)

    return act(path.order, verb, needs_version=True)


@api.delete(
    "/authority/orders/<order>",
    operation_id="discardDraft",
    summary="Discard a draft",
    description=(
        "The draft ends as withdrawn and stays on record. What was submitted or served is "
        "withdrawn by people, in the portal." + REPEATS
    ),
    tags=[AUTHORITY],
    security=[{"key": ["draft"]}],
    responses={200: AuthorityOrderView, **problems(404, 409, 412)},
)
@reads
def discard_draft(path: OrderPath) -> Response:
    """A draft that is needed no more."""

    def verb(session: Session, actor: Actor, at: datetime) -> Order:
        return orders.withdraw(session, actor, path.order, "", at)

    return act(path.order, verb)
