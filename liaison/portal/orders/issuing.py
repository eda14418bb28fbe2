"""The check page: what the provider will see, and the code that serves it."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action
from liaison.errors import Forbidden, OutsideTerms
from liaison.portal.orders.answer_forms import IssueForm
from liaison.portal.orders.blueprint import bp, needed, order_to, posted, to_order
from liaison.portal.orders.pointers import show
from liaison.queries.issue import preview
from liaison.services import accounts, guards
from liaison.services import orders as verbs
from liaison.web.signin import visitor


@bp.route("/<ref>/issue", methods=["GET", "POST"])
def issue(ref: str) -> ResponseReturnValue:
    """Everything as it will be served; nothing is sent before a fresh code was given."""
    order = order_to(ref, Action.ISSUE)
    form = IssueForm()
    if not posted():
        form.version.data = str(order.version)
        return _page(ref, form)
    refused = _step_up(form.code.data or "")
    if refused is not None:
        return _page(ref, form, refused)
    try:
        served = verbs.issue(web.db(), _actor(), ref, form.seen, web.now())
    except OutsideTerms:
        web.db().rollback()
        return _page(ref, form)
    web.commit()
    return to_order(served)


def _step_up(code: str) -> str | None:
    """Takes a code that was typed; what is wrong with it, or with there being none.

    Committed at once: a try is counted, and a code used up, whatever becomes of the order.
    """
    found = visitor()
    if not code.strip():
        return None if _is_fresh() else "Enter the code your authenticator shows now."
    if found is None:
        raise Forbidden("Sign in first.")
    refused = accounts.step_up(
        web.db(), web.vault(), found.sign_in, code.strip(), web.address(), web.now()
    )
    web.commit()
    return refused.detail if refused else None


def _actor() -> Actor:
    """The person as they are now: the code that was just given counts."""
    found = visitor()
    return accounts.actor_of(found.sign_in, web.address()) if found else web.actor()


def _is_fresh() -> bool:
    try:
        guards.fresh_factor(_actor(), web.now())
    except Forbidden:
        return False
    return True


def _page(ref: str, form: IssueForm, refused: str | None = None) -> tuple[str, int]:
    check = preview(web.db(), _actor(), ref, web.now())
    faults = show(form, needed("/code", refused).errors) if refused else []
    html = render_template(
        "orders/issue.html",
        order=check.order,
        check=check,
        form=form,
        faults=faults,
        fresh=_is_fresh(),
    )
    return html, 422 if refused or (posted() and check.breaches) else 200
