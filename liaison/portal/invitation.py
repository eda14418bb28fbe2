"""From an invitation's link to an account: password, authenticator, recovery codes.

The address of these pages is a secret. No page of another site learns it by a link, and none of
our own: what is sent along is the portal's origin, which the check against forgery asks for.
"""

from __future__ import annotations

import segno
from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from wtforms import HiddenField, PasswordField, StringField

from liaison import web
from liaison.domain.password_rules import LONGEST
from liaison.domain.vocabulary import Role
from liaison.errors import FieldError, Invalid, LiaisonError, NotFound
from liaison.models import Invitation
from liaison.portal.invitation_links import read
from liaison.portal.kept import PortalForm
from liaison.portal.orders import pointers
from liaison.services import invitations, offers, organisations, totp
from liaison.services.invitations import LinkClosed
from liaison.web import signin

bp = Blueprint("invitation", __name__, url_prefix="/invitation")

_NEW = {"autocomplete": "new-password", "maxlength": str(LONGEST)}


class EnrolForm(PortalForm):
    """What makes an account of an invitation. ``held_secret``: the page's secret, sealed for it."""

    held_secret = HiddenField()
    password = PasswordField("Password", render_kw=_NEW)
    password_again = PasswordField("The same password again", render_kw=_NEW)
    code = StringField(
        "Code",
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": "12"},
    )


@bp.after_request
def keep_address_secret(response: Response) -> Response:
    """Says to browsers that this address goes nowhere.

    Not ``no-referrer``: under HTTPS a form without its origin is refused as forged.
    """
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@bp.get("/<token>")
def show(token: str) -> ResponseReturnValue:
    """Password, QR code and secret, and the first code."""
    return _answer(token)


@bp.post("/<token>")
def enrol(token: str) -> ResponseReturnValue:
    """Makes the account; its recovery codes are shown now and never again."""
    return _answer(token)


def _answer(token: str) -> ResponseReturnValue:
    visitor = signin.visitor()
    if visitor is not None and not visitor.is_pending:
        return _closed("signed_in", 403, name=visitor.person.name)
    try:
        row = invitations.pending(web.db(), read(web.settings(), token, web.now()), web.now())
        return _page(row, EnrolForm()) if request.method == "GET" else _enrol(row)
    except NotFound:
        return _closed("unknown", 404)
    except LinkClosed as closed:
        web.db().rollback()
        return _closed("closed", closed.status, detail=closed.detail)


def _enrol(row: Invitation) -> ResponseReturnValue:
    form = EnrolForm()
    password, code = form.password.data or "", form.code.data or ""
    secret = offers.opened(web.vault(), row.id, form.held_secret.data or "", web.now())
    try:
        if secret is None:
            raise Invalid([FieldError("/code", offers.TOO_OLD)])
        if password != (form.password_again.data or ""):
            raise Invalid([FieldError("/password_again", "The two passwords are not the same.")])
        person, codes = invitations.accept(
            web.db(), web.vault(), row.id, secret, password, code, web.now(), address=web.address()
        )
    except Invalid as error:
        web.db().rollback()
        again = invitations.pending(web.db(), row.id, web.now())
        return _page(again, form, error, secret)
    web.commit()
    return render_template("invitation/codes.html", codes=codes, person=person)


def _page(
    row: Invitation,
    form: EnrolForm,
    error: LiaisonError | None = None,
    secret: str | None = None,
) -> Response:
    faults = pointers.show(form, error.errors) if isinstance(error, Invalid) else []
    if secret is None:
        secret, form.held_secret.data = offers.make(web.vault(), row.id, web.now())
    html = render_template(
        "invitation/show.html",
        invitation=row,
        roles=[Role(role) for role in row.roles],
        organisation=organisations.of_invitation(web.db(), row),
        form=form,
        faults=faults,
        qr=qr_code(totp.enrolment_uri(secret, row.email)),
        secret=totp.typed_groups(secret),
    )
    return make_response(html, 200 if error is None else 422)


def qr_code(text: str) -> Markup:
    """A QR code as inline SVG, without styles: a strict policy forbids them."""
    made = segno.make(text, error="m", micro=False)
    svg = made.svg_inline(border=4, svgclass="qr", lineclass=None, omitsize=True)
    return Markup(svg)  # noqa: S704 - drawn by segno: a path of numbers, nothing of the text


def _closed(why: str, status: int, **more: object) -> Response:
    return make_response(render_template("invitation/closed.html", why=why, **more), status)
