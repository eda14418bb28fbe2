"""The check page: what the provider will see; from it an order is submitted, returned or served."""

from __future__ import annotations

from collections.abc import Callable

from flask import render_template
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.lifecycle import Action
from liaison.errors import InvalidTransition, OutsideTerms, Stale
from liaison.models import Order
from liaison.portal.orders import proving
from liaison.portal.orders.answer_forms import IssueForm, ReturnForm
from liaison.portal.orders.blueprint import (
    allowed_to,
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
from liaison.portal.orders.pointers import show
from liaison.queries import four_eyes
from liaison.queries.issue import preview
from liaison.services import authorising, writers
from liaison.services import orders as verbs

CHECKED = (Action.SUBMIT, Action.AUTHORISE, Action.ISSUE)
"""The acts that the check page offers, as the order stands."""


@bp.route("/<ref>/issue", methods=["GET", "POST"])
def issue(ref: str) -> ResponseReturnValue:
    """Everything as it will be served. Sent, it issues an emergency at once, with a fresh code."""
    return _check(ref, Action.ISSUE, verbs.issue, prove=True)


@bp.route("/<ref>/submit", methods=["GET", "POST"])
def submit(ref: str) -> ResponseReturnValue:
    """The same page. Sent, it hands the draft to another person."""
    return _check(ref, Action.SUBMIT, authorising.submit, prove=False)


@bp.route("/<ref>/authorise", methods=["GET", "POST"])
def authorise(ref: str) -> ResponseReturnValue:
    """The same page. Sent by another person, with a fresh code, it serves the order."""
    return _check(ref, Action.AUTHORISE, authorising.authorise, prove=True)


def _check(
    ref: str, action: Action, verb: Callable[..., Order], *, prove: bool
) -> ResponseReturnValue:
    order, form = seen_order(ref), IssueForm()
    if not posted():
        open_to(order, *CHECKED, action)
        form.version.data = str(order.version)
        return _page(ref, form)
    # Not where it is possible again: what was taken back may be submitted anew at once.
    if action not in allowed_to(order) and was_sent_twice(ref, action):
        return to_order(order)
    open_to(order, action)
    if action is Action.AUTHORISE:  # before a code is used up for nothing
        writers.demand_another(web.db(), order, web.actor(), "authorise")
    if prove and (refused := proving.step_up(order, form.code.data or "")) is not None:
        return _page(ref, form, refused)
    try:
        done = verb(web.db(), proving.actor(), ref, form.seen, web.now())
    except OutsideTerms:
        web.db().rollback()
        return _page(ref, form)
    except (Stale, InvalidTransition):
        web.db().rollback()
        if was_sent_twice(ref, action):
            return to_order(seen_order(ref))
        raise
    web.commit()
    return to_order(done)


@bp.route("/<ref>/return", methods=["GET", "POST"])
def return_(ref: str) -> ResponseReturnValue:
    """Sends a submitted order back with a note; its writer takes it back without one."""
    order, form = seen_order(ref), ReturnForm()
    mine = four_eyes.has_written(web.db(), order, web.actor())
    if not posted():
        open_to(order, Action.RETURN)
        form.version.data = str(order.version)
        return page("return", order, form, mine=mine)

    def act() -> None:
        note = form.note.data or ""
        authorising.return_(web.db(), web.actor(), ref, note, form.seen, web.now())

    return send("return", order, form, act, Action.RETURN, mine=mine)


def _page(ref: str, form: IssueForm, refused: str | None = None) -> tuple[str, int]:
    db, actor = web.db(), proving.actor()
    check = preview(db, actor, ref, web.now())
    order = check.order
    faults = show(form, needed(proving.place(order), refused).errors) if refused else []
    html = render_template(
        "orders/issue.html",
        order=order,
        check=check,
        form=form,
        faults=faults,
        acts=four_eyes.open_acts(order, actor),
        mine=four_eyes.has_written(db, order, actor),
        others=four_eyes.others(db, order, check.terms.issuers if check.terms else frozenset()),
        let_go=four_eyes.was_let_go(db, order.submitted_by_id),
        **proving.for_page(order),
    )
    return html, 422 if refused or (posted() and (check.breaches or check.not_issuer)) else 200
