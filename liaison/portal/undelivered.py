"""What reached nobody: looked at, sent again, or noted as dealt with."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import TextAreaField

from liaison import web
from liaison.domain.permissions import Verb, may
from liaison.domain.reading import LONGEST_NOTE
from liaison.errors import Invalid, InvalidTransition
from liaison.models.work import MessageState
from liaison.portal import kept
from liaison.portal.kept import PortalForm
from liaison.portal.letter_words import letter_words
from liaison.portal.orders import pointers
from liaison.queries import deliveries
from liaison.services import undelivered as verbs

bp = Blueprint("undelivered", __name__, url_prefix="/undelivered")


class SettleForm(PortalForm):
    """What was done instead."""

    note = TextAreaField("What was done instead", render_kw={"rows": 3, "maxlength": LONGEST_NOTE})


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody sees whom we write to without signing in."""


@bp.app_context_processor
def helpers() -> dict[str, object]:
    """For every page that tells where a notice went."""
    return {
        "letter_words": letter_words,
        "deliveries_of": lambda order, most=deliveries.MOST_OF_AN_ORDER: deliveries.of_order(
            web.db(), web.actor(), order, web.now(), most=most
        ),
        "deliveries_to": lambda contact: deliveries.of_contact(
            web.db(), web.actor(), contact, web.now()
        ),
        "handles_undelivered": lambda: may(web.actor().roles, Verb.HANDLE_UNDELIVERED),
        "reads_orders": lambda: may(web.actor().roles, Verb.READ_ORDERS),
    }


@bp.get("")
def index() -> ResponseReturnValue:
    """What waits too long, and a page of what failed, the newest first."""
    programs = request.args.get("programs") == "1"
    found = deliveries.undelivered(
        web.db(), web.actor(), web.now(), before=_place(), programs=programs
    )
    return render_template(
        "undelivered/index.html", found=found, programs=programs, first=_place() is None
    )


@bp.get("/<uuid:message_id>")
def show(message_id: UUID) -> ResponseReturnValue:
    """One notice with all its tries, and what can be done about it."""
    return _page(message_id, SettleForm())


@bp.post("/<uuid:message_id>/retry")
def retry(message_id: UUID) -> ResponseReturnValue:
    """Sends it again; where that is not possible the page says why."""
    try:
        verbs.retry(web.db(), web.actor(), message_id, web.now())
    except InvalidTransition as error:
        web.db().rollback()
        return _page(message_id, SettleForm(formdata=None), refused=error.detail)
    web.commit()
    return redirect(url_for("undelivered.show", message_id=message_id), 303)


@bp.post("/<uuid:message_id>/settle")
def settle(message_id: UUID) -> ResponseReturnValue:
    """Somebody has dealt with it otherwise."""
    form = SettleForm()
    try:
        verbs.settle(web.db(), web.actor(), message_id, form.note.data or "", web.now())
    except Invalid as error:
        web.db().rollback()
        return _page(message_id, form, error)
    except InvalidTransition as error:
        web.db().rollback()
        return _page(message_id, form, refused=error.detail)
    web.commit()
    return redirect(url_for("undelivered.index"), 303)


def _place() -> UUID | None:
    try:
        return UUID(request.args.get("before", ""))
    except ValueError:
        return None


def _page(
    message_id: UUID, form: SettleForm, error: Invalid | None = None, refused: str = ""
) -> ResponseReturnValue:
    found = deliveries.find(web.db(), web.actor(), message_id, web.now())
    message = found.message
    faults = [] if error is None else pointers.show(form, error.errors)
    html = render_template(
        "undelivered/show.html",
        delivery=found,
        message=message,
        is_open=message.state is MessageState.FAILED and message.settled_at is None,
        why_not=verbs.why_not(message, found.order, web.now()),
        form=form,
        faults=faults,
        refused=refused,
        kept_words=kept.words,
    )
    return html, 409 if refused else 422 if faults else 200
