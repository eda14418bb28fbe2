"""Pages of duty: who is on duty, the rotas, who stands in, calendars."""

from __future__ import annotations

from liaison.portal.duty import feeds, importing, page, rotas, standing_in
from liaison.portal.duty.blueprint import bp
from liaison.portal.duty.feeds import feed_bp

__all__ = ["bp", "feed_bp", "feeds", "importing", "page", "rotas", "standing_in"]
