"""Signing a memorandum and ending one; both ask for a fresh factor."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import Faults, Reader
from liaison.errors import Invalid
from liaison.portal.memoranda import shown
from liaison.portal.memoranda.blueprint import bp
from liaison.portal.memoranda.forms import EndForm, SignForm, opening
from liaison.portal.memoranda.writing import to_change
from liaison.portal.orders import pointers
from liaison.queries import memoranda as queries
from liaison.services import memorandum_signing as verbs


@bp.route("/memoranda/<uuid:memorandum_id>/sign", methods=["GET", "POST"])
def sign(memorandum_id: UUID) -> ResponseReturnValue:
    """The whole text once more with its fingerprint; signing it is the only act here."""
    found = to_change(memorandum_id)
    now_shown = {"edit": str(found.edit), "sha256": queries.sha256(web.db(), found)}
    form = SignForm(data=opening(now_shown))
    if request.method == "POST":
        sha256 = form.sha256.data or ""
        try:
            verbs.sign(web.db(), web.actor(), memorandum_id, sha256, form.read, web.now())
        except Invalid as error:
            web.db().rollback()
            return _sign_page(memorandum_id, form, error), 422
        web.commit()
        return redirect(url_for("memoranda.show", memorandum_id=memorandum_id), 303)
    return _sign_page(memorandum_id, form)


@bp.route("/memoranda/<uuid:memorandum_id>/end", methods=["GET", "POST"])
def end(memorandum_id: UUID) -> ResponseReturnValue:
    """Sets the last day of an agreed memorandum."""
    demand(web.actor(), Verb.AGREE_MEMORANDA)
    found = queries.find(web.db(), web.actor(), memorandum_id)
    form, faults = EndForm(), []
    if request.method == "POST":
        try:
            last = _last_day(form)
            reason = form.reason.data or ""
            verbs.end(web.db(), web.actor(), memorandum_id, last, reason, web.now())
        except Invalid as error:
            web.db().rollback()
            found = queries.find(web.db(), web.actor(), memorandum_id)
            faults = pointers.show(form, error.errors)
        else:
            web.commit()
            return redirect(url_for("memoranda.show", memorandum_id=memorandum_id), 303)
    row = queries.row(web.db(), found, shown.today())
    page = render_template(
        "memoranda/end.html",
        form=form,
        faults=faults,
        overtaken="",
        shown=found,
        row=row,
        tag=shown.tag,
        today=shown.today(),
    )
    return page, 422 if faults else 200


def _last_day(form: EndForm) -> date | None:
    """What was typed; None where it is no date: the verb says so."""
    reader = Reader({"last_day": (form.last_day.data or "").strip()}, "", Faults())
    return reader.day("last_day")


def _sign_page(memorandum_id: UUID, form: SignForm, error: Invalid | None = None) -> str:
    found = queries.find(web.db(), web.actor(), memorandum_id)
    row = queries.row(web.db(), found, shown.today())
    return render_template(
        "memoranda/sign.html",
        form=form,
        faults=pointers.show(form, error.errors) if error else [],
        obstacles=shown.obstacles(found),
        **shown.context(row),
    )
