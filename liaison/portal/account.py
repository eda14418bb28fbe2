"""Signing in and out, and one's own account."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import Form, HiddenField, PasswordField, RadioField, StringField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined] # newer than its types
from wtforms.validators import InputRequired, Length

from liaison import web
from liaison.domain import devices
from liaison.domain.vocabulary import Role
from liaison.portal.frame import home, local
from liaison.portal.steps import CodeForm, RecoveryForm, awaiting, page, signed_in
from liaison.queries import sessions
from liaison.services import accounts, factors, passkeys, resets
from liaison.services import recovery as recovery_codes
from liaison.web import signin

bp = Blueprint("account", __name__)

DONE = {
    "password": "Your password is changed. Your other sessions have ended.",
    "authenticator": "Your new authenticator counts. Your other sessions have ended.",
    "passkey": "The passkey is added.",
    "renamed": "The passkey has its new name.",
    "removed": "The passkey is removed.",
    "session": "The session has ended.",
    "sessions": "Your other sessions have ended.",
    "reset": "The reset is stopped. Your second factor stays as it is.",
    "recovery": "You signed in with a recovery code, which is used up.",
}
"""What the account page says after an act."""

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
    return page("login", LoginForm(request.args))


@bp.post("/login")
def give_password() -> ResponseReturnValue:
    """Checks them; an unknown account costs the same time and gets the same answer."""
    form = LoginForm(request.form)
    if not form.validate():
        return page("login", form, status=422)
    email, password = form.email.data or "", form.password.data or ""
    agent = request.headers.get("User-Agent", "")
    tried = accounts.count_try(web.db(), email, web.address(), web.now())
    web.commit()
    if isinstance(tried, accounts.Refused):
        return page("login", form, tried)
    right = tried.fits(password)  # between two transactions: it takes its time
    result = accounts.start(web.db(), tried, right, web.address(), agent, web.now())
    web.commit()
    if isinstance(result, accounts.Refused):
        return page("login", form, result)
    signin.login(result.token)
    return redirect(url_for("account.code", next=local(form.next.data)), 303)


@bp.get("/login/code")
def code() -> ResponseReturnValue:
    """Asks for the code of the authenticator."""
    if awaiting() is None:
        return redirect(url_for("account.login", next=local(request.args.get("next"))), 303)
    return page("code", CodeForm(request.args))


@bp.post("/login/code")
def give_code() -> ResponseReturnValue:
    """Checks it, and lets the person in."""
    form = CodeForm(request.form)
    waiting = awaiting()
    if waiting is None:
        return redirect(url_for("account.login", next=local(form.next.data)), 303)
    if not form.validate():
        return page("code", form, status=422)
    given = form.code.data or ""
    result = accounts.give_code(
        web.db(), web.vault(), waiting.sign_in, given, web.address(), web.now()
    )
    web.commit()
    if isinstance(result, accounts.Refused):
        form.code.data = ""
        return page("code", form, result)
    signin.login(result.token)
    return redirect(local(form.next.data) or url_for("public.index"), 303)


@bp.get("/login/recovery")
def recovery() -> ResponseReturnValue:
    """Asks for a recovery code: the authenticator is not at hand."""
    if awaiting() is None:
        return redirect(url_for("account.login", next=local(request.args.get("next"))), 303)
    return page("recovery", RecoveryForm(request.args))


@bp.post("/login/recovery")
def give_recovery_code() -> ResponseReturnValue:
    """Uses it up, and lets the person in; the account page says how many are left."""
    form = RecoveryForm(request.form)
    waiting = awaiting()
    if waiting is None:
        return redirect(url_for("account.login", next=local(form.next.data)), 303)
    if not form.validate():
        return page("recovery", form, status=422)
    given = form.code.data or ""
    result = accounts.give_recovery_code(web.db(), waiting.sign_in, given, web.address(), web.now())
    web.commit()
    if isinstance(result, accounts.Refused):
        form.code.data = ""
        return page("recovery", form, result)
    signin.login(result.token)
    return redirect(url_for("account.show", done="recovery", next=local(form.next.data)), 303)


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    """Ends the session, here and in the database."""
    visitor = signin.visitor()
    if visitor is not None:
        accounts.sign_out(web.db(), visitor.sign_in, web.address(), web.now())
        web.commit()
    signin.logout()
    return redirect(url_for("account.login", left=1), 303)


@bp.get("/account")
@login_required  # type: ignore[untyped-decorator]
def show() -> ResponseReturnValue:
    """Who I am, how I sign in, where I am signed in, how pages look."""
    visitor = signed_in()
    person, db = visitor.person, web.db()
    return render_template(
        "account/show.html",
        person=person,
        roles=[role for role in Role if role in person.role_set],
        form=ThemeForm(theme=person.theme),
        sessions=sessions.running(db, person.id, web.now()),
        current=visitor.sign_in.id,
        describe=devices.describe,
        passkeys=passkeys.of_person(db, person.id),
        codes_left=recovery_codes.left(db, person.id),
        by_recovery=visitor.sign_in.factor == factors.RECOVERY,
        reset=resets.open_for(db, person.id),
        done=DONE.get(request.args.get("done", "")),
        onward=local(request.args.get("next")),
    )


@bp.post("/account/theme")
@login_required  # type: ignore[untyped-decorator]
def theme() -> ResponseReturnValue:
    """Keeps the choice of theme with the account."""
    form = ThemeForm(request.form)
    accounts.set_theme(web.db(), signed_in().sign_in, form.theme.data or "")
    web.commit()
    return redirect(local(form.next.data) or url_for("account.show"), 303)
