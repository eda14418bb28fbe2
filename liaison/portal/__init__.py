"""The portal: pages by noun. Roles differ by what the lifecycle lets them do, not by pages."""

from __future__ import annotations

from flask import Flask
from flask_bootstrap import Bootstrap5
from flask_wtf import CSRFProtect

from liaison.portal import (
    account,
    authorities,
    calls,
    cases,
    checking,
    contacts,
    drills,
    duty,
    factors,
    figures,
    filters,
    fresh,
    gateway,
    hand_over,
    invitation,
    keys,
    limits,
    memoranda,
    order_templates,
    orders,
    own_access,
    passkeys,
    people,
    portal_log,
    public,
    register_files,
    requests,
    reviews,
    rules,
    undelivered,
    verifying,
    webhooks,
)
from liaison.portal.register import bp as register

blueprints = (
    passkeys.bp,
    own_access.bp,
    factors.bp,
    public.bp,
    checking.bp,
    account.bp,
    fresh.bp,
    invitation.bp,
    orders.bp,
    cases.bp,
    order_templates.bp,
    orders.export_bp,
    calls.bp,
    requests.bp,
    hand_over.bp,
    register,
    authorities.bp,
    contacts.bp,
    duty.bp,
    duty.feed_bp,
    verifying.bp,
    memoranda.bp,
    people.bp,
    reviews.bp,
    keys.bp,
    webhooks.bp,
    portal_log.bp,
    undelivered.bp,
    drills.bp,
    figures.bp,
    rules.bp,
    register_files.bp,
)


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    """Adds the pages, and what their templates use.

    A gateway's callbacks are signed: no browser sends them, so no form token is asked for.
    """
    Bootstrap5(app)  # carries Bootstrap's stylesheet and icons; nothing else of it is used
    filters.register(app)
    limits.init_app(app, {blueprint.name for blueprint in blueprints})
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
    app.register_blueprint(gateway.bp)
    csrf.exempt(gateway.bp)
