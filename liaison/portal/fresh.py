"""A fresh second factor for an act that needs one; then back to the act, with its form filled."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import Form, StringField
from wtforms.validators import InputRequired

from liaison import web
from liaison.errors import StaleFactor, Unauthenticated
from liaison.portal.frame import home, local
from liaison.portal.steps import passkey_needed
from liaison.services import accounts, guards, passkeys
from liaison.web import signin

bp = Blueprint("fresh", __name__, url_prefix="/account/fresh")


class FreshForm(Form):
    """The code that an authenticator shows."""

    code = StringField(
        "Code",
        [InputRequired("Enter the 6 digits that your authenticator shows.")],
        render_kw={
            "autocomplete": "one-time-code",
            "inputmode": "numeric",
            "maxlength": "12",
            "autofocus": True,
        },
    )


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Only who is signed in has a factor to refresh."""


@bp.get("")
def ask() -> ResponseReturnValue:
    """Asks for a code, unless one was given just now: by signing in again, in another window."""
    visitor = _signed_in()
    try:
        guards.fresh_factor(visitor.actor, web.now())
        if passkey_needed(request.args.get("next")):
            passkeys.demand_factor(web.db(), visitor.actor, web.now())
    except StaleFactor:
        return _page(FreshForm())
    return redirect(_next(visitor), 303)


@bp.post("")
def give() -> ResponseReturnValue:
    """Checks it; it counts for five minutes."""
    form = FreshForm(request.form)
    if not form.validate():
        return _page(form, status=422)
    visitor = _signed_in()
    code = (form.code.data or "").strip()
    refused = accounts.step_up(
        web.db(), web.vault(), visitor.sign_in, code, web.address(), web.now()
    )
    web.commit()
    if refused is not None:
        form.code.data = ""
        return _page(form, refused)
    return redirect(_next(visitor), 303)


def _signed_in() -> signin.Visitor:
    visitor = signin.visitor()
    if visitor is None:
        raise Unauthenticated("Sign in first.")
    return visitor


def _next(visitor: signin.Visitor) -> str:
    """Back to what the code was needed for; it stands in the address, never another site's."""
    return local(request.args.get("next")) or home(visitor.actor)


def _page(
    form: FreshForm, refused: accounts.Refused | None = None, status: int = 200
) -> ResponseReturnValue:
    if refused is not None:
        status = 429 if refused.retry_after else 401
    said = refused.detail if refused else None
    target = local(request.args.get("next"))
    html = render_template("account/fresh.html", form=form, refused=said, target=target)
    response = make_response(html, status)
    if refused is not None and refused.retry_after:
        response.headers["Retry-After"] = str(refused.retry_after)
    return response
