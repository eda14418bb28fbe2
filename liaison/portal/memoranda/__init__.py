"""Memoranda: their terms in plain words, and their life."""

from liaison.portal.memoranda import compare, ladders, reading, signing, what_if, writing
from liaison.portal.memoranda.blueprint import bp

__all__ = ["bp", "compare", "ladders", "reading", "signing", "what_if", "writing"]
