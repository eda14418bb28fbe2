"""The whole application put together: wiring only."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from flask_wtf import CSRFProtect

from liaison import api, portal
from liaison.api import problems
from liaison.clock import Clock, SystemClock
from liaison.documents.order_jws import Signer
from liaison.models.base import Database
from liaison.services.vault import Vault
from liaison.settings import Env, Settings
from liaison.web import (
    canary,
    context,
    errors,
    headers,
    health,
    kept,
    kept_files,
    metrics,
    signin,
)
from liaison.web.application import Application

LARGEST_REQUEST = 4 * 1024 * 1024
"""Bytes; 1,000 targets with long texts fit."""


def create_app(settings: Settings, clock: Clock | None = None) -> Flask:
    """The application on these settings; ``clock`` is the machine's where none is given."""
    settings = settings.with_keys()
    app = Application(
        "liaison",
        template_folder=str(Path(__file__).parent.parent / "templates"),
    )
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME="__Host-liaison" if settings.is_secure else "liaison",
        SESSION_COOKIE_SECURE=settings.is_secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=LARGEST_REQUEST,
        MAX_FORM_MEMORY_SIZE=LARGEST_REQUEST,
        MAX_FORM_PARTS=20_000,
        WTF_CSRF_TIME_LIMIT=None,
        BOOTSTRAP_SERVE_LOCAL=True,
    )
    app.extensions["liaison"] = context.Liaison(
        settings=settings,
        database=Database(settings.database_url),
        clock=clock or SystemClock(),
        vault=Vault(settings.encryption_key),
        signer=Signer.from_settings(settings),
    )
    context.init_app(app)
    headers.init_app(app, settings)
    errors.init_app(app, problems.present)
    signin.init_app(app)
    kept.init_app(app)
    kept_files.init_app(app)
    csrf = CSRFProtect(app)
    app.register_blueprint(health.bp)
    app.register_blueprint(metrics.bp)
    app.register_blueprint(canary.bp)
    csrf.exempt(canary.bp)  # no session carries it: its token is its key
    portal.init_app(app, csrf)
    api.init_app(app, csrf)
    _add_demo(app, settings)
    return app


def _add_demo(app: Flask, settings: Settings) -> None:
    if settings.env is Env.DEMO:
        from liaison.demo import mail_pages, text_pages

        app.register_blueprint(mail_pages.bp)
        app.register_blueprint(text_pages.bp)
