"""The bar that tells contact-point staff when the portal itself fails; nothing while it is well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app

from liaison import web
from liaison.domain.actors import Actor
from liaison.queries import watching

FRESH = timedelta(seconds=5)
"""So long an answer serves every page of this process."""

_KEPT = "liaison_watch_bar"


@dataclass(frozen=True)
class _Kept:
    at: datetime
    faults: tuple[str, ...]


def faults(actor: Actor) -> tuple[str, ...]:
    """What is wrong, in words; a provider's people are told nothing of it."""
    if not actor.is_contact_point:
        return ()
    now = web.now()
    kept: _Kept | None = current_app.extensions.get(_KEPT)
    if kept is None or not timedelta(0) <= now - kept.at < FRESH:
        kept = _Kept(now, tuple(watching.faults(web.db(), web.settings(), now)))
        current_app.extensions[_KEPT] = kept
    return kept.faults
