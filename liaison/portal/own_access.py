"""What people change about their own access: password, authenticator, codes, sessions."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import HiddenField, PasswordField, StringField

from liaison import web
from liaison.domain.password_rules import LONGEST
from liaison.errors import FieldError, Invalid
from liaison.portal.invitation import qr_code
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.portal.steps import signed_in
from liaison.services import guards, offers, own_access, passwords, resets, sign_ins, totp

bp = Blueprint("own_access", __name__, url_prefix="/account")

_NEW = {"autocomplete": "new-password", "maxlength": str(LONGEST)}


class PasswordForm(PortalForm):
    """The old password and a new one, twice."""

    old_password = PasswordField(
        "Your password now", render_kw={"autocomplete": "current-password"}
    )
    new_password = PasswordField("New password", render_kw=_NEW)
    again_password = PasswordField("The new password again", render_kw=_NEW)


class AuthenticatorForm(PortalForm):
    """A code of the new secret. ``held_secret`` is the secret, sealed for this session."""

    held_secret = HiddenField()
    code = StringField(
        "Code of the new entry",
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "12"},
    )


class ConfirmForm(PortalForm):
    """Nothing but the button."""


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def only_signed_in() -> None:
    """One's own access is changed by who is signed in."""


@bp.route("/password", methods=["GET", "POST"])
def password() -> ResponseReturnValue:
    """Changes the password; the other sessions end."""
    form = PasswordForm()
    guards.fresh_factor(web.actor(), web.now())
    if request.method == "GET":
        return render_template("account/password.html", form=form, faults=[])
    try:
        _change(form)
    except Invalid as error:
        web.db().rollback()
        faults = pointers.show(form, error.errors)
        return render_template("account/password.html", form=form, faults=faults), 422
    return redirect(url_for("account.show", done="password"), 303)


def _change(form: PasswordForm) -> None:
    old, new = form.old_password.data or "", form.new_password.data or ""
    if new != form.again_password.data:
        raise Invalid([FieldError("/again_password", "The two new passwords differ.")])
    row, here = signed_in().sign_in, web.address()
    own_access.check_password(row.person, old, new)
    wait = own_access.count_password_try(web.db(), row, here, web.now())
    web.commit()
    if wait is not None:
        raise Invalid([FieldError("/old_password", wait.detail)])
    known = row.person.password_hash
    if not passwords.fits(known, old[: LONGEST * 4]):
        own_access.note_wrong_password(web.db(), row, here, web.now())
        web.commit()
        raise Invalid([FieldError("/old_password", own_access.NOT_YOURS)])
    # Between two transactions: hashing takes its time.
    hashed = passwords.hashed(new)
    own_access.change_password(web.db(), row, known, hashed, here, web.now())
    web.commit()


@bp.route("/authenticator", methods=["GET", "POST"])
def authenticator() -> ResponseReturnValue:
    """Takes a new authenticator, once a code shows that its secret was scanned."""
    form, row = AuthenticatorForm(), signed_in().sign_in
    guards.fresh_factor(web.actor(), web.now(), recovery=True)
    if request.method == "GET":
        return _secret_page(form)
    sealed = form.held_secret.data or ""
    secret = offers.opened(web.vault(), row.id, sealed, web.now())
    if secret is None:
        return _secret_page(form, offers.TOO_OLD)
    refused = own_access.replace_authenticator(
        web.db(), web.vault(), row, secret, form.code.data or "", web.address(), web.now()
    )
    if refused is not None:
        web.db().rollback()
        return _secret_page(form, refused.detail, secret)
    web.commit()
    return redirect(url_for("account.show", done="authenticator"), 303)


def _secret_page(
    form: AuthenticatorForm, refused: str | None = None, secret: str | None = None
) -> ResponseReturnValue:
    visitor = signed_in()
    if secret is None:
        secret, form.held_secret.data = offers.make(web.vault(), visitor.sign_in.id, web.now())
    form.code.data = ""
    faults = pointers.show(form, [FieldError("/code", refused)] if refused else [])
    html = render_template(
        "account/authenticator.html",
        form=form,
        faults=faults,
        secret=totp.typed_groups(secret),
        qr=qr_code(totp.enrolment_uri(secret, visitor.person.email)),
    )
    return html, 422 if refused else 200


@bp.route("/recovery", methods=["GET", "POST"])
def recovery() -> ResponseReturnValue:
    """Makes ten new recovery codes, and shows them this once."""
    form = ConfirmForm()
    guards.fresh_factor(web.actor(), web.now())
    if request.method == "GET":
        return render_template("account/recovery_codes.html", form=form, codes=None)
    codes = own_access.new_recovery_codes(web.db(), signed_in().sign_in, web.address(), web.now())
    web.commit()
    return render_template("account/recovery_codes.html", form=form, codes=codes)


@bp.post("/sessions/<uuid:sign_in_id>/end")
def end_session(sign_in_id: UUID) -> ResponseReturnValue:
    """Ends one of one's own sessions. No fresh factor: it takes away and gives nothing."""
    sign_ins.end_one(web.db(), web.actor(), sign_in_id, web.now())
    web.commit()
    return redirect(url_for("account.show", done="session", _anchor="sessions"), 303)


@bp.post("/sessions/end-others")
def end_others() -> ResponseReturnValue:
    """Ends all of one's own sessions but this one."""
    sign_ins.end_others(web.db(), web.actor(), signed_in().sign_in.id, web.now())
    web.commit()
    return redirect(url_for("account.show", done="sessions", _anchor="sessions"), 303)


@bp.post("/reset/stop")
def stop_reset() -> ResponseReturnValue:
    """“I have lost nothing”: the reset that somebody asked for is off."""
    resets.cancel(web.db(), web.actor(), signed_in().person.id, web.now())
    web.commit()
    return redirect(url_for("account.show", done="reset"), 303)
