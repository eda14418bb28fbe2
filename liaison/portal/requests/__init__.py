"""Counterparts' requests: registered, written to, made into orders, refused or closed."""

from liaison.portal.requests import letters, pages, writing
from liaison.portal.requests.blueprint import bp

__all__ = ["bp", "letters", "pages", "writing"]
