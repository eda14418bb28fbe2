"""``/verify``: anybody's check that an order is real; and the keys by which programs check."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.file import FileField
from wtforms import Form, StringField, TextAreaField
from wtforms.validators import Length

from liaison import web
from liaison.errors import FieldError, Invalid
from liaison.services import order_checks
from liaison.services.order_checks import Finding, Verdict

bp = Blueprint("checking", __name__)

_EXACT = {"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}


class CheckForm(Form):
    """The signed order as a file or as text, or what stands on paper."""

    file = FileField(
        "The signed order, as a file",
        description="Its name ends in .jws. A PDF of ours has it among its attachments.",
    )
    signed = TextAreaField(
        "Or the signed order, as text",
        description="The whole of it; line breaks do no harm.",
        render_kw={"rows": 4, **_EXACT},
    )
    ref = StringField(
        "Ref",
        [Length(max=100, message="That is too long.")],
        description="Like EM-2026-0412.",
        render_kw=_EXACT,
    )
    sha256 = StringField(
        "Fingerprint (SHA-256)",
        [Length(max=200, message="That is too long.")],
        description="64 digits and letters, at the foot of each page.",
        render_kw=_EXACT,
    )


@bp.get("/verify")
def form() -> ResponseReturnValue:
    """Asks for the order."""
    return _page(CheckForm(formdata=None))


@bp.post("/verify")
def check() -> ResponseReturnValue:
    """Says whether it is real. Nothing that was given stands in an address or in a log."""
    form = CheckForm(request.form)
    if not form.validate():
        return _page(form, status=422)
    try:
        found = _checked(form)
    except Invalid as error:
        web.commit()  # the try counts
        for fault in error.errors:
            name = fault.pointer.strip("/")
            field = form["file" if name == "signed" and request.files.get("file") else name]
            field.errors = [*field.errors, fault.detail]
        return _page(form, status=422)
    web.commit()
    # Whoever mistyped one of 64 digits finds them again.
    again = form if found.verdict is Verdict.UNKNOWN else CheckForm(formdata=None)
    return _page(again, found)


def _checked(form: CheckForm) -> Finding:
    db, at, now = web.db(), web.address(), web.now()
    file = request.files.get("file")
    given = file.read() if file else (form.signed.data or "").strip()
    if given:
        return order_checks.check_signed(db, given, web.signer().keys, at, now)
    ref, sha256 = form.ref.data or "", form.sha256.data or ""
    if ref.strip() or sha256.strip():
        return order_checks.check_fingerprint(db, ref, sha256, at, now)
    detail = "Choose the signed order’s file, or enter ref and fingerprint below."
    raise Invalid([FieldError("/file", detail)])


def _page(form: CheckForm, found: Finding | None = None, status: int = 200) -> ResponseReturnValue:
    return render_template("public/verify.html", form=form, found=found), status


@bp.get("/.well-known/jwks.json")
def jwks() -> Response:
    """The public keys that sign orders, and those that did, as a JWK set (RFC 7517)."""
    response = jsonify(web.signer().keys.jwks())
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
