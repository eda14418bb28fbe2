"""Writing a draft: a new one, one that is there, one that was left unfinished. Nobody outside
hears of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from liaison import web
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.domain.vocabulary import Urgency
from liaison.errors import Invalid, NotFound, Stale
from liaison.models import Order
from liaison.models.base import new_id
from liaison.portal.orders import draft_data, draft_page, saving
from liaison.portal.orders.answer_forms import UNREAD
from liaison.portal.orders.blueprint import bp, order_to, seen_order
from liaison.portal.orders.draft_form import DraftForm
from liaison.portal.orders.draft_page import Place
from liaison.portal.requests.data import for_order
from liaison.queries import requests
from liaison.services import cases, order_templates, unfinished, writers
from liaison.services import orders as verbs
from liaison.services.kept_forms import Fields
from liaison.services.unfinished import DraftSaved
from liaison.web import kept

CHECK, SAVE, SAVE_MINE, SAVE_APART, SAVE_TEMPLATE = (
    "check",
    "save",
    "save-mine",
    "save-apart",
    "save-template",
)
"""Buttons: the order is made; the form is kept as it stands, in another's place, or as a draft of
its own; a template is made of it."""


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """A new draft. ``?urgency=emergency`` chooses that beforehand, ``?template=`` begins with a
    template, ``?copy=`` with an earlier order, ``?request=`` with a counterpart's request."""
    decide(OrderState.DRAFT, Action.EDIT, web.actor().roles)
    asked = request.args.get("urgency")
    urgency = Urgency(asked) if asked in set(Urgency) else Urgency.ROUTINE
    place = Place(draft_page.usual(urgency))
    if request.method == "POST":
        return _written(draft_page.sent(), place)
    form, source = _begun(place.usual)
    return draft_page.show(
        form, place, copied=source, templates=order_templates.listed(web.db(), web.actor())
    )


def _begun(usual: dict[str, Any]) -> tuple[DraftForm, Order | None]:
    """The new form, and the order it copies, if any."""
    source = None
    if kept.found() is not None:
        form = DraftForm(data=usual)
    elif name := request.args.get("copy"):
        source = seen_order(name)
        data = draft_data.copied(source, usual, web.now().date())
        form = DraftForm(formdata=None, data=data)
    elif name := request.args.get("request"):
        row_asked = requests.find(web.db(), web.actor(), _uuid(name))
        form = DraftForm(formdata=None, data=usual | for_order(row_asked))
    elif name := request.args.get("template"):
        row = order_templates.find(web.db(), web.actor(), _uuid(name))
        form = filled(order_templates.fields_of(web.vault(), row), usual)
    else:
        form = DraftForm(data=usual)
    if form.draft_id is None:
        form.unfinished.data, form.saved.data = str(new_id()), "0"
    return form, source


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def filled(fields: Fields, usual: dict[str, Any]) -> DraftForm:
    """The form with fields as they were kept; what is not among them is as usual."""
    return DraftForm(formdata=MultiDict(fields), data=usual)


@bp.route("/<ref>/edit", methods=["GET", "POST"])
def edit(ref: str) -> ResponseReturnValue:
    """A draft written anew. Whoever was overtaken keeps what they typed and reads why."""
    order = order_to(ref, Action.EDIT)
    row = unfinished.of_order(web.db(), web.actor(), order)
    place = Place(draft_page.usual(order.urgency), order=order, draft=row)
    if request.method == "POST":
        return _written(draft_page.sent(), place)
    data = draft_data.of_order(order) | {"paste": draft_data.new_paste(web.now())}
    if row is None or kept.found() is not None:
        return draft_page.show(DraftForm(data=data), place)
    form = filled(unfinished.fields_of(web.vault(), row), data)
    saving.point_at(form, row)
    return draft_page.show(form, place)


@bp.route("/drafts/<uuid:draft_id>", methods=["GET", "POST"])
def unfinished_draft(draft_id: UUID) -> ResponseReturnValue:
    """A draft that was left unfinished, as it was saved last."""
    session, actor = web.db(), web.actor()
    try:
        row = unfinished.find(session, actor, draft_id)
    except NotFound as error:
        if request.method == "GET":
            raise
        return _gone(error, draft_id)
    if row.order_id is not None and request.method == "GET":
        return redirect(url_for("orders.edit", ref=str(row.order_id)), 303)
    place = Place(draft_page.usual(), draft=row)
    if request.method == "POST":
        return _written(draft_page.sent(), place)
    if kept.found() is not None:
        return draft_page.show(DraftForm(data=place.usual), place)
    form = filled(unfinished.fields_of(web.vault(), row), place.usual)
    saving.point_at(form, row)
    return draft_page.show(form, place)


def _gone(error: NotFound, draft_id: UUID) -> ResponseReturnValue:
    """What was typed into a draft that is no more: it stands there as a new order, unsaved.

    Whoever typed into the draft stays a writer of the text.
    """
    form = draft_page.sent()
    form.unfinished.data = str(draft_id)
    saving.go_on_apart(form, Place({}))
    return draft_page.show(
        form, Place(draft_page.usual()), status=error.status, gone=True, to_new=True
    )


def _written(form: DraftForm, place: Place) -> ResponseReturnValue:
    """Does what the button asks for; else the page again with all that was typed, and why."""
    act = request.form.get("act", CHECK)
    try:
        if again := draft_page.shown_again(form, act):
            return draft_page.show(again[0], place, added=again[1])
        if act == SAVE_TEMPLATE:
            return _as_template(form, place)
        if act in (SAVE, SAVE_MINE, SAVE_APART):
            return _left(form, place, act)
        return _made(form, place)
    except Invalid as error:
        web.db().rollback()
        return draft_page.show(form, place, error=error)
    except DraftSaved as error:
        web.db().rollback()
        return _overtaken(form, place, error)
    except Stale as error:
        web.db().rollback()
        return _stale(form, place, error)


def _made(form: DraftForm, place: Place) -> ResponseReturnValue:
    """The order is written, one for each provider; the draft that was saved meanwhile is gone."""
    session, actor, now = web.db(), web.actor(), web.now()
    row = saving.ready(form, place)
    if place.order is not None:
        version = draft_data.number(form.version.data or "")
        seen = version if isinstance(version, int) else UNREAD
        name = place.order.name
        made = [verbs.edit(session, actor, name, draft_page.as_json(form), seen, now)]
    else:
        made = cases.draft_together(
            session, actor, _for_each_provider(form), now, request_id=form.made_from
        )
    unfinished.credit(session, actor, form.goes_on_with, made, now)
    _credit_copied(form, made)
    if row is not None:
        unfinished.finish(session, row, made, now)
    web.commit()
    if len(made) > 1:
        return redirect(url_for("cases.show", case_id=made[0].case_id), 303)
    return redirect(url_for("orders.issue", ref=made[0].name), 303)


def _credit_copied(form: DraftForm, made: list[Order]) -> None:
    """Whoever wrote the order that was copied has written these."""
    if form.copied_id is None:
        return
    try:
        source = seen_order(str(form.copied_id))
    except NotFound:
        return  # no order of ours: its text cannot stand here
    writers.take_over(web.db(), source, made, web.now())


def _for_each_provider(form: DraftForm) -> list[dict[str, Any]]:
    first = draft_page.as_json(form)
    names = dict.fromkeys(form.further.data or ())
    return [first, *(draft_page.as_json(form, name) for name in names)]


def _left(form: DraftForm, place: Place, act: str) -> ResponseReturnValue:
    """Keeps the form as it stands and goes on to the list of drafts."""
    if act == SAVE_APART and place.order is None:
        saving.go_on_apart(form, place)
        place = Place(place.usual)
    row = saving.keep(form, place, over=act == SAVE_MINE)
    web.commit()
    return redirect(url_for("orders.drafts", saved=str(row.id)), 303)


def _as_template(form: DraftForm, place: Place) -> ResponseReturnValue:
    name, fields = form.template_name.data or "", saving.fields()
    row = order_templates.save(
        web.db(),
        web.vault(),
        web.actor(),
        name,
        order_templates.without_case(fields),
        web.now(),
    )
    web.commit()
    form.template_name.data = ""
    return draft_page.show(form, place, template_saved=row)


def _overtaken(form: DraftForm, place: Place, error: DraftSaved) -> ResponseReturnValue:
    """What was typed, beside the way to the newer version: both can be read."""
    row = saving.newer(form, place)
    if row is None:
        saving.go_on_apart(form, place)
        place = Place(place.usual, order=place.order)
    return draft_page.show(
        form,
        place,
        status=error.status,
        newer=row,
        saved_over=error.detail,
        to_new=row is None and place.is_new,
    )


def _stale(form: DraftForm, place: Place, error: Stale) -> ResponseReturnValue:
    """What was typed, over the newer draft: sent again, it takes that one's place."""
    if place.order is None:
        raise error
    order = order_to(place.order.name, Action.EDIT)
    form.version.data = str(order.version)
    again = Place(place.usual, order=order, draft=place.draft)
    return draft_page.show(form, again, status=error.status, overtaken=error.detail)
