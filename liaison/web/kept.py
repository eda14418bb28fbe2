"""Nothing typed is lost by a session that ran out: the form waits until its person is back.

A form is kept where it was sent to a page that can show it again. Never kept are tokens,
passwords and codes; nobody else is shown it.
"""

from __future__ import annotations

import re
from collections import Counter
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from liaison.errors import LiaisonError
from liaison.services import kept_forms
from liaison.services.kept_forms import Fields, Kept, Why
from liaison.web import context, kept_files, signin

LARGEST = 512 * 1024
"""Bytes of one form, as it was sent."""

MOST_ROWS = 1000
"""Rows of one list in a form, as many as an order has targets."""

ARGUMENT = "kept"
"""``?kept=ID``: shows a page's form filled with what was kept."""

_NAME = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
_ROW = re.compile(r"(.*?)-(\d{1,9})(?:-|$)", re.ASCII)
_SECRET = re.compile(
    r"(^|[-_])(password|passphrase|codes?|otp|secret|token|credential|assertion)([-_]|$)",
    re.IGNORECASE,
)
"""Names of fields that hold what proves who somebody is. ``case_number`` is none of them."""


class NotKept(LiaisonError):
    """The form cannot be kept for its person."""

    slug = "form-expired"
    title = "This form is too old"
    status = 400


def to_login() -> BaseResponse:
    """On to the sign-in, and back here; a form that was sent is kept meanwhile."""
    if request.method == "GET":
        return _login(_here())
    if not _shows_itself():
        return _login(None)
    token = session.get("_user_id")
    person = kept_forms.owner(context.db(), token, context.now()) if token else None
    return _login(_here() if person is None else _keep(person, Why.SIGNED_OUT))


def to_fresh_factor() -> BaseResponse:
    """On to the page that asks for a fresh code, and back to what the code is needed for."""
    visitor = signin.visitor()
    target: str | None
    if request.method == "GET":
        target = _here()
    elif visitor is not None and _shows_itself():
        context.db().rollback()
        target = _keep(visitor.person.id, Why.FACTOR)
    else:
        target = _from_where()
    return redirect(url_for("fresh.ask", next=target), 303)


def overtaken() -> BaseResponse | None:
    """A form of an earlier session, sent by a person who has signed in again in another window.

    Its token is worth nothing, so nothing is done; but the browser itself says that one of our
    own pages has sent it, so its person may see it again and send it themselves.
    """
    visitor = signin.visitor()
    if visitor is None or visitor.is_pending or not _shows_itself():
        return None
    same = request.headers.get("Sec-Fetch-Site") == "same-origin"
    if not same or not request.form.get("csrf_token"):
        return None
    return redirect(_keep(visitor.person.id, Why.SIGNED_OUT), 303)


def found() -> Kept | None:
    """What was kept for this page and its reader; None where there is nothing."""
    if "kept" not in g:
        g.kept = _found()
    kept: Kept | None = g.kept
    return kept


def _found() -> Kept | None:
    kept_id = _asked()
    if kept_id is None or request.method != "GET":
        return None
    try:
        visitor = signin.visitor()
        if visitor is None or visitor.is_pending:
            return None
        person, db = visitor.person.id, context.db()
        return kept_forms.take(db, context.vault(), kept_id, person, request.path, context.now())
    except SQLAlchemyError:
        return None  # the page that says the database is away must not need the database


def aside(person_id: UUID, path: str, fields: Fields) -> str:
    """Keeps what was typed beside a newer version; the page's address that shows it."""
    db = context.db()
    kept_id = kept_forms.keep(
        db, context.vault(), person_id, path, fields, context.now(), why=Why.OVERTAKEN
    )
    db.commit()
    return f"{path}?{urlencode({ARGUMENT: str(kept_id)})}"


def init_app(app: Flask) -> None:
    """Forgets a form once it was taken."""

    @app.after_request
    def _forget(response: Response) -> Response:
        taken = request.method == "POST" and response.status_code == 303
        if not taken or "keeps_form" in g or (kept_id := _asked()) is None:
            return response
        if visitor := signin.visitor():
            kept_forms.drop(context.db(), kept_id, visitor.person.id)
            context.commit()
        return response


def _keep(person_id: UUID, why: Why) -> str:
    """Keeps the form that was sent; the page's address that shows it filled again."""
    fields = _fields()
    db = context.db()
    kept_id = kept_forms.keep(
        db, context.vault(), person_id, request.path, fields, context.now(), why=why
    )
    kept_files.keep_sent(db, person_id)
    db.commit()
    g.keeps_form = True
    return _here(kept_id)


def _fields() -> Fields:
    kept = typed()
    if kept is None:
        raise NotKept(
            "You were signed out, and the form is too long to be kept. Nothing was done. Go back: "
            "your browser still holds what you typed. Sign in in another window and copy it over."
        )
    return kept


def typed() -> Fields | None:
    """The form that was sent, without what must not be kept; None where it is too long."""
    sent = [(name, text) for name, texts in request.form.lists() for text in texts]
    kept = tuple((name, text) for name, text in sent if _may_be_kept(name))
    rows = {found.groups() for name, _ in kept if (found := _ROW.match(name))}
    longest = max(Counter(name for name, _ in rows).values(), default=0)
    size = sum(len(name) + len(text.encode("utf-8", "replace")) for name, text in kept)
    return None if size > LARGEST or longest > MOST_ROWS else kept


def _may_be_kept(name: str) -> bool:
    # ``act`` is the button that was pressed: it is pressed again by the person, not by us.
    return bool(_NAME.fullmatch(name)) and not _SECRET.search(name) and name != "act"


def _shows_itself() -> bool:
    """Whether the address a form was sent to also has a page that shows the form."""
    try:
        current_app.url_map.bind("").match(request.path, "GET")
    except HTTPException:
        return False
    return True


def _here(kept_id: UUID | None = None) -> str:
    """The address of the page that runs, with the form that was kept for it."""
    args = [(k, v) for k, v in request.args.items(multi=True) if k != ARGUMENT]
    if kept_id is not None:
        args.append((ARGUMENT, str(kept_id)))
    elif request.method == "GET" and _asked() is not None:
        args.append((ARGUMENT, str(_asked())))
    return f"{request.path}?{urlencode(args)}" if args else request.path


def _from_where() -> str | None:
    """The page whose button was pressed, where the browser names one of ours."""
    came = urlsplit(request.referrer or "")
    if f"{came.scheme}://{came.netloc}/" != request.host_url:
        return None
    return f"{came.path}?{came.query}" if came.query else came.path


def _login(target: str | None) -> BaseResponse:
    return redirect(url_for("account.login", next=target), 303)


def _asked() -> UUID | None:
    try:
        return UUID(request.args[ARGUMENT])
    except (KeyError, ValueError):
        return None
