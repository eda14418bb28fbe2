"""The register, to be read: providers, their contacts and memoranda."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from uuid import UUID

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import login_required

from liaison import web
from liaison.domain.ladder import Whom
from liaison.domain.terms import Terms, Window, terms_from_json
from liaison.domain.vocabulary import DataCategory, Role, TargetType, Urgency
from liaison.errors import NotFound
from liaison.models import Memorandum
from liaison.portal.filters import span
from liaison.queries import register_pages as pages

bp = Blueprint("register", __name__)

_APART = 9.0
"""Per cent of the line that a label needs, so that none covers another."""

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LANGUAGES = {
    "bg": "Bulgarian",
    "de": "German",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "hy": "Armenian",
    "it": "Italian",
    "ka": "Georgian",
    "nl": "Dutch",
    "no": "Norwegian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "tr": "Turkish",
    "uk": "Ukrainian",
}
"""ISO 639-1; a language that is not here is shown by its code."""


@dataclass(frozen=True)
class Mark:
    """A rung on the line; ``x`` in per cent. ``label`` is empty where there is no room."""

    x: str
    label: str


@dataclass(frozen=True)
class Climb:
    """The ladder of one urgency: its rungs, and a line to see their distances."""

    urgency: Urgency
    rungs: list[pages.Rung]
    marks: list[Mark]
    due: str
    """Where on the line the time to acknowledge ends, in per cent."""


@bp.before_request
@login_required  # type: ignore[untyped-decorator]
def signed_in() -> None:
    """Nobody reads the register without signing in."""


@bp.get("/providers")
def providers() -> ResponseReturnValue:
    """All providers, and who has a memorandum in force."""
    text = request.args.get("q", "")[:200]
    today = web.now().astimezone(UTC).date()
    found = pages.providers(web.db(), web.actor(), today, text)
    return render_template("register/providers.html", found=found, text=text)


@bp.get("/providers/<provider_id>")
def provider(provider_id: str) -> ResponseReturnValue:
    """Everything that is registered about a provider."""
    found = pages.provider(web.db(), web.actor(), provider_id)
    return render_template(
        "register/provider.html",
        provider=found,
        memoranda=pages.memoranda(web.db(), web.actor(), found),
        today=web.now().astimezone(UTC).date(),
        in_force=pages.is_in_force,
        language=language,
    )


@bp.get("/providers/<provider_id>/memorandum")
def memorandum(provider_id: str) -> ResponseReturnValue:
    """The terms in plain words; ``?id=`` shows another than the one in force."""
    actor = web.actor()
    found = pages.provider(web.db(), actor, provider_id)
    today = web.now().astimezone(UTC).date()
    known = pages.memoranda(web.db(), actor, found)
    shown = _chosen(known, request.args.get("id")) or next(
        (m for m in known if pages.is_in_force(m, today)), None
    )
    terms = terms_from_json(shown.terms) if shown else None
    return render_template(
        "register/memorandum.html",
        provider=found,
        memoranda=known,
        shown=shown,
        terms=terms,
        climbs=_climbs(shown, terms) if shown and terms else [],
        today=today,
        in_force=pages.is_in_force,
        language=language,
        window=window,
        whom=_whom,
        listed={"categories": DataCategory, "types": TargetType, "roles": Role, "urgency": Urgency},
    )


@bp.get("/contacts")
def contacts() -> ResponseReturnValue:
    """One's own registered contacts, and those on the other side."""
    return render_template(
        "register/contacts.html",
        groups=pages.contacts(web.db(), web.actor()),
        today=web.now().astimezone(UTC).date(),
        language=language,
    )


def language(code: str) -> str:
    """A language by its code."""
    return _LANGUAGES.get(code.lower(), code)


def window(hours: Window) -> str:
    """``Monday to Friday, 08:00 to 20:00``."""
    days = sorted(hours.days)
    unbroken = len(days) > 2 and days == list(range(days[0], days[-1] + 1))
    names = [_DAYS[d] for d in days]
    when = f"{names[0]} to {names[-1]}" if unbroken else ", ".join(names)
    return f"{when}, {hours.opens} to {hours.closes}"


def _whom(called: Whom) -> str:
    """Whom a rung calls, as the reader's side says it."""
    if web.actor().is_provider:
        return called.label.replace("Our ", "The contact point’s ")
    return called.label


def _chosen(known: list[Memorandum], wanted: str | None) -> Memorandum | None:
    if wanted is None:
        return None
    try:
        wanted_id = UUID(wanted)
    except ValueError:
        raise NotFound from None
    found = next((m for m in known if m.id == wanted_id), None)
    if found is None:
        raise NotFound
    return found


def _climbs(shown: Memorandum, terms: Terms) -> list[Climb]:
    climbs = []
    for urgency in reversed(Urgency):
        rungs = pages.ladder(web.db(), shown, urgency)
        due = terms.clocks[urgency].acknowledge
        whole = max(due, rungs[-1].after)
        climbs.append(Climb(urgency, rungs, _marks(rungs, whole), _percent(due, whole)))
    return climbs


def _marks(rungs: list[pages.Rung], whole: timedelta) -> list[Mark]:
    marks, last = [], 0.0
    for rung in rungs:
        x = rung.after / whole * 100 if whole else 0.0
        room = x - last >= _APART and 100 - x >= _APART
        marks.append(Mark(f"{x:.1f}", span(rung.after) if room else ""))
        last = x if room else last
    return marks


def _percent(part: timedelta, whole: timedelta) -> str:
    return f"{part / whole * 100:.1f}" if whole else "100"
