"""The blueprint of the requests' pages, and what each of its views begins with."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, request
from flask_login import login_required

from liaison import web
from liaison.domain import request as rules
from liaison.domain.permissions import Verb, demand, may
from liaison.domain.reading import unstorable
from liaison.domain.vocabulary import DataCategory, Instrument, PartyGround, TargetType
from liaison.errors import FieldError, Invalid, NotFound
from liaison.models import CounterpartRequest
from liaison.portal import kept
from liaison.portal.orders import pointers
from liaison.portal.orders.draft_form import DraftForm
from liaison.portal.orders.words import label
from liaison.portal.requests import words
from liaison.queries import requests as queries

bp = Blueprint("requests", __name__, url_prefix="/requests")


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody sees a request without signing in."""


@bp.before_request
def storable() -> None:
    """No database keeps a NUL; nobody types one, so a page that names the field is enough."""
    given = [(name, text) for name, texts in request.values.lists() for text in texts]
    bad = [name for name, text in given if unstorable(text)]
    if bad:
        detail = "Remove the NUL character or broken character from this text."
        raise Invalid([FieldError(f"/{name.replace('-', '/')}", detail) for name in bad])


@bp.context_processor
def helpers() -> dict[str, Any]:
    """What the templates of requests ask for."""
    if not web.is_signed_in():
        return {}  # a page that says so asks for none of them
    return {
        "may_handle": may(web.actor().roles, Verb.HANDLE_REQUESTS),
        "kept_words": kept.words,
        "categories": partial(label, DataCategory),
        "instruments": partial(label, Instrument),
        "grounds_of": partial(label, PartyGround),
        "target_types": partial(label, TargetType),
        "languages": rules.LANGUAGES,
        "tell": words.tell,
        "sent": words.sent,
        "kinds": rules.LetterKind,
        "unfolded": pointers.unfolded,
    }


@bp.app_context_processor
def on_other_pages() -> dict[str, Any]:
    """Requests on the page where an order is drafted."""
    return {"request_of_form": _of_form, "request_lacks": _lacks}


def _of_form(form: DraftForm) -> CounterpartRequest | None:
    """The request that the form says it is made from, where the person may see it."""
    if form.made_from is None:
        return None
    try:
        return seen(form.made_from)
    except NotFound:
        return None


def _lacks(row: CounterpartRequest) -> list[str]:
    """The letters of art. 29(2) of which something is missing."""
    return sorted({letter for letter, _ in rules.missing(row, web.now())})


def seen(request_id: UUID) -> CounterpartRequest:
    """The request, where the person may see it."""
    return queries.find(web.db(), web.actor(), request_id)


def handled(request_id: UUID) -> CounterpartRequest:
    """The request, for somebody who may act on it; the refusal is said before it is looked for."""
    demand(web.actor(), Verb.HANDLE_REQUESTS)
    return seen(request_id)
