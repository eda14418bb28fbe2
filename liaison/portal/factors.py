"""Lost factors and the rule about passkeys: what administrators do, and the link that follows."""

from __future__ import annotations

from uuid import UUID

from flask import (
    Blueprint,
    Response,
    after_this_request,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import login_required
from wtforms import BooleanField, HiddenField, PasswordField, StringField, TextAreaField

from liaison import web
from liaison.domain.permissions import Verb, may
from liaison.domain.reading import LONGEST_REASON
from liaison.errors import FieldError, Invalid
from liaison.models import Authority, FactorReset, Invitation, Person
from liaison.portal.invitation import keep_address_secret, qr_code
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.queries import factor_rules
from liaison.services import accounts, offers, policy, resets, totp

bp = Blueprint("factors", __name__)


class ReasonForm(PortalForm):
    """Why."""

    reason = TextAreaField("Reason", render_kw={"rows": 3, "maxlength": str(LONGEST_REASON)})


class PolicyForm(PortalForm):
    """The rule about passkeys."""

    passkey_to_issue = BooleanField("Orders are issued with a passkey only")


class BeginAnewForm(PortalForm):
    """The password, and a code of the new secret: ``held_secret``, sealed for this link."""

    held_secret = HiddenField()
    password = PasswordField("Your password", render_kw={"autocomplete": "current-password"})
    code = StringField(
        "Code of the new entry",
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "12"},
    )


@bp.app_context_processor
def on_a_persons_page() -> dict[str, object]:
    """What ``factors/_person.html`` and the account page ask for, wherever they stand."""
    return {
        "factor_reset_of": _reset_of,
        "factor_rules": _rules,
        "may_manage_factors": _may_manage,
    }


def _reset_of(person: Person) -> FactorReset | None:
    reset = resets.open_for(web.db(), person.id)
    return None if reset is not None and resets.has_run_out(reset, web.now()) else reset


def _rules() -> factor_rules.Rules | None:
    actor = web.actor()
    if actor.authority_id is None or not may(actor.roles, Verb.SET_POLICY):
        return None
    return factor_rules.of_authority(web.db(), web.db().get_one(Authority, actor.authority_id))


def _may_manage(person: Person) -> bool:
    actor = web.actor()
    same = (actor.authority_id, actor.provider_id) == (person.authority_id, person.provider_id)
    return same and may(actor.roles, Verb.MANAGE_PEOPLE) and actor.person_id != person.id


@bp.route("/people/policy", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def set_policy() -> ResponseReturnValue:
    """Whether the authority issues with passkeys only."""
    form = PolicyForm()
    if request.method == "GET":
        rules = _rules()
        if rules is None:
            policy.demand_right(web.actor())
        else:
            form.passkey_to_issue.data = form.passkey_to_issue.data or rules.passkey_to_issue
        return render_template("factors/policy.html", form=form, rules=rules)
    policy.set_passkey_to_issue(web.db(), web.actor(), bool(form.passkey_to_issue.data), web.now())
    web.commit()
    return redirect(url_for("factors.set_policy", done=1), 303)


@bp.route("/people/<uuid:person_id>/factor/reset", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def ask_reset(person_id: UUID) -> ResponseReturnValue:
    """Asks for a reset, with a reason."""
    return _with_reason(person_id, "factors/reset.html", resets.ask)


@bp.route("/people/<uuid:person_id>/factor/on", methods=["GET", "POST"])
@login_required  # type: ignore[untyped-decorator]
def switch_on(person_id: UUID) -> ResponseReturnValue:
    """Switches a factor on again, with a reason."""
    return _with_reason(person_id, "factors/on.html", resets.switch_on)


def _with_reason(person_id: UUID, template: str, verb: resets.WithReason) -> ResponseReturnValue:
    form = ReasonForm()
    actor, now = web.actor(), web.now()
    person = resets.colleague(web.db(), actor, person_id, now)
    if request.method == "GET":
        return render_template(template, form=form, person=person, faults=[])
    try:
        verb(web.db(), actor, person_id, form.reason.data or "", now)
    except Invalid as error:
        web.db().rollback()
        faults = pointers.show(form, error.errors)
        return render_template(template, form=form, person=person, faults=faults), 422
    web.commit()
    return _to_person(person_id)


@bp.post("/people/<uuid:person_id>/factor/reset/confirm")
@login_required  # type: ignore[untyped-decorator]
def confirm_reset(person_id: UUID) -> ResponseReturnValue:
    """A second administrator stands by the reset."""
    resets.confirm(web.db(), web.actor(), person_id, web.now())
    web.commit()
    return _to_person(person_id)


@bp.post("/people/<uuid:person_id>/factor/reset/cancel")
@login_required  # type: ignore[untyped-decorator]
def cancel_reset(person_id: UUID) -> ResponseReturnValue:
    """Stops the reset."""
    resets.cancel(web.db(), web.actor(), person_id, web.now())
    web.commit()
    return _to_person(person_id)


@bp.post("/people/<uuid:person_id>/factor/reset/send")
@login_required  # type: ignore[untyped-decorator]
def send_link(person_id: UUID) -> ResponseReturnValue:
    """Sends the link, once the reset is in effect."""
    resets.send_link(web.db(), web.vault(), web.actor(), person_id, _link, web.now())
    web.commit()
    return _to_person(person_id)


def _link(invitation_id: UUID) -> str:
    token = resets.token_for(web.settings().secret_key, invitation_id)
    return web.settings().base_url + url_for("factors.begin_anew", token=token)


def _to_person(person_id: UUID) -> ResponseReturnValue:
    return redirect(f"/people/{person_id}", 303)


@bp.route("/reset/<token>", methods=["GET", "POST"])
def begin_anew(token: str) -> ResponseReturnValue:
    """Password, new authenticator, new recovery codes: once, by the link that was sent."""
    after_this_request(keep_address_secret)
    invitation = resets.invitation_of(web.db(), web.settings().secret_key, token, web.now())
    form = BeginAnewForm()
    if request.method == "GET":
        return _anew(invitation, form)
    sealed = form.held_secret.data or ""
    secret = offers.opened(web.vault(), invitation.id, sealed, web.now())
    if secret is None:
        return _anew(invitation, form, None, ("/code", accounts.Refused(offers.TOO_OLD)))
    refused = _wrong_password(invitation, form.password.data or "")
    if refused is not None:
        return _anew(invitation, form, secret, ("/password", refused))
    # Once more: while the password was checked, another window may have used the link.
    invitation = resets.invitation_of(web.db(), web.settings().secret_key, token, web.now())
    codes = resets.redeem(
        web.db(), web.vault(), invitation, secret, form.code.data or "", web.address(), web.now()
    )
    if codes is None:
        return _anew(invitation, form, secret, ("/code", accounts.Refused(totp.WRONG)))
    web.commit()
    return render_template("factors/anew_done.html", codes=codes)


def _wrong_password(invitation: Invitation, password: str) -> accounts.Refused | None:
    """Counted and answered like a sign-in: the link is no way around its limits."""
    db, now = web.db(), web.now()
    tried = accounts.count_try(db, invitation.email, web.address(), now)
    web.commit()
    if isinstance(tried, accounts.Refused):
        return tried
    if tried.fits(password) and tried.person_id == invitation.person_id:
        return None
    accounts.note_refused(web.db(), tried, web.address(), now)
    web.commit()
    return accounts.Refused("The password is wrong.")


def _anew(
    invitation: Invitation,
    form: BeginAnewForm,
    secret: str | None = None,
    fault: tuple[str, accounts.Refused] | None = None,
) -> Response:
    pointer, refused = fault or ("", None)
    form.code.data = ""
    faults = pointers.show(form, [FieldError(pointer, refused.detail)] if refused else [])
    if secret is None:
        secret, form.held_secret.data = offers.make(web.vault(), invitation.id, web.now())
    html = render_template(
        "factors/anew.html",
        form=form,
        faults=faults,
        invitation=invitation,
        secret=totp.typed_groups(secret),
        qr=qr_code(totp.enrolment_uri(secret, invitation.email)),
    )
    status = 200 if refused is None else 429 if refused.retry_after else 422
    response = make_response(html, status)
    if refused is not None and refused.retry_after:
        response.headers["Retry-After"] = str(refused.retry_after)
    return response
