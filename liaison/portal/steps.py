"""What the pages of signing in share: who is waiting, who is there, and a step that failed."""

from __future__ import annotations

from flask import make_response, render_template
from flask.typing import ResponseReturnValue
from wtforms import Form, HiddenField, StringField
from wtforms.validators import InputRequired

from liaison import web
from liaison.errors import Unauthenticated
from liaison.portal.frame import local
from liaison.services import accounts, passkeys
from liaison.web import signin

_DIGITS = {
    "autocomplete": "one-time-code",
    "inputmode": "numeric",
    "maxlength": "12",
    "autofocus": True,
}


class CodeForm(Form):
    """The code of the authenticator."""

    next = HiddenField()
    code = StringField(
        "Code",
        [InputRequired("Enter the 6 digits that your authenticator shows.")],
        render_kw=_DIGITS,
    )


class RecoveryForm(Form):
    """A recovery code in its place."""

    next = HiddenField()
    code = StringField(
        "Recovery code",
        [InputRequired("Enter one of your recovery codes.")],
        render_kw={
            "autocomplete": "off",
            "spellcheck": "false",
            "autocapitalize": "characters",
            "maxlength": "40",
            "autofocus": True,
        },
    )


def awaiting() -> signin.Visitor | None:
    """Whoever gave the password and still has to give the second factor."""
    visitor = signin.visitor()
    return visitor if visitor is not None and visitor.is_pending else None


def signed_in() -> signin.Visitor:
    """Whoever gave both; ``Unauthenticated`` where nobody did."""
    visitor = signin.visitor()
    if visitor is None or visitor.is_pending:
        raise Unauthenticated("Sign in first.")
    return visitor


def refused_page(
    template: str, target: str | None, refused: accounts.Refused
) -> ResponseReturnValue:
    """The page that asks for a code, after a passkey was refused."""
    return page(template, CodeForm(next=local(target) or ""), refused)


def page(
    template: str, form: Form, refused: accounts.Refused | None = None, status: int = 200
) -> ResponseReturnValue:
    """A step of the sign-in; too many tries answer 429 and say when to come back."""
    if refused is not None:
        status = 429 if refused.retry_after else 401
    said = refused.detail if refused else None
    target = local(form["next"].data)
    html = render_template(f"account/{template}.html", form=form, refused=said, target=target)
    response = make_response(html, status)
    if refused is not None and refused.retry_after:
        response.headers["Retry-After"] = str(refused.retry_after)
    return response


def has_passkey() -> bool:
    """Whether whoever gave the password can use a passkey as the second step."""
    visitor = signin.visitor()
    if visitor is None:
        return False
    return bool(passkeys.of_person(web.db(), visitor.person.id))


def passkey_needed(target: str | None) -> bool:
    """Whether a code does not do for what the fresh factor is needed for: one's passkeys."""
    return (local(target) or "").startswith("/account/passkeys/") and has_passkey()
