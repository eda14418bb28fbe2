"""Errors as pages or problems: what happened, that nothing is half done, what to do next."""

from __future__ import annotations

import traceback
from collections.abc import Callable

import structlog
from flask import Flask, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm.exc import StaleDataError
from werkzeug.exceptions import HTTPException

from liaison.errors import (
    Invalid,
    LiaisonError,
    NotFound,
    RateLimited,
    Stale,
    StaleFactor,
    Unauthenticated,
)
from liaison.web import kept
from liaison.web.context import request_id

API = "/api/"
_log = structlog.get_logger("liaison.web")

_PAGES = {
    400: ("The request cannot be read", "Go back and try again."),
    405: ("This page does not take that", "Go back and use the page's own buttons."),
    413: ("That is too much at once", "Nothing was stored. Send less text or fewer targets."),
    415: ("The page cannot read that", "Go back and use the page's own form."),
}


class Busy(LiaisonError):
    """The database is held by others for too long, or gone."""

    slug = "busy"
    title = "The portal is busy"
    status = 503


class FormExpired(LiaisonError):
    """The form's token belongs to a session that has ended."""

    slug = "form-expired"
    title = "This form is too old"
    status = 400


def init_app(app: Flask, problem: Callable[[Exception], Response]) -> None:
    """Every error becomes a page, or a problem where a program asks. Never a trace."""

    @app.errorhandler(Exception)
    def _handle(error: Exception) -> ResponseReturnValue:
        known = _known(error)
        if known.status >= 500:
            # Where it failed, not with what: an error's text may quote a row.
            where = traceback.format_tb(error.__traceback__)
            _log.error("failed", error=type(error).__name__, where="".join(where))
        if request.path.startswith(API):
            return problem(error if isinstance(error, HTTPException) else known)
        if isinstance(known, Unauthenticated):
            return kept.to_login()
        if isinstance(known, StaleFactor):
            return kept.to_fresh_factor()
        if isinstance(known, FormExpired) and (shown := kept.overtaken()):
            return shown
        return page(known)


def _known(error: Exception) -> LiaisonError:
    if isinstance(error, LiaisonError):
        return error
    if isinstance(error, StaleDataError):
        return Stale("Somebody else acted at the same moment. Nothing was done. Read it again.")
    if isinstance(error, OperationalError | PoolTimeoutError):
        return Busy("Nothing was done. Wait a few seconds and try again.")
    if isinstance(error, CSRFError):
        return FormExpired(
            "You were signed out, or the form stood open for too long. Nothing was done. "
            "Go back: your browser still holds what you typed. Sign in in another window, then "
            "send the form again from here."
        )
    if isinstance(error, HTTPException):
        return _translated(error)
    return LiaisonError(
        "The fault is ours and was noted. Nothing was half done. Try again; if it stays, call "
        "the contact point and give the number below."
    )


def _translated(error: HTTPException) -> LiaisonError:
    status = error.code or 500
    if status == 404:
        return NotFound()
    title, detail = _PAGES.get(status, _PAGES[400])
    known = LiaisonError(detail)
    known.title, known.status = title, status
    return known


def page(error: LiaisonError) -> Response:
    """The error's page."""
    text = render_template(
        "errors/error.html",
        status=error.status,
        title=error.title,
        detail=error.detail,
        errors=error.errors if isinstance(error, Invalid) else [],
        reference=request_id(),
        back=_back(),
    )
    response = make_response(text, error.status)
    if isinstance(error, RateLimited):
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _back() -> str | None:
    """The order's page, where the act was one on an order."""
    parts = request.path.split("/")
    if len(parts) > 3 and parts[1] == "orders":
        return "/".join(parts[:3])
    return None
