"""What the contact point does to an order it has issued: takes it back."""

from __future__ import annotations

from collections.abc import Callable

from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.lifecycle import Action
from liaison.models import Order
from liaison.portal.orders.answer_forms import ReasonForm
from liaison.portal.orders.blueprint import bp, open_to, page, posted, seen_order, send
from liaison.services import orders as verbs


@bp.route("/<ref>/withdraw", methods=["GET", "POST"])
def withdraw(ref: str) -> ResponseReturnValue:
    """Takes the order back; the provider reads why. A draft is discarded without a word."""
    return _with_reason("withdraw", ref, Action.WITHDRAW, verbs.withdraw)


def _with_reason(
    template: str, ref: str, action: Action, verb: Callable[..., Order]
) -> ResponseReturnValue:
    order = seen_order(ref)
    form = ReasonForm()
    if not posted():
        open_to(order, action)
        form.version.data = str(order.version)
        return page(template, order, form)

    def act() -> None:
        reason = form.reason.data or ""
        verb(web.db(), web.actor(), ref, reason, web.now(), version=form.seen)

    return send(template, order, form, act, action)
