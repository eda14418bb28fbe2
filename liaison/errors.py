"""What can go wrong, in words a person can act on. Doors turn these into pages and problems.

Each error knows its problem type (the page under ``/problems/``) and HTTP status.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldError:
    """One fault in what was given: where (JSON pointer, RFC 6901) and what to do about it."""

    pointer: str
    detail: str


class LiaisonError(Exception):
    """Base of all refusals. ``detail`` says what happened and what to do."""

    slug = "error"
    title = "Something went wrong"
    status = 500
    retry_after: int | None = None
    """Seconds after which the same may succeed, where that is known."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Invalid(LiaisonError):
    """What was given breaks a rule; ``errors`` names every place."""

    slug = "validation"
    title = "The input is not valid"
    status = 422

    def __init__(self, errors: Sequence[FieldError], detail: str = "") -> None:
        self.errors = list(errors)
        super().__init__(detail or _count(len(self.errors)))


class OutsideTerms(Invalid):
    """The memorandum does not allow this order; each error names the term and the way out."""

    title = "The order is outside the memorandum's terms"


class InvalidTransition(LiaisonError):
    """The order's state does not allow the act."""

    slug = "invalid-transition"
    title = "The order's state does not allow this"
    status = 409


class Stale(LiaisonError):
    """Somebody else acted in the meantime."""

    slug = "stale"
    title = "The order changed in the meantime"
    status = 409


class Unauthenticated(LiaisonError):
    """Who asks is not known."""

    slug = "unauthenticated"
    title = "Sign-in or key needed"
    status = 401


class Forbidden(LiaisonError):
    """Who asks is known and may not."""

    slug = "forbidden"
    title = "Not allowed"
    status = 403


class StaleFactor(Forbidden):
    """The second factor is too old for this act: a fresh one makes it possible."""

    slug = "fresh-factor"
    title = "A fresh code is needed"


class NotFound(LiaisonError):
    """Absent, or somebody else's: the two are answered alike."""

    slug = "not-found"
    title = "Not found"
    status = 404

    def __init__(self, detail: str = "There is nothing at this address that you may see.") -> None:
        super().__init__(detail)


class RateLimited(LiaisonError):
    """Too many tries; ``retry_after`` is in seconds."""

    slug = "rate-limited"
    title = "Too many tries"
    status = 429

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class SettingsError(LiaisonError):
    """A setting is missing or contradicts another; the line says which and how to make it."""

    slug = "settings"
    title = "The settings do not allow a start"


def _count(n: int) -> str:
    return "There is a problem with 1 field." if n == 1 else f"There are problems with {n} fields."
