"""Counterparts' requests to be read: the list, and one with its orders, letters and history."""

from __future__ import annotations

from uuid import UUID

from flask import render_template, request
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.permissions import Verb, demand
from liaison.domain.request import missing
from liaison.domain.vocabulary import RequestState
from liaison.models import Message, RequestLetter
from liaison.models.work import MessageState
from liaison.portal.requests.blueprint import bp, seen
from liaison.queries import party_rules
from liaison.queries import requests as queries
from liaison.queries.requests import Shown
from liaison.services.request_letters import UNANSWERED

MOST_PAGES = 10_000


@bp.get("")
def index() -> ResponseReturnValue:
    """The list; ``?view=``, ``?q=`` and ``?page=`` narrow it down."""
    demand(web.actor(), Verb.READ_REQUESTS)
    asked, text = request.args.get("view", ""), request.args.get("q", "")[:300]
    shown = Shown(asked) if asked in set(Shown) else Shown.ALL if text else Shown.OPEN
    number = request.args.get("page", "1")
    page = int(number) if number.isascii() and number.isdigit() and len(number) < 6 else 1
    found = queries.listed(web.db(), web.actor(), shown, text, min(max(page, 1), MOST_PAGES))
    count = queries.waiting(web.db(), web.actor())
    return render_template(
        "requests/index.html", found=found, text=text, views=Shown, waiting=count
    )


@bp.get("/<uuid:request_id>")
def show(request_id: UUID) -> ResponseReturnValue:
    """One request."""
    row, db = seen(request_id), web.db()
    orders = queries.orders_of(db, row)
    told = queries.told_of(db, orders)
    letters = queries.letters_of(db, row)
    return render_template(
        "requests/show.html",
        row=row,
        is_open=row.state is RequestState.OPEN,
        orders=orders,
        told=told,
        news={o.id for o in orders if queries.is_news(o, told.get(o.id))},
        results=bool(orders) and not any(o.state in UNANSWERED for o in orders),
        letters=letters,
        failed=_failed(letters),
        missing=missing(row, web.now()),
        history=queries.history(db, row),
        earlier=queries.earlier(db, row),
        others=queries.same_reference(db, row.authority_id, row.party, row.reference, row.id),
        rules=party_rules.for_country(db, row.party),
    )


def _failed(letters: list[tuple[RequestLetter, Message | None]]) -> set[str]:
    """Kinds of letters of which the newest did not arrive."""
    newest: dict[str, Message | None] = {}
    for letter, message in letters:
        newest.setdefault(letter.kind, message)
    return {
        kind
        for kind, message in newest.items()
        if message is not None and message.state is MessageState.FAILED
    }
