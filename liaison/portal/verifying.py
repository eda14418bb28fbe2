"""Verifying a contact's ways: asking for a code, reading it out in a call, typing it in."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import StringField

from liaison import web
from liaison.domain.contact_entry import WAYS
from liaison.domain.permissions import Verb, demand
from liaison.errors import FieldError, NotFound
from liaison.portal import kept
from liaison.portal.contacts import WAY_WORDS
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.services import contact_scope, verifications

bp = Blueprint("verifying", __name__, url_prefix="/contacts")


class CodeForm(PortalForm):
    """The code that came by letter, or was read out in a call."""

    code = StringField(
        "Code", render_kw={"inputmode": "numeric", "autocomplete": "off", "maxlength": "20"}
    )


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody verifies without signing in."""


@bp.context_processor
def helpers() -> dict[str, object]:
    """What the templates ask for."""
    return {"kept_words": kept.words, "way_words": WAY_WORDS}


@bp.post("/<uuid:contact_id>/code/<way>")
def ask(contact_id: UUID, way: str) -> ResponseReturnValue:
    """Asks for a code: a letter leaves, or the number waits for a call."""
    verifications.ask(web.db(), web.vault(), web.actor(), contact_id, way, web.now())
    web.commit()
    return redirect(url_for("verifying.enter", contact_id=contact_id, way=way), 303)


@bp.route("/<uuid:contact_id>/verify/<way>", methods=["GET", "POST"])
def enter(contact_id: UUID, way: str) -> ResponseReturnValue:
    """Types the code in."""
    demand(web.actor(), Verb.MANAGE_CONTACTS)
    contact = contact_scope.find(web.db(), web.actor(), contact_id)
    if way not in WAYS:
        raise NotFound
    form, faults, status = CodeForm(), [], 200
    if request.method == "POST":
        typed = form.code.data or ""
        wrong = verifications.enter(
            web.db(), web.vault(), web.actor(), contact_id, way, typed, web.now()
        )
        web.commit()  # a wrong try counts, too
        if wrong is None:
            return redirect(url_for("contacts.show", contact_id=contact_id), 303)
        form.code.data = ""
        faults, status = pointers.show(form, [FieldError("/code", wrong)]), 422
    need = verifications.needs(web.db(), contact, web.now()).get(way)
    html = render_template(
        "contacts/verify.html", contact=contact, way=way, need=need, form=form, faults=faults
    )
    return html, status


@bp.get("/to-verify")
def to_call() -> ResponseReturnValue:
    """Numbers that wait for a call by the contact point."""
    waiting = verifications.to_call(web.db(), web.actor(), web.now())
    rows = [(row, contact_scope.of(web.db(), row.contact)) for row in waiting]
    return render_template("contacts/to_verify.html", rows=rows, me=web.actor().person_id)


@bp.get("/to-verify/<uuid:verification_id>")
def call(verification_id: UUID) -> ResponseReturnValue:
    """One number; the code only for whoever said that they are calling."""
    row = verifications.find_call(web.db(), web.actor(), verification_id, web.now())
    code = verifications.code_for(web.vault(), web.actor(), row)
    return render_template(
        "contacts/call.html",
        row=row,
        organisation=contact_scope.of(web.db(), row.contact),
        code=code,
    )


@bp.post("/to-verify/<uuid:verification_id>")
def begin_call(verification_id: UUID) -> ResponseReturnValue:
    """“I am calling now”: noted, and the code is shown."""
    verifications.call(web.db(), web.vault(), web.actor(), verification_id, web.now())
    web.commit()
    return redirect(url_for("verifying.call", verification_id=verification_id), 303)
