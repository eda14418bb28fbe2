"""A fresh code or passkey, given on the page of the act that needs it: issue, authorise, ratify."""

from __future__ import annotations

from typing import Any

from flask import request

from liaison import web
from liaison.domain.actors import Actor
from liaison.errors import Forbidden
from liaison.models import Order
from liaison.services import accounts, guards, passkeys
from liaison.web.signin import visitor

NEEDS_PASSKEY = "Your authority issues with a passkey only. Use yours; nothing was sent."


def step_up(order: Order, code: str) -> str | None:
    """Takes a code or a passkey; what is wrong with it, or with there being none.

    Committed at once: a try is counted, and a code used up, whatever becomes of the order.
    """
    passkey_only = order.authority.passkey_to_issue
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


def actor() -> Actor:
    """The person as they are now: the code that was just given counts."""
    found = visitor()
    return accounts.actor_of(found.sign_in, web.address()) if found else web.actor()


def for_page(order: Order) -> dict[str, Any]:
    """What the macro ``orders/parts/sign.html`` asks for."""
    passkey_only = order.authority.passkey_to_issue
    fresh = _is_fresh(passkey_only=passkey_only) and not (passkey_only and _too_new())
    return {"passkey_only": passkey_only, "fresh": fresh}


def place(order: Order) -> str:
    """Where a refused code is shown; where no code is asked for there is no field to point at."""
    return "" if order.authority.passkey_to_issue else "/code"


def _too_new() -> str | None:
    """What is wrong with the passkey that was just given; None where it issues."""
    try:
        passkeys.demand_settled(web.db(), actor(), web.now())
    except Forbidden as error:
        return error.detail
    return None


def _is_fresh(*, passkey_only: bool) -> bool:
    try:
        guards.fresh_factor(actor(), web.now(), passkey=passkey_only)
    except Forbidden:
        return False
    return True
