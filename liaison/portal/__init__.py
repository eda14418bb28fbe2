"""The portal: pages by noun. Roles differ by what the lifecycle lets them do, not by pages."""

from __future__ import annotations

from flask import Flask
from flask_bootstrap import Bootstrap5

from liaison.portal import (
    account,
    authorities,
    cases,
    contacts,
    drills,
    duty,
    factors,
    figures,
    filters,
    fresh,
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
    verifying,
)
from liaison.portal.register import bp as register

blueprints = (
    passkeys.bp,
    own_access.bp,
    factors.bp,
    public.bp,
    account.bp,
    fresh.bp,
    invitation.bp,
    orders.bp,
    cases.bp,
    order_templates.bp,
    orders.export_bp,
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
    portal_log.bp,
    drills.bp,
    figures.bp,
    rules.bp,
    register_files.bp,
)


def init_app(app: Flask) -> None:
    """Adds the pages, and what their templates use."""
    Bootstrap5(app)  # carries Bootstrap's stylesheet and icons; nothing else of it is used
    filters.register(app)
    limits.init_app(app, {blueprint.name for blueprint in blueprints})
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
