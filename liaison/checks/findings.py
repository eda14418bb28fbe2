"""What a look of ``liaison check`` finds."""

from __future__ import annotations

from dataclasses import dataclass

from liaison.errors import LiaisonError


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    warns: bool = False
    """Nothing is broken; something is to be done."""


class Warned(LiaisonError):
    """A look that found nothing broken, but something to do."""
