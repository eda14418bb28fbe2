"""A memorandum on its page: its terms, who has signed, and what is still missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date
from typing import Any

from flask import url_for

from liaison import web
from liaison.domain.permissions import Verb, may
from liaison.domain.terms import terms_from_json
from liaison.domain.vocabulary import DataCategory, MemorandumState, Role, Side, TargetType
from liaison.errors import FieldError
from liaison.models import Memorandum
from liaison.portal.log_words import FACTORS
from liaison.portal.memoranda.drawing import by_function, climbs
from liaison.portal.register_words import language, whom, window
from liaison.queries import duty, office_hours
from liaison.queries import memoranda as queries
from liaison.queries.memoranda import Row, Standing
from liaison.services.memorandum_letters import side_of

__all__ = ["by_function", "context", "missing", "obstacles", "tag", "today"]

TAGS = {
    Standing.DRAFT: ("amber", "pencil"),
    Standing.TO_COME: ("blue", "calendar3"),
    Standing.IN_FORCE: ("green", "check-lg"),
    Standing.SUPERSEDED: ("", "arrow-repeat"),
    Standing.ENDED: ("", "slash-circle"),
    Standing.CALLED_OFF: ("", "slash-circle"),
    Standing.DISCARDED: ("", "slash-circle"),
}

_SIGNERS = {
    Side.AUTHORITY: "a supervisor of the contact point",
    Side.PROVIDER: "an administrator of the provider",
}


@dataclass(frozen=True)
class Missing:
    """Something that must happen before the memorandum binds; ``url`` leads to where."""

    text: str
    url: str | None = None


def today() -> date:
    """The day in UTC, by which memoranda count."""
    return web.now().astimezone(UTC).date()


def tag(row: Row) -> tuple[str, str, str]:
    """Where a memorandum stands, as a tag."""
    words = row.standing.label
    if row.standing is Standing.SUPERSEDED and row.by is not None:
        same = row.by.reference == row.memorandum.reference
        by = f"version {row.by.version}" if same else f"{row.by.reference}"
        words = f"Superseded by {by}"
    return (*TAGS[row.standing], words)


def context(row: Row) -> dict[str, Any]:
    """What the page of one memorandum is made of."""
    shown, actor = row.memorandum, web.actor()
    terms = terms_from_json(shown.terms)
    draft = row.standing is Standing.DRAFT
    return {
        "row": row,
        "shown": shown,
        "provider": shown.provider,
        "terms": terms,
        "closes": office_hours.waits(terms),
        "holidays_known": duty.knows_holidays(shown.provider.country),
        "climbs": climbs(shown, terms, hidden=queries.hides(web.db(), actor, shown)),
        "today": today(),
        "tag": tag,
        "language": language,
        "window": window,
        "whom": whom,
        "listed": {"categories": DataCategory, "types": TargetType, "roles": Role},
        "versions": queries.rows(web.db(), _others(shown), today()),
        "sha256": queries.sha256(web.db(), shown) if draft else None,
        "missing": missing(row),
        "factors": FACTORS,
        "agrees": may(actor.roles, Verb.AGREE_MEMORANDA),
        "signs": may(actor.roles, Verb.AGREE_MEMORANDA) and side_of(actor) in row.waits_for,
        "next_version": _next_version(shown),
        "ends": row.standing in (Standing.IN_FORCE, Standing.TO_COME) and _can_end(shown),
    }


def _others(shown: Memorandum) -> list[Memorandum]:
    """The other versions between the same two."""
    known = queries.versions(web.db(), web.actor(), shown)
    return [other for other in known if other.id != shown.id]


def missing(row: Row) -> list[Missing]:
    """What is still missing before it can be in force, each with the way to it."""
    shown = row.memorandum
    if shown.state is not MemorandumState.DRAFT:
        return []
    found = [Missing(fault.detail, _way(shown, fault.pointer)) for fault in obstacles(shown)]
    return found + [Missing(f"To be signed by {_SIGNERS[side]}.") for side in row.waits_for]


def obstacles(shown: Memorandum) -> list[FieldError]:
    """What keeps it from being signed, as its reader may know it."""
    hidden = queries.hides(web.db(), web.actor(), shown)
    return queries.obstacles(web.db(), shown, web.now(), hidden=hidden)


def _way(shown: Memorandum, pointer: str) -> str | None:
    if not may(web.actor().roles, Verb.AGREE_MEMORANDA):
        return None
    parts = pointer.split("/")
    if parts[1] == "ladders":
        return url_for("memoranda.ladder", memorandum_id=shown.id, urgency=parts[2])
    return url_for("memoranda.edit", memorandum_id=shown.id)


def _next_version(shown: Memorandum) -> str:
    other = shown.authority_id if web.actor().is_provider else shown.provider_id
    return url_for("memoranda.new", partner=other, reference=shown.reference)


def _can_end(shown: Memorandum) -> bool:
    return shown.in_force_to is None or shown.in_force_to > today()
