"""Importing an .ics: a page that shows what would be entered, and a button that enters it."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue
from wtforms import FileField, HiddenField

from liaison import web
from liaison.domain.permissions import Verb, demand
from liaison.errors import Invalid
from liaison.portal.duty.blueprint import back, bp, link_base
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.services import duty_import as verbs
from liaison.services import duty_scope, guards

ENTER = "enter"
"""The second button: what was shown is entered."""


class ImportForm(PortalForm):
    """The file; then, in its place, what was found in it, signed."""

    file = FileField("Calendar file", render_kw={"accept": ".ics,text/calendar"})
    rows = HiddenField()


@bp.route("/import", methods=["GET", "POST"])
def import_() -> ResponseReturnValue:
    """Two steps. A fresh factor is asked for first: a file cannot be kept meanwhile."""
    demand(web.actor(), Verb.MANAGE_DUTY)
    guards.fresh_factor(web.actor(), web.now())
    form = ImportForm()
    if request.method == "GET" and not form.rows.data:
        return _page(form)
    try:
        if request.form.get("act") == ENTER:
            rows = verbs.unseal(form.rows.data or "", web.actor(), _key(), web.now())
            verbs.import_calendar(web.db(), web.actor(), rows, web.now(), link_base())
            web.commit()
            return back()
        if request.method == "GET":
            return _kept(form)
        return _looked(form)
    except Invalid as error:
        web.db().rollback()
        return _page(form, pointers.show(form, error.errors)), 422


def _looked(form: ImportForm) -> str:
    upload, actor = request.files.get("file"), web.actor()
    # A file may take a while to read, and orders are issued meanwhile: nothing is held.
    web.db().rollback()
    with web.core().database.reading() as session:
        plan = verbs.look(session, actor, upload.read() if upload else b"", web.now())
    form.rows.data = verbs.seal(plan, actor, _key(), web.now())
    return _shown(form, plan)


def _kept(form: ImportForm) -> str:
    """What was shown, again: its code had run out when it was to be entered."""
    rows = verbs.unseal(form.rows.data or "", web.actor(), _key(), web.now())
    return _shown(form, verbs.plan_of(web.db(), web.actor(), rows, (), web.now()))


def _shown(form: ImportForm, plan: verbs.Plan) -> str:
    people = duty_scope.contacts(web.db(), web.actor())
    return render_template("duty/import_shown.html", form=form, plan=plan, people=people)


def _page(form: ImportForm, faults: list[pointers.Fault] | None = None) -> str:
    return render_template("duty/import.html", form=form, faults=faults or [])


def _key() -> str:
    return web.settings().secret_key
