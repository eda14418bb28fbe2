"""A SPOC doubts an order; people of the contact point vouch for it."""

from __future__ import annotations

from typing import Any

from flask import make_response
from flask.typing import ResponseReturnValue
from wtforms import StringField, TextAreaField

from liaison import web
from liaison.domain.doubt import VOUCHERS
from liaison.domain.lifecycle import Action
from liaison.domain.reading import LONGEST_NOTE
from liaison.errors import Forbidden, InvalidTransition
from liaison.models import Order
from liaison.portal.orders import proving
from liaison.portal.orders.answer_forms import ReasonForm, VersionForm, at_most
from liaison.portal.orders.blueprint import (
    bp,
    needed,
    open_to,
    page,
    posted,
    seen_order,
    send,
    to_order,
    was_sent_twice,
)
from liaison.queries import four_eyes
from liaison.queries.doubting import numbers, open_doubt
from liaison.services import doubts


class VouchForm(VersionForm):
    """What was looked at, and a fresh code."""

    note = TextAreaField("What you have looked at", at_most(LONGEST_NOTE))
    code = StringField(
        "Code from your authenticator",
        render_kw={"inputmode": "numeric", "autocomplete": "one-time-code"},
    )


@bp.route("/<ref>/doubt", methods=["GET", "POST"])
def doubt(ref: str) -> ResponseReturnValue:
    """Why the order may be forged; the page names the numbers to call, from the register."""
    order = seen_order(ref)
    form = ReasonForm()
    more: dict[str, Any] = {
        "doubt": open_doubt(order),
        "numbers": numbers(web.db(), order, web.now()),
    }
    if not posted():
        open_to(order, Action.DOUBT)
        form.version.data = str(order.version)
        return page("doubt", order, form, **more)

    def act() -> None:
        reason = form.reason.data or ""
        doubts.raise_(web.db(), web.actor(), ref, reason, form.seen, web.now())

    return send("doubt", order, form, act, Action.DOUBT, **more)


@bp.route("/<ref>/vouch", methods=["GET", "POST"])
def vouch(ref: str) -> ResponseReturnValue:
    """One of two people vouches, with a fresh code or passkey; whoever wrote the order may not."""
    order = seen_order(ref)
    if posted() and was_sent_twice(ref, Action.VOUCH):
        return to_order(order)
    open_to(order, Action.VOUCH)
    if open_doubt(order) is None:
        raise InvalidTransition("Nobody doubts this order now. Read it again to see what happened.")
    form, barred = VouchForm(), _barred(order)
    if not posted():
        form.version.data = str(order.version)
        return page("vouch", order, form, **_about(order, barred))
    if barred:
        why = needed("", barred)
        refusal = make_response(page("vouch", order, form, why, **_about(order, barred)))
        refusal.status_code = 403
        return refusal
    refused = proving.step_up(order, form.code.data or "")
    if refused:
        wrong = needed(proving.place(order), refused)
        return page("vouch", order, form, wrong, **_about(order))

    def act() -> None:
        note = form.note.data
        doubts.vouch(web.db(), proving.actor(), ref, note, form.seen, web.now())

    return send("vouch", order, form, act, Action.VOUCH, **_about(order))


def barred_from_vouching(order: Order) -> str:
    """Who can vouch, for whoever cannot; empty where they can."""
    found, own = open_doubt(order), web.actor().person_id
    given = {vouch.name for vouch in found.vouches} if found else set()
    if found and own in {vouch.person_id for vouch in found.vouches}:
        missing = VOUCHERS - len(found.vouches)
        more = "one more is" if missing == 1 else f"{missing} more are"
        return f"You have vouched; {more} needed."
    if _barred(order) is None:
        return ""
    names = [name for name in four_eyes.others(web.db(), order) if name not in given]
    who = " or ".join(names) if names else "Another officer or supervisor"
    return f"You wrote or issued this order, so you cannot vouch for it. {who} can."


bp.context_processor(lambda: {"barred_from_vouching": barred_from_vouching})


def _about(order: Order, barred: str | None = None) -> dict[str, Any]:
    return {
        "doubt": open_doubt(order),
        "barred": barred,
        **proving.for_page(order),
    }


def _barred(order: Order) -> str | None:
    """Why this person cannot vouch; None where they can."""
    try:
        doubts.demand_other(web.db(), order, web.actor())
    except Forbidden as error:
        return error.detail
    found = open_doubt(order)
    given = {vouch.person_id for vouch in found.vouches} if found else set()
    return doubts.TWICE if web.actor().person_id in given else None
