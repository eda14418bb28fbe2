"""Words that the pages of the register share."""

from __future__ import annotations

from liaison import web
from liaison.domain.ladder import Whom
from liaison.domain.terms import Window

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


def whom(called: Whom) -> str:
    """Whom a rung calls, as the reader's side says it."""
    if web.actor().is_provider:
        return called.label.replace("Our ", "The contact point’s ")
    return called.label
