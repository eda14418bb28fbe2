"""Pages that need no sign-in: the way in, and what each problem means."""

from __future__ import annotations

import json

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from liaison.errors import NotFound
from liaison.portal.frame import home
from liaison.portal.problems import PROBLEMS
from liaison.web import settings, signin

bp = Blueprint("public", __name__)


@bp.get("/")
def index() -> ResponseReturnValue:
    """On to the reader's own first page."""
    visitor = signin.visitor()
    if visitor is None or visitor.is_pending:
        return redirect(url_for("account.login"), 303)
    return redirect(home(visitor.actor), 303)


@bp.get("/problems/")
def problems() -> ResponseReturnValue:
    """All problem types."""
    return render_template("public/problems.html", problems=PROBLEMS)


@bp.get("/problems/<type_>")
def problem(type_: str) -> ResponseReturnValue:
    """What a problem's ``type`` means and what to do (RFC 9457)."""
    found = PROBLEMS.get(type_)
    if found is None:
        raise NotFound("There is no problem type of this name. All of them: /problems/")
    body = found.body(type_, settings().base_url) if found.program else None
    example = json.dumps(body, indent=2, ensure_ascii=False)
    return render_template(
        "public/problem.html", slug=type_, problem=found, body=body, example=example
    )
