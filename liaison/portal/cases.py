"""Cases: the orders of one matter, and how an order is put among them."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import SelectField, StringField

from liaison import web
from liaison.domain.lifecycle import Action, OrderState, allowed, decide
from liaison.errors import FieldError, Invalid, NotFound
from liaison.models import Order
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.portal.orders.blueprint import bp as orders_bp
from liaison.portal.orders.blueprint import seen_order
from liaison.portal.orders.draft_form import option
from liaison.queries import cases as queries
from liaison.services import cases as verbs

bp = Blueprint("cases", __name__, url_prefix="/cases")

TAKE_OUT = "take-out"


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody sees a case without signing in."""


@bp.context_processor
def helpers() -> dict[str, object]:
    """What the page asks for."""
    return {"may_write": lambda: _may_write()}


def _may_write() -> bool:
    return Action.EDIT in allowed(OrderState.DRAFT, web.actor().roles)


class TieForm(PortalForm):
    """The case an order is put into: one of the newest, or that of another order."""

    case = SelectField("Case", validate_choice=False)
    other = StringField(
        "Or the case of another order",
        description="Its ref, like CP-2026-0001. Where it stands in none, one is opened for both.",
    )


@bp.get("/<uuid:case_id>")
def show(case_id: UUID) -> ResponseReturnValue:
    """The orders of a case, with where each stands."""
    session, actor = web.db(), web.actor()
    row = queries.case(session, actor, case_id)
    return render_template("cases/show.html", case=row, rows=queries.orders_of(session, actor, row))


@orders_bp.route("/<ref>/case", methods=["GET", "POST"])
def of_order(ref: str) -> ResponseReturnValue:
    """Puts an order into a case, or takes it out."""
    actor = web.actor()
    order = seen_order(ref)
    decide(OrderState.DRAFT, Action.EDIT, actor.roles)
    form = TieForm()
    error = None
    if request.method == "POST":
        try:
            return _tied(order, form)
        except Invalid as fault:
            web.db().rollback()
            error = fault
    latest = [one for one in queries.latest(web.db(), actor) if one.id != order.case_id]
    form.case.choices = [
        option("", "None of these"),
        *(option(str(one.id), f"{one.name} ({one.opened_at:%Y-%m-%d})") for one in latest),
    ]
    faults = pointers.show(form, error.errors) if error else []
    html = render_template("orders/case.html", order=order, form=form, faults=faults)
    return html, 422 if error else 200


def _tied(order: Order, form: TieForm) -> ResponseReturnValue:
    session, actor, now = web.db(), web.actor(), web.now()
    chosen, other = (form.case.data or "").strip(), (form.other.data or "").strip()
    if request.form.get("act") == TAKE_OUT:
        verbs.take_out(session, actor, order.name, now)
    elif bool(chosen) == bool(other):
        said = "Choose a case or name another order" + (", not both." if chosen else ".")
        raise Invalid([FieldError("/other", said)])
    elif chosen:
        verbs.add_to(session, actor, order.name, _uuid(chosen), now)
    else:
        _with_other(order, other)
    web.commit()
    return redirect(url_for("orders.show", ref=order.name), 303)


def _with_other(order: Order, other: str) -> None:
    try:
        verbs.add(web.db(), web.actor(), order.name, other, web.now())
    except NotFound:
        said = "There is no order of this ref that you may see. Compare it with the queue."
        raise Invalid([FieldError("/other", said)]) from None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid([FieldError("/case", "Choose a case from the list.")]) from None


def _case_of(order: Order) -> object:
    return queries.of_order(web.db(), web.actor(), order)


orders_bp.context_processor(lambda: {"case_of": _case_of})
