"""Drafts are saved while they are typed: what the page's script sends, and the list of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import HiddenField

from liaison import web
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.errors import FieldError, Invalid, LiaisonError, NotFound, Stale
from liaison.models import UnfinishedDraft
from liaison.models.base import new_id
from liaison.portal.kept import PortalForm
from liaison.portal.orders.blueprint import bp, order_to
from liaison.portal.orders.draft_form import DraftForm
from liaison.portal.orders.draft_page import Place
from liaison.services import typists, unfinished
from liaison.services.kept_forms import Fields
from liaison.services.unfinished import DraftSaved
from liaison.web import kept

_NOT_TYPED = frozenset({"csrf_token", "unfinished", "saved", "earlier_draft", "template_name"})

TOO_LONG = (
    "This draft is too long to be saved unfinished. Check it, which stores the order itself, or "
    "take some of the targets out."
)


class SavedForm(PortalForm):
    """Which draft is saved, and which of its saves was read; the rest is kept as it was sent."""

    unfinished = HiddenField()
    saved = HiddenField()
    earlier_draft = HiddenField()

    draft_id = DraftForm.draft_id
    goes_on_with = DraftForm.goes_on_with
    read_edit = DraftForm.read_edit


def fields() -> Fields:
    """What was typed; ``Invalid`` where it is more than is kept."""
    typed = kept.typed()
    if typed is None:
        raise Invalid([FieldError("", TOO_LONG)])
    return tuple(field for field in typed if field[0] not in _NOT_TYPED)


def keep(form: DraftForm | SavedForm, place: Place, *, over: bool = False) -> UnfinishedDraft:
    """Saves the form that was sent. ``over``: whoever typed chose to put theirs in the place of
    the newer version that they could read."""
    session, actor = web.db(), web.actor()
    found = newer(form, place) if over else None
    return unfinished.save(
        session,
        web.vault(),
        actor,
        found.id if found else written_id(form, place),
        place.order.id if place.order else None,
        fields(),
        found.edit if found else form.read_edit,
        web.now(),
        earlier=form.goes_on_with,
    )


def ready(form: DraftForm, place: Place) -> UnfinishedDraft | None:
    """The unfinished draft that the order is about to be made of."""
    order_id = place.order.id if place.order else None
    draft_id = written_id(form, place)
    return unfinished.ready(web.db(), web.actor(), draft_id, order_id, form.read_edit)


def newer(form: DraftForm | SavedForm, place: Place) -> UnfinishedDraft | None:
    """The draft as it is saved now; None where it is no more."""
    session, actor = web.db(), web.actor()
    if place.order is not None:
        return unfinished.of_order(session, actor, place.order)
    draft_id = written_id(form, place)
    try:
        return unfinished.find(session, actor, draft_id) if draft_id else None
    except NotFound:
        return None


def point_at(form: DraftForm, row: UnfinishedDraft) -> None:
    """The page says which save it shows."""
    form.unfinished.data, form.saved.data = str(row.id), str(row.edit)


def written_id(form: DraftForm | SavedForm, place: Place) -> UUID | None:
    """The draft that the page writes to. At an order's page the form says which one was read:
    another may have taken its place since."""
    if place.order is not None and form.draft_id is not None:
        return form.draft_id
    return place.draft.id if place.draft is not None else form.draft_id


def go_on_apart(form: DraftForm, place: Place) -> None:
    """The form becomes a draft of its own, and remembers whose text it goes on with."""
    left = written_id(form, place)
    if form.read_edit and left is not None:
        form.earlier_draft.data = str(left)
    form.unfinished.data, form.saved.data = str(new_id()), "0"


def address_of(row: UnfinishedDraft) -> str:
    """Where a draft is gone on with."""
    if row.order_id is not None:
        return url_for("orders.edit", ref=str(row.order_id))
    return url_for("orders.unfinished_draft", draft_id=row.id)


# What the script sends


@bp.post("/new/autosave")
def autosave_new() -> ResponseReturnValue:
    """A new order's form as it is typed."""
    decide(OrderState.DRAFT, Action.EDIT, web.actor().roles)
    return _autosaved(Place({}), "orders.new", {})


@bp.post("/<ref>/autosave")
def autosave_edit(ref: str) -> ResponseReturnValue:
    """Changes to a draft order as they are typed."""
    order = order_to(ref, Action.EDIT)
    return _autosaved(Place({}, order=order), "orders.edit", {"ref": order.name})


@bp.post("/drafts/<uuid:draft_id>/autosave")
def autosave_draft(draft_id: UUID) -> ResponseReturnValue:
    """An unfinished draft as it is typed on."""
    row = unfinished.find(web.db(), web.actor(), draft_id)
    return _autosaved(Place({}, draft=row), "orders.unfinished_draft", {"draft_id": row.id})


def _autosaved(place: Place, page: str, named: dict[str, Any]) -> ResponseReturnValue:
    form = SavedForm()
    try:
        row = keep(form, place)
    except DraftSaved as error:
        web.db().rollback()
        return _beside(form, place, page, named, error)
    except Invalid as error:
        web.db().rollback()
        return _refused(error, " ".join(fault.detail for fault in error.errors))
    except Stale as error:
        web.db().rollback()
        return _refused(error, error.detail)
    web.commit()
    return jsonify(
        id=str(row.id),
        edit=row.edit,
        at=f"{row.saved_at:%H:%M:%S}",
        presence=url_for("orders.draft_presence", draft_id=row.id, part="live"),
    )


def _beside(
    form: SavedForm, place: Place, page: str, named: dict[str, Any], error: DraftSaved
) -> ResponseReturnValue:
    """Theirs stays saved, ours is kept for its writer: both can be read."""
    row = newer(form, place)
    theirs = address_of(row) if row else None
    person = web.actor().person_id
    mine = kept.aside(person, url_for(page, **named), kept.typed() or ()) if person else None
    return _refused(error, error.detail, theirs=theirs, mine=mine)


def _refused(error: LiaisonError, detail: str, **more: object) -> tuple[Response, int]:
    return jsonify(detail=detail, **more), error.status


# The list


class DiscardForm(PortalForm):
    """Nothing to fill in."""


@bp.get("/drafts")
def drafts() -> ResponseReturnValue:
    """The authority's unfinished drafts."""
    rows = unfinished.listed(web.db(), web.actor())
    return render_template(
        "orders/drafts.html", rows=rows, form=DiscardForm(), saved=request.args.get("saved", "")
    )


@bp.route("/drafts/<uuid:draft_id>/discard", methods=["GET", "POST"])
def discard_draft(draft_id: UUID) -> ResponseReturnValue:
    """Asks first: what was typed is gone for good."""
    row = unfinished.find(web.db(), web.actor(), draft_id)
    form = DiscardForm()
    if request.method == "GET":
        return render_template("orders/discard_draft.html", row=row, form=form)
    unfinished.discard(web.db(), web.actor(), draft_id)
    web.commit()
    return redirect(url_for("orders.drafts"), 303)


def listed() -> list[UnfinishedDraft]:
    """For the queue's view of drafts; nothing for whoever does not write any."""
    try:
        return list(unfinished.listed(web.db(), web.actor()))
    except LiaisonError:
        return []


def let_go(rows: list[UnfinishedDraft]) -> dict[UUID, list[str]]:
    """Who typed into these drafts and has no access any more: look before you go on."""
    return typists.let_go(web.db(), [row.id for row in rows])


bp.context_processor(
    lambda: {
        "unfinished_drafts": listed,
        "unfinished_address": address_of,
        "typists_let_go": let_go,
    }
)
