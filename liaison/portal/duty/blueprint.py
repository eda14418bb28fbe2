"""The pages' blueprint, and what each of them does in the same way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from liaison import web
from liaison.domain.permissions import Verb, may
from liaison.domain.terms import Window
from liaison.errors import FieldError, Invalid
from liaison.models import Provider
from liaison.portal import kept, register_words
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.queries import duty as queries
from liaison.queries.duty import Owner

bp = Blueprint("duty", __name__, url_prefix="/duty")

WEEK = timedelta(days=7)


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody sees who is on duty without signing in."""


@bp.context_processor
def helpers() -> dict[str, Any]:
    """What the templates of duty ask for."""
    return {
        "may": lambda verb: may(web.actor().roles, Verb(verb)),
        "kept_words": kept.words,
        "hours_of": lambda w: register_words.window(
            Window(tuple(w["days"]), w["opens"], w["closes"])
        ),
    }


@bp.app_context_processor
def on_other_pages() -> dict[str, Any]:
    """Duty on the pages of the register."""
    return {"duty_of": _of_provider}


def _of_provider(provider: Provider) -> dict[str, Any]:
    """Who is on duty at a provider, and the gaps of its coming week."""
    now = web.now()
    book = queries.book(web.db(), Owner(provider_id=provider.id), now, now + queries.AHEAD)
    current, coming = queries.now_and_next(book, now)
    return {"now": current, "next": coming, "gaps": book.gaps(now, now + WEEK)}


def link_base() -> str:
    """The portal's address, for letters."""
    return web.settings().base_url.rstrip("/")


def send(
    template: str,
    form: PortalForm,
    verb: Callable[[], object],
    *,
    place: Callable[[FieldError], FieldError] = lambda fault: fault,
    **more: Any,
) -> ResponseReturnValue:
    """The form's page; once sent, the act, or the page again with all that was typed, and why."""
    if request.method == "GET":
        return render_template(f"duty/{template}.html", form=form, faults=[], **more)
    try:
        verb()
    except Invalid as error:
        web.db().rollback()
        faults = pointers.show(form, [place(fault) for fault in error.errors])
        return render_template(f"duty/{template}.html", form=form, faults=faults, **more), 422
    web.commit()
    return back()


def act(verb: Callable[..., object], identity: UUID) -> ResponseReturnValue:
    """A button that needs no form."""
    verb(web.db(), web.actor(), identity, web.now(), link_base())
    web.commit()
    return back()


def back() -> ResponseReturnValue:
    """On to the page of duty."""
    return redirect(url_for("duty.index"), 303)
