"""Flask-Login keeps who; our session rows keep whether.

The signed cookie carries a random token; the row that its SHA-256 finds says whose it is, until
when, and whether the second factor was given.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Request, request, session
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response as BaseResponse

from liaison.domain.actors import Actor
from liaison.errors import Unauthenticated
from liaison.models import Person, SignIn
from liaison.services import accounts
from liaison.web import context


class Visitor(UserMixin):  # type: ignore[misc]
    """Whoever holds a session row; signed in once the second factor was given."""

    def __init__(self, sign_in: SignIn, token: str) -> None:
        self.sign_in = sign_in
        self.token = token
        self.actor: Actor = accounts.actor_of(sign_in, context.address())

    def get_id(self) -> str:
        """What the cookie carries."""
        return self.token

    @property
    def person(self) -> Person:
        """The person."""
        return self.sign_in.person

    @property
    def is_authenticated(self) -> bool:
        """Whether both factors were given."""
        return self.sign_in.factor_at is not None

    @property
    def is_pending(self) -> bool:
        """Whether the password was right and the code is awaited."""
        return self.sign_in.factor_at is None


def login(token: str) -> None:
    """The browser carries this token from now on, and nothing of an earlier session."""
    session.clear()
    row = accounts.resume(context.db(), token, context.now())
    assert row is not None, "a token that was just made names a session"
    login_user(Visitor(row, token))


def logout() -> None:
    """The browser forgets."""
    logout_user()
    session.clear()


def visitor() -> Visitor | None:
    """Whoever holds a session row, signed in or still to give the code."""
    found: Any = current_user
    return found._get_current_object() if getattr(found, "sign_in", None) else None


def actor() -> Actor:
    """The person who is signed in; ``Unauthenticated`` where nobody is."""
    found = visitor()
    if found is None or found.is_pending:
        raise Unauthenticated("Sign in first.")
    return found.actor


def is_signed_in() -> bool:
    """Whether a page has a reader; one that says that the database is away must not need it."""
    try:
        found = visitor()
    except SQLAlchemyError:
        return False
    return found is not None and not found.is_pending


class _Cookies(SecureCookieSessionInterface):
    """The signed cookie; a program has none, and no answer to it depends on one."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """None where a key says who it is: what is not there is neither read nor written."""
        return None if request.path.startswith(PROGRAMS) else super().open_session(app, request)


PROGRAMS = "/api/v1/"


def init_app(app: Flask) -> None:
    """Ties Flask-Login to our rows."""
    # Templates ask our own frame who is there: an error page must not need the database.
    manager = LoginManager(app, add_context_processor=False)
    # Our rows bind a session to its person; an address may change under a phone.
    manager.session_protection = None
    app.session_interface = _Cookies()

    @manager.user_loader  # type: ignore[untyped-decorator]
    def _load(token: str) -> Visitor | None:
        row = accounts.resume(context.db(), token, context.now())
        if row is None:
            return None
        _note_use(row)
        return Visitor(row, token)

    @manager.unauthorized_handler  # type: ignore[untyped-decorator]
    def _unauthorized() -> BaseResponse:
        from liaison.web import kept  # it asks this module who is there

        return kept.to_login()


def _note_use(row: SignIn) -> None:
    moment = context.now()
    # A page that asks for news by itself is nobody at work: an open window still idles out.
    if request.args.get("part") == "live" or not accounts.is_seen_due(row, moment):
        return
    if request.method in ("GET", "HEAD", "OPTIONS"):
        with context.write() as writing:
            accounts.seen(writing, row, moment)
    else:
        accounts.seen(context.db(), row, moment)
