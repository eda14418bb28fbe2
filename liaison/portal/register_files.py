"""Providers as a file: the register taken away, and files looked at, confirmed and imported."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import FileField, TextAreaField

from liaison import web
from liaison.documents import csv_file, provider_csv
from liaison.domain.permissions import Verb, demand
from liaison.errors import FieldError, Invalid
from liaison.models import RegisterImport
from liaison.portal import kept
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.queries import register_imports as queries
from liaison.services import guards
from liaison.services import register_imports as verbs

bp = Blueprint("register_files", __name__, url_prefix="/providers")

SHOWN_FAULTS = 500
"""Faults on the page; the file holds those that the report has."""

EVERY = 2
"""Seconds between two looks at an import that runs."""


class UploadForm(PortalForm):
    """One file."""

    file = FileField("CSV file", render_kw={"accept": ".csv,text/csv"})


class ConfirmForm(PortalForm):
    """Why statuses change, where a row changes one."""

    reason = TextAreaField("Reason for another status", render_kw={"rows": 2})


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reads the register without signing in."""


@bp.context_processor
def helpers() -> dict[str, object]:
    """What the templates ask for."""
    return {"kept_words": kept.words, "state": STATES}


STATES = {
    verbs.CHECKED: ("blue", "search", "Checked, not imported"),
    verbs.CONFIRMED: ("amber", "hourglass-split", "Being imported"),
    verbs.DONE: ("green", "check-lg", "Imported"),
    verbs.FAILED: ("amber", "exclamation-triangle", "Not imported"),
    verbs.DISCARDED: ("", "slash-circle", "Laid aside"),
}
"""States as a tag shows them."""


@bp.get("/export.csv")
def export() -> ResponseReturnValue:
    """All providers, as the import reads them."""
    text = "".join(provider_csv.write(queries.everything(web.db(), web.actor())))
    return _file(text, f"providers-{web.now().date().isoformat()}.csv")


@bp.route("/import", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """Takes a file and looks at it; nothing is imported yet.

    A fresh factor is asked for first: a file cannot be kept meanwhile.
    """
    demand(web.actor(), Verb.MANAGE_REGISTER)
    guards.fresh_factor(web.actor(), web.now())
    form = UploadForm()
    faults: list[pointers.Fault] = []
    if request.method == "POST":
        try:
            made = _check()
            web.commit()
            return redirect(url_for("register_files.show", import_id=made.id), 303)
        except Invalid as error:
            web.db().rollback()
            faults = pointers.show(form, error.errors)
    page = render_template(
        "register/import_new.html",
        form=form,
        faults=faults,
        latest=queries.latest(web.db(), web.actor()),
        columns=provider_csv.COLUMNS,
        needed=provider_csv.NEEDED,
        most=provider_csv.MOST_ROWS,
    )
    return page, 422 if faults else 200


def _check() -> RegisterImport:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid([FieldError("/file", "Choose the file on your machine.")])
    content, actor = sent.read(provider_csv.LARGEST + 1), web.actor()
    # Reading and comparing take seconds: nobody else has to wait for the database meanwhile.
    web.db().rollback()
    with web.core().database.reading() as session:
        made = verbs.look(session, actor, sent.filename, content, web.now())
    return verbs.keep(web.db(), actor, made, web.now())


@bp.get("/import/<uuid:import_id>")
def show(import_id: UUID) -> ResponseReturnValue:
    """What would change, what is wrong; how far it is. ``?part=live``: only what changes."""
    return _shown(import_id, ConfirmForm())


def _shown(import_id: UUID, form: ConfirmForm) -> Response:
    row = queries.one(web.db(), web.actor(), import_id)
    live = request.args.get("part") == "live"
    tag = hashlib.sha256(f"{row.id} {row.state} {row.done}".encode()).hexdigest()[:32]
    if live and tag in request.if_none_match:
        response = make_response("", 304)
    else:
        name = "register/_import_live.html" if live else "register/import.html"
        page = render_template(name, row=row, form=form, every=EVERY, shown=SHOWN_FAULTS)
        response = make_response(page)
    if live:
        response.set_etag(tag)
        running = row.state == verbs.CONFIRMED
        response.headers["X-Poll-Interval"] = str(EVERY if running else 60)
    return response


@bp.get("/import/<uuid:import_id>/faults.csv")
def faults(import_id: UUID) -> ResponseReturnValue:
    """Every fault by row and column, as a file."""
    row = queries.one(web.db(), web.actor(), import_id)
    return _file("".join(csv_file.lines(_fault_lines(row))), f"faults-{import_id}.csv")


@bp.post("/import/<uuid:import_id>/confirm")
def confirm(import_id: UUID) -> ResponseReturnValue:
    """Has it imported."""
    form = ConfirmForm()
    try:
        verbs.confirm(web.db(), web.actor(), import_id, web.now(), form.reason.data or "")
    except Invalid as error:
        web.db().rollback()
        pointers.show(form, error.errors)
        return _shown(import_id, form), 422
    web.commit()
    return redirect(url_for("register_files.show", import_id=import_id), 303)


@bp.post("/import/<uuid:import_id>/discard")
def discard(import_id: UUID) -> ResponseReturnValue:
    """Lays it aside."""
    verbs.discard(web.db(), web.actor(), import_id, web.now())
    web.commit()
    return redirect(url_for("register_files.new"), 303)


def _fault_lines(row: RegisterImport) -> Iterator[tuple[str, ...]]:
    yield "row", "column", "fault"
    for number, column, detail in (*row.report["faults"], *row.report.get("failed", [])):
        yield str(number) if number else "", column, detail
    if more := row.report["counts"]["faults"] - len(row.report["faults"]):
        yield "", "", f"There are {more} more. Correct these first, then send the file anew."


def _file(text: str, name: str) -> Response:
    response = Response(f"\ufeff{text}", mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
