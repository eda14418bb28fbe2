"""The check page: what the provider will see, and the code that serves it."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action
from liaison.errors import Forbidden, OutsideTerms
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
from liaison.queries.issue import preview
from liaison.services import accounts, guards, passkeys
from liaison.services import orders as verbs
from liaison.web.signin import visitor

NEEDS_PASSKEY = "Your authority issues with a passkey only. Use yours; nothing was sent."


@bp.route("/<ref>/issue", methods=["GET", "POST"])
def issue(ref: str) -> ResponseReturnValue:
    """Everything as it will be served; nothing is sent before a fresh code was given."""
    order = seen_order(ref)
    if posted() and was_sent_twice(ref, Action.ISSUE):
        return to_order(order)
    open_to(order, Action.ISSUE)
    form = IssueForm()
    if not posted():
        form.version.data = str(order.version)
        return _page(ref, form)
    passkey_only = order.authority.passkey_to_issue
    refused = _step_up(form.code.data or "", passkey_only=passkey_only)
    if refused is not None:
        return _page(ref, form, refused)
    try:
        served = verbs.issue(web.db(), _actor(), ref, form.seen, web.now())
    except OutsideTerms:
        web.db().rollback()
        return _page(ref, form)
    web.commit()
    return to_order(served)


def _step_up(code: str, *, passkey_only: bool) -> str | None:
    """Takes a code or a passkey; what is wrong with it, or with there being none.

    Committed at once: a try is counted, and a code used up, whatever becomes of the order.
    """
    found, answer = visitor(), request.form.get("credential", "")
    if not answer and (passkey_only or not code.strip()):
        if _is_fresh(passkey_only=passkey_only):
            return _too_new() if passkey_only else None
        return NEEDS_PASSKEY if passkey_only else "Enter the code your authenticator shows now."
    if found is None:
        raise Forbidden("Sign in first.")
    db, row, here, now = web.db(), found.sign_in, web.address(), web.now()
    if answer:
        site = passkeys.Site.of(web.settings().base_url)
        refused = passkeys.step_up(db, row, site, answer, here, now)
    else:
        refused = accounts.step_up(db, web.vault(), row, code.strip(), here, now)
    web.commit()
    if refused is None and passkey_only:
        return _too_new()
    return refused.detail if refused else None


def _too_new() -> str | None:
    """What is wrong with the passkey that was just given; None where it issues."""
    try:
        passkeys.demand_settled(web.db(), _actor(), web.now())
    except Forbidden as error:
        return error.detail
    return None


def _actor() -> Actor:
    """The person as they are now: the code that was just given counts."""
    found = visitor()
    return accounts.actor_of(found.sign_in, web.address()) if found else web.actor()


def _is_fresh(*, passkey_only: bool) -> bool:
    try:
        guards.fresh_factor(_actor(), web.now(), passkey=passkey_only)
    except Forbidden:
        return False
    return True


def _page(ref: str, form: IssueForm, refused: str | None = None) -> tuple[str, int]:
    check = preview(web.db(), _actor(), ref, web.now())
    passkey_only = check.order.authority.passkey_to_issue
    # Where no code is asked for, there is no field to point at.
    where = "" if passkey_only else "/code"
    faults = show(form, needed(where, refused).errors) if refused else []
    html = render_template(
        "orders/issue.html",
        order=check.order,
        check=check,
        form=form,
        faults=faults,
        fresh=_is_fresh(passkey_only=passkey_only) and not (passkey_only and _too_new()),
        passkey_only=passkey_only,
    )
    return html, 422 if refused or (posted() and check.breaches) else 200
