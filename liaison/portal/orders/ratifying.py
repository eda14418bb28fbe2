"""Another person stands behind an emergency that was issued at once."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.lifecycle import Action
from liaison.errors import InvalidTransition, Stale
from liaison.models import Order
from liaison.portal.orders import proving
from liaison.portal.orders.answer_forms import IssueForm
from liaison.portal.orders.blueprint import (
    bp,
    needed,
    open_to,
    posted,
    seen_order,
    to_order,
    was_sent_twice,
)
from liaison.portal.orders.pointers import show
from liaison.queries import four_eyes
from liaison.services import ratification, writers


@bp.route("/<ref>/ratify", methods=["GET", "POST"])
def ratify(ref: str) -> ResponseReturnValue:
    """The order in full, and the code that ratifies it; its writers read who can."""
    order, form = seen_order(ref), IssueForm()
    if posted() and was_sent_twice(ref, Action.RATIFY):
        return to_order(order)
    open_to(order, Action.RATIFY)
    if not posted():
        form.version.data = str(order.version)
        return _page(order, form)
    writers.demand_another(web.db(), order, web.actor(), "ratify")  # before a code is used up
    if (refused := proving.step_up(order, form.code.data or "")) is not None:
        return _page(order, form, refused)
    try:
        ratified = ratification.ratify(web.db(), proving.actor(), ref, form.seen, web.now())
    except (Stale, InvalidTransition) as error:
        web.db().rollback()
        order = seen_order(ref)
        if was_sent_twice(ref, Action.RATIFY):
            return to_order(order)
        form.version.data = str(order.version)
        # The page says who has ratified it, or where the order stands by now.
        return _page(order, form, overtaken=error.detail)[0], error.status
    web.commit()
    return to_order(ratified)


def _page(
    order: Order, form: IssueForm, refused: str | None = None, overtaken: str = ""
) -> tuple[str, int]:
    faults = show(form, needed(proving.place(order), refused).errors) if refused else []
    html = render_template(
        "orders/ratify.html",
        order=order,
        form=form,
        faults=faults,
        overtaken=overtaken,
        wanted=four_eyes.awaits_ratification(order),
        mine=four_eyes.has_written(web.db(), order, web.actor()),
        others=four_eyes.others(web.db(), order),
        **proving.for_page(order),
    )
    return html, 422 if refused else 200
