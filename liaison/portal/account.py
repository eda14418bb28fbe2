"""Signing in and out, and one's own account."""

from __future__ import annotations

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import Form, HiddenField, PasswordField, RadioField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types
from wtforms.validators import InputRequired, Length

from liaison import web
from liaison.domain.vocabulary import Role
from liaison.errors import Unauthenticated
from liaison.portal.frame import home, local
from liaison.queries import sessions
from liaison.services import accounts
from liaison.web import signin

bp = Blueprint("account", __name__)

THEMES = (
    SelectChoice("auto", "As the device says"),
    SelectChoice("light", "Light"),
    SelectChoice("night", "Night"),
)


class LoginForm(Form):
    """First step. What is wrong with the two is never said apart."""

    next = HiddenField()
    email = StringField(
        "E-mail address",
        [InputRequired("Enter your e-mail address."), Length(max=320, message="That is too long.")],
        render_kw={"autocomplete": "username", "inputmode": "email", "spellcheck": "false"},
    )
    password = PasswordField(
        "Password",
        [InputRequired("Enter your password.")],
        render_kw={"autocomplete": "current-password"},
    )


class CodeForm(Form):
    """Second step."""

    next = HiddenField()
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


class ThemeForm(Form):
    """How the pages look."""

    next = HiddenField()
    theme = RadioField("Colours", choices=list(THEMES))


@bp.get("/login")
def login() -> ResponseReturnValue:
    """Asks for e-mail address and password."""
    visitor = signin.visitor()
    if visitor is not None and visitor.is_authenticated:
        return redirect(local(request.args.get("next")) or home(visitor.actor), 303)
    return _page("login", LoginForm(request.args))


@bp.post("/login")
def give_password() -> ResponseReturnValue:
    """Checks them; an unknown account costs the same time and gets the same answer."""
    form = LoginForm(request.form)
    if not form.validate():
        return _page("login", form, status=422)
    email, password = form.email.data or "", form.password.data or ""
    agent = request.headers.get("User-Agent", "")
    result = accounts.start(web.db(), email, password, web.address(), agent, web.now())
    web.commit()
    if isinstance(result, accounts.Refused):
        return _page("login", form, result)
    signin.login(result.token)
    return redirect(url_for("account.code", next=local(form.next.data)), 303)


@bp.get("/login/code")
def code() -> ResponseReturnValue:
    """Asks for the code of the authenticator."""
    if _awaiting() is None:
        return redirect(url_for("account.login", next=local(request.args.get("next"))), 303)
    return _page("code", CodeForm(request.args))


@bp.post("/login/code")
def give_code() -> ResponseReturnValue:
    """Checks it, and lets the person in."""
    form = CodeForm(request.form)
    waiting = _awaiting()
    if waiting is None:
        return redirect(url_for("account.login", next=local(form.next.data)), 303)
    if not form.validate():
        return _page("code", form, status=422)
    given = form.code.data or ""
    result = accounts.give_code(
        web.db(), web.vault(), waiting.sign_in, given, web.address(), web.now()
    )
    web.commit()
    if isinstance(result, accounts.Refused):
        form.code.data = ""
        return _page("code", form, result)
    signin.login(result.token)
    return redirect(local(form.next.data) or url_for("public.index"), 303)


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    """Ends the session, here and in the database."""
    visitor = signin.visitor()
    if visitor is not None:
        accounts.sign_out(web.db(), visitor.sign_in, web.now())
        web.commit()
    signin.logout()
    return redirect(url_for("account.login", left=1), 303)


@bp.get("/account")
@login_required  # type: ignore[untyped-decorator]
def show() -> ResponseReturnValue:
    """Who I am, what I may do, how pages look, where I am signed in."""
    visitor = _signed_in()
    person = visitor.person
    return render_template(
        "account/show.html",
        person=person,
        roles=[role for role in Role if role in person.role_set],
        form=ThemeForm(theme=person.theme),
        sessions=sessions.running(web.db(), person.id, web.now()),
        current=visitor.sign_in.id,
    )


@bp.post("/account/theme")
@login_required  # type: ignore[untyped-decorator]
def theme() -> ResponseReturnValue:
    """Keeps the choice of theme with the account."""
    form = ThemeForm(request.form)
    accounts.set_theme(web.db(), _signed_in().sign_in, form.theme.data or "")
    web.commit()
    return redirect(local(form.next.data) or url_for("account.show"), 303)


def _awaiting() -> signin.Visitor | None:
    """Whoever gave the password and still has to give the code."""
    visitor = signin.visitor()
    return visitor if visitor is not None and visitor.is_pending else None


def _signed_in() -> signin.Visitor:
    visitor = signin.visitor()
    if visitor is None or visitor.is_pending:
        raise Unauthenticated("Sign in first.")
    return visitor


def _page(
    template: str, form: Form, refused: accounts.Refused | None = None, status: int = 200
) -> ResponseReturnValue:
    """A step of the sign-in; too many tries answer 429 and say when to come back."""
    if refused is not None:
        status = 429 if refused.retry_after else 401
    said = refused.detail if refused else None
    html = render_template(f"account/{template}.html", form=form, refused=said)
    response = make_response(html, status)
    if refused is not None and refused.retry_after:
        response.headers["Retry-After"] = str(refused.retry_after)
    return response
