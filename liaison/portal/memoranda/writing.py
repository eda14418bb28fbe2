"""Drafts: begun, written, given a document, discarded."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types

from liaison import web
from liaison.domain import memorandum_entry
from liaison.domain.permissions import Verb, demand
from liaison.domain.terms import terms_from_json
from liaison.errors import FieldError, Invalid
from liaison.models import Memorandum
from liaison.portal.memoranda import shown
from liaison.portal.memoranda.blueprint import bp
from liaison.portal.memoranda.forms import (
    DocumentForm,
    EditForm,
    MemorandumForm,
    NewForm,
    filled,
    opening,
    typed,
)
from liaison.portal.orders import pointers
from liaison.queries import duty
from liaison.queries import memoranda as queries
from liaison.services import memoranda as verbs
from liaison.services.memoranda import Overtaken


@bp.route("/memoranda/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """Asks with whom; a draft begins with what the two agreed last."""
    demand(web.actor(), Verb.AGREE_MEMORANDA)
    actor = web.actor()
    form = NewForm(
        data=opening({name: request.args.get(name) for name in ("partner", "reference")})
    )
    known = queries.partners(web.db(), actor)
    choices = [SelectChoice(str(one.id), one.name) for one in known]
    form.partner.choices = [SelectChoice("", "Choose"), *choices]
    side = "authority_id" if actor.is_provider else "provider_id"
    if request.method == "GET":
        return render_template("memoranda/new.html", form=form, faults=[])
    try:
        given = {side: form.partner.data, "reference": form.reference.data}
        made = verbs.draft(web.db(), actor, given, web.now())
    except Invalid as error:
        web.db().rollback()
        errors = [
            FieldError("/partner" if fault.pointer == f"/{side}" else fault.pointer, fault.detail)
            for fault in error.errors
        ]
        faults = pointers.show(form, errors)
        return render_template("memoranda/new.html", form=form, faults=faults), 422
    web.commit()
    return redirect(url_for("memoranda.show", memorandum_id=made.id), 303)


@bp.route("/memoranda/<uuid:memorandum_id>/edit", methods=["GET", "POST"])
def edit(memorandum_id: UUID) -> ResponseReturnValue:
    """Every term but the ladders, on one page."""
    found = to_change(memorandum_id)
    data = memorandum_entry.written(
        found.reference, found.in_force_from, found.in_force_to, terms_from_json(found.terms)
    )
    form = MemorandumForm(data=opening(filled(data, found.edit)))

    def write() -> None:
        verbs.write(web.db(), web.actor(), memorandum_id, typed(form), form.read, web.now())

    known = duty.knows_holidays(found.provider.country)
    return send("edit", form, found, write, holidays_known=known)


@bp.route("/memoranda/<uuid:memorandum_id>/document/new", methods=["GET", "POST"])
def attach(memorandum_id: UUID) -> ResponseReturnValue:
    """Puts the document with the draft."""
    found = to_change(memorandum_id)
    form = DocumentForm(data=opening({"edit": str(found.edit)}))

    def write() -> None:
        file = request.files.get("document")
        name, content = (file.filename or "", file.read()) if file else ("", b"")
        verbs.attach(web.db(), web.actor(), memorandum_id, name, content, form.read, web.now())

    return send("document", form, found, write)


@bp.route("/memoranda/<uuid:memorandum_id>/discard", methods=["GET", "POST"])
def discard(memorandum_id: UUID) -> ResponseReturnValue:
    """Gives the draft up."""
    found = to_change(memorandum_id)
    form = EditForm(data=opening({"edit": str(found.edit)}))

    def write() -> None:
        verbs.discard(web.db(), web.actor(), memorandum_id, form.read, web.now())

    return send("discard", form, found, write, then=url_for("memoranda.index"))


def to_change(memorandum_id: UUID) -> Memorandum:
    """One that the reader may agree on; what is no draft any more is said by the verb."""
    demand(web.actor(), Verb.AGREE_MEMORANDA)
    found = queries.find(web.db(), web.actor(), memorandum_id)
    if request.method == "GET":
        verbs.demand_draft(found)
    return found


def send(
    template: str,
    form: EditForm,
    found: Memorandum,
    verb: Callable[[], None],
    *,
    then: str | None = None,
    **more: object,
) -> ResponseReturnValue:
    """The form's page; once sent, the act, or the page again with all that was typed, and why.

    Whoever was overtaken sees what they typed over the newer draft: sent again, it takes its place.
    """
    memorandum_id = found.id
    if request.method == "GET":
        return _page(template, form, found, **more)
    try:
        verb()
    except Invalid as error:
        web.db().rollback()
        found = queries.find(web.db(), web.actor(), memorandum_id)
        faults = pointers.show(form, error.errors)
        return _page(template, form, found, faults=faults, **more), 422
    except Overtaken as error:
        web.db().rollback()
        found = queries.find(web.db(), web.actor(), memorandum_id)
        form.edit.data = str(found.edit)
        return _page(template, form, found, overtaken=error.detail, **more), error.status
    web.commit()
    return redirect(then or url_for("memoranda.show", memorandum_id=memorandum_id), 303)


def _page(template: str, form: EditForm, found: Memorandum, **more: object) -> str:
    row = queries.row(web.db(), found, shown.today())
    told = {"faults": [], "overtaken": "", **more}
    return render_template(
        f"memoranda/{template}.html", form=form, shown=found, row=row, tag=shown.tag, **told
    )
