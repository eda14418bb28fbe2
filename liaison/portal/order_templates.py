"""Templates of an authority: pages on which its drafters keep them."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required

from liaison import web
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.domain.reading import unstorable
from liaison.errors import FieldError, Invalid, Stale
from liaison.models import OrderTemplate
from liaison.portal.kept import PortalForm
from liaison.portal.orders import draft_page, saving
from liaison.portal.orders.draft_form import DraftForm
from liaison.portal.orders.draft_page import Place
from liaison.portal.orders.drafting import filled
from liaison.services import order_templates as verbs
from liaison.web import kept

bp = Blueprint("templates", __name__, url_prefix="/templates")


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody sees a template without signing in."""


@bp.before_request
def storable() -> None:
    """No database keeps a NUL."""
    bad = [name for name, texts in request.form.lists() for text in texts if unstorable(text)]
    if bad:
        detail = "Remove the NUL character or broken character from this text."
        raise Invalid([FieldError(f"/{name.replace('-', '/')}", detail) for name in bad])


class RemoveForm(PortalForm):
    """Nothing to fill in."""


@bp.get("")
def index() -> ResponseReturnValue:
    """The authority's templates."""
    return render_template("order_templates/index.html", rows=verbs.listed(web.db(), web.actor()))


@bp.route("/new", methods=["GET", "POST"])
def new() -> ResponseReturnValue:
    """A template written from nothing."""
    decide(OrderState.DRAFT, Action.EDIT, web.actor().roles)
    place = Place(draft_page.usual(), of_template=True)
    if request.method == "POST":
        return _written(draft_page.sent(), place)
    form = DraftForm(data=place.usual)
    if kept.found() is None:
        _without_moments(form)
    return draft_page.show(form, place)


@bp.route("/<uuid:template_id>/edit", methods=["GET", "POST"])
def edit(template_id: UUID) -> ResponseReturnValue:
    """Another name, other contents."""
    row = verbs.find(web.db(), web.actor(), template_id)
    place = Place(draft_page.usual(), template=row, of_template=True)
    if request.method == "POST":
        return _written(draft_page.sent(), place)
    if kept.found() is not None:
        return draft_page.show(DraftForm(data=place.usual), place)
    fields = verbs.fields_of(web.vault(), row)
    form = filled(fields, place.usual)
    _without_moments(form, {name for name, _ in fields})
    form.template_name.data, form.saved.data = row.name, str(row.edit)
    return draft_page.show(form, place)


@bp.route("/<uuid:template_id>/delete", methods=["GET", "POST"])
def delete(template_id: UUID) -> ResponseReturnValue:
    """Asks first."""
    row = verbs.find(web.db(), web.actor(), template_id)
    form = RemoveForm()
    if request.method == "GET":
        return render_template("order_templates/delete.html", row=row, form=form)
    verbs.remove(web.db(), web.actor(), template_id)
    web.commit()
    return redirect(url_for("templates.index"), 303)


def _without_moments(form: DraftForm, typed: set[str] = frozenset()) -> None:  # type: ignore[assignment]
    """A template keeps no day that nobody typed into it: “now” is another one when it is used."""
    for field in (form.confidential_until, form.targets.entries[0].form.end, form.paste.form.end):
        if field.name not in typed:
            field.data = ""


def _written(form: DraftForm, place: Place) -> ResponseReturnValue:
    try:
        if again := draft_page.shown_again(form, request.form.get("act", "")):
            return draft_page.show(again[0], place, added=again[1])
        _store(form, place.template)
    except Invalid as error:
        web.db().rollback()
        return draft_page.show(form, place, error=error)
    except Stale as error:
        web.db().rollback()
        return _overtaken(form, place, error)
    web.commit()
    return redirect(url_for("templates.index"), 303)


def _store(form: DraftForm, row: OrderTemplate | None) -> None:
    session, vault, actor, now = web.db(), web.vault(), web.actor(), web.now()
    name = form.template_name.data or ""
    fields = tuple(field for field in saving.fields() if field[1] or not _is_moment(field[0]))
    if row is None:
        verbs.save(session, vault, actor, name, fields, now)
    else:
        verbs.change(session, vault, actor, row.id, name, fields, form.read_edit, now)


def _is_moment(name: str) -> bool:
    """Left empty, the order's form fills them in when the template is used."""
    return name in ("confidential_until", "paste-end") or name.endswith(("-start", "-end"))


def _overtaken(form: DraftForm, place: Place, error: Stale) -> ResponseReturnValue:
    assert place.template is not None, "only one that is there can be overtaken"
    row = verbs.find(web.db(), web.actor(), place.template.id)
    form.saved.data = str(row.edit)
    again = Place(place.usual, template=row, of_template=True)
    return draft_page.show(form, again, status=error.status, template_overtaken=error.detail)
