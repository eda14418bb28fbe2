"""Passkeys: a person's own, and as second step of a sign-in."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import Form, HiddenField, StringField

from liaison import web
from liaison.errors import Invalid, Unauthenticated
from liaison.portal.frame import home, local
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.portal.steps import awaiting, has_passkey, passkey_needed, refused_page, signed_in
from liaison.services import accounts, factors
from liaison.services import passkeys as verbs
from liaison.services.passkeys import Site
from liaison.web import signin

bp = Blueprint("passkeys", __name__)


class AnswerForm(Form):
    """What the authenticator answered, written by the page's script."""

    next = HiddenField()
    credential = HiddenField()


class NewPasskeyForm(PortalForm):
    """A name, and the authenticator's answer."""

    name = StringField("Name", render_kw={"maxlength": str(verbs.LONGEST_NAME)})
    credential = HiddenField()


class NameForm(PortalForm):
    """Another name."""

    name = StringField("Name", render_kw={"maxlength": str(verbs.LONGEST_NAME)})


def site() -> Site:
    """What this portal's passkeys are bound to."""
    return Site.of(web.settings().base_url)


@bp.app_context_processor
def for_templates() -> dict[str, object]:
    """Pages that ask for a code offer a passkey to whoever has one."""
    return {"has_passkey": has_passkey, "passkey_needed": passkey_needed}


@bp.post("/login/passkey/options")
def ask() -> ResponseReturnValue:
    """A challenge for whoever gave the password, or is signed in and needs a fresh factor."""
    visitor = signin.visitor()
    if visitor is None:
        raise Unauthenticated("Sign in first.")
    options = verbs.ask(web.db(), visitor.sign_in, site(), web.now())
    web.commit()
    if isinstance(options, accounts.Refused):
        return jsonify(detail=options.detail), 409
    return jsonify(options)


@bp.post("/login/passkey")
def give() -> ResponseReturnValue:
    """Second step of a sign-in, by passkey."""
    form = AnswerForm(request.form)
    waiting = awaiting()
    if waiting is None:
        return redirect(url_for("account.login", next=local(form.next.data)), 303)
    answer = form.credential.data or ""
    result = verbs.give(web.db(), waiting.sign_in, site(), answer, web.address(), web.now())
    web.commit()
    if isinstance(result, accounts.Refused):
        return refused_page("code", form.next.data, result)
    signin.login(result.token)
    return redirect(local(form.next.data) or url_for("public.index"), 303)


@bp.post("/account/passkeys/fresh")
@login_required  # type: ignore[untyped-decorator]
def freshen() -> ResponseReturnValue:
    """A fresh factor by passkey, then back to what it is needed for."""
    form = AnswerForm(request.form)
    visitor = signed_in()
    refused = verbs.step_up(
        web.db(),
        visitor.sign_in,
        site(),
        form.credential.data or "",
        web.address(),
        web.now(),
    )
    web.commit()
    if refused is not None:
        return refused_page("fresh", form.next.data, refused)
    return redirect(local(form.next.data) or home(visitor.actor), 303)


@bp.post("/account/passkeys/options")
@login_required  # type: ignore[untyped-decorator]
def offer() -> ResponseReturnValue:
    """A challenge for a new passkey."""
    options = verbs.offer(web.db(), signed_in().sign_in, site(), web.now())
    web.commit()
    return jsonify(options)


@bp.route("/account/passkeys/new", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def new() -> ResponseReturnValue:
    """Adds a passkey under a name."""
    form = NewPasskeyForm()
    visitor = signed_in()
    verbs.demand_factor(web.db(), visitor.actor, web.now())
    if request.method == "GET":
        return render_template("account/passkey_new.html", form=form, faults=[])
    try:
        result = verbs.add(
            web.db(),
            visitor.sign_in,
            site(),
            form.credential.data or "",
            form.name.data or "",
            web.address(),
            web.now(),
        )
    except Invalid as error:
        web.db().rollback()
        return _new_again(form, pointers.show(form, error.errors))
    web.commit()
    if isinstance(result, factors.Refused):
        return _new_again(form, [], result.detail)
    return redirect(url_for("account.show", done="passkey", _anchor="factors"), 303)


def _new_again(
    form: NewPasskeyForm, faults: list[pointers.Fault], refused: str | None = None
) -> ResponseReturnValue:
    form.credential.data = ""
    html = render_template("account/passkey_new.html", form=form, faults=faults, refused=refused)
    return html, 422


@bp.route("/account/passkeys/<uuid:passkey_id>", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def rename(passkey_id: UUID) -> ResponseReturnValue:
    """One passkey: another name, or gone."""
    passkey = verbs.own(web.db(), web.actor(), passkey_id)
    form = NameForm()
    if request.method == "GET":
        verbs.demand_factor(web.db(), web.actor(), web.now())
        form.name.data = form.name.data or passkey.name
        return render_template("account/passkey.html", form=form, passkey=passkey, faults=[])
    try:
        verbs.rename(web.db(), web.actor(), passkey_id, form.name.data or "", web.now())
    except Invalid as error:
        web.db().rollback()
        faults = pointers.show(form, error.errors)
        page = render_template("account/passkey.html", form=form, passkey=passkey, faults=faults)
        return page, 422
    web.commit()
    return redirect(url_for("account.show", done="renamed", _anchor="factors"), 303)


@bp.post("/account/passkeys/<uuid:passkey_id>/remove")
@login_required  # type: ignore[untyped-decorator]
def remove(passkey_id: UUID) -> ResponseReturnValue:
    """Removes a passkey: it opens nothing from now on."""
    here = signed_in().sign_in.id
    verbs.remove(web.db(), web.actor(), passkey_id, web.now(), keep=here)
    web.commit()
    return redirect(url_for("account.show", done="removed", _anchor="factors"), 303)
