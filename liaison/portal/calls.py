"""Whom the contact point has to call: every open call on one page."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_login import login_required

from liaison import web
from liaison.portal.register_words import language
from liaison.queries import call_warnings, calls

bp = Blueprint("calls", __name__, url_prefix="/calls")


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reads whom we call without signing in."""


@bp.get("")
def index() -> ResponseReturnValue:
    """The emergency that has waited longest first; one click leads to the call."""
    found = calls.open_calls(web.db(), web.actor())
    return render_template(
        "calls/index.html",
        calls=found,
        called_before=calls.called_before(web.db(), found.rows),
        wrong=call_warnings.wrong_numbers(web.db(), web.actor(), found.rows),
        doubts=call_warnings.doubts(found.rows),
        holds=call_warnings.holds(web.db(), found.rows, web.now()),
        zone_of=calls.zone_of,
        language=language,
    )
