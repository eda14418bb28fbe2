"""The JSON endpoint, version 1: what programs of providers and contact points talk to."""

from __future__ import annotations

from flask import Flask
from flask_wtf import CSRFProtect

from liaison.api import (
    answers,
    authority,
    bulk,
    docs,
    documents,
    events,
    limits,
    messages,
    orders,
    reference,
    request_log,
    scopes,
    webhook_sending,
    webhooks,
)
from liaison.api.blueprint import Waiting, api
from liaison.api.rates import Rates
from liaison.api.request_log import RequestLog

__all__ = [
    "answers",
    "authority",
    "bulk",
    "docs",
    "documents",
    "events",
    "init_app",
    "limits",
    "messages",
    "orders",
    "reference",
    "request_log",
    "webhook_sending",
    "webhooks",
]


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Registers the endpoint and its reference page.

    A key travels in a header that no browser adds by itself, so no form token is asked for.
    """
    app.extensions["liaison_waiting"] = Waiting()
    core = app.extensions["liaison"]
    limit = core.settings.rate_limit
    app.extensions["liaison_rates"] = Rates(limit) if limit else None
    app.extensions["liaison_request_log"] = RequestLog(core.database, core.clock)
    app.register_blueprint(api)
    scopes.init_app(app, api)
    app.register_blueprint(docs.bp)
    csrf.exempt(api)
