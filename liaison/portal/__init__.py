"""The portal: pages by noun. Roles differ by what the lifecycle lets them do, not by pages."""

from __future__ import annotations

from flask import Flask
from flask_bootstrap import Bootstrap5

from liaison.portal import account, filters, orders, public
from liaison.portal.register import bp as register

blueprints = (public.bp, account.bp, orders.bp, register)


def init_app(app: Flask) -> None:
    """Adds the pages, and what their templates use."""
    Bootstrap5(app)  # carries Bootstrap's stylesheet and icons; nothing else of it is used
    filters.register(app)
    for blueprint in blueprints:
        app.register_blueprint(blueprint)
