"""The letter texts. A notice says that something waits and where to look; no case data, ever."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import (
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateNotFound,
    select_autoescape,
)

from liaison.domain.vocabulary import Urgency

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "mail"


@dataclass(frozen=True)
class Letter:
    """A letter in both its parts. The subject is one line."""

    subject: str
    text: str
    html: str


def compose(letter: str, params: Mapping[str, Any], base_url: str, env: str) -> Letter:
    """The letter of this name.

    ``params``: ``ref``, ``urgency``, ``provider``, ``authority``, ``name`` (of the addressee),
    and what the letter adds (``due`` in RFC 3339, ``climb``, ``rung``, ``act``). The first line
    of the template is the subject; the HTML part says the same. ``ValueError``: no such letter.
    """
    values = {
        # One line each: none can end the subject early.
        **{k: one_line(v) if isinstance(v, str) else v for k, v in params.items()},
        "urgency": Urgency(params["urgency"]).label,
        "emergency": params["urgency"] == Urgency.EMERGENCY,
        "link": f"{base_url.rstrip('/')}/orders/{quote(str(params['ref']))}",
        "demo": env == "demo",
    }
    try:
        template = _environment().get_template(f"{letter}.txt")
    except TemplateNotFound:
        raise ValueError(f"There is no letter {letter!r}.") from None
    subject, _, body = template.render(values).strip().partition("\n")
    subject = one_line(f"[DEMO] {subject}" if env == "demo" else subject)
    paragraphs = [one_line(part) for part in re.split(r"\n\s*\n", body.strip())]
    text = _environment().get_template("letter.txt").render(values, paragraphs=paragraphs)
    html = (
        _environment()
        .get_template("letter.html")
        .render(values, subject=subject, paragraphs=paragraphs)
    )
    return Letter(subject, text.strip() + "\n", html)


def one_line(text: str) -> str:
    """Any run of white space and control characters becomes one space."""
    return re.sub(r"[\s\x00-\x1f\x7f\x85\u2028\u2029]+", " ", text).strip()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=select_autoescape(["html"], default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["utc"] = _utc
    return environment


def _utc(moment: str) -> str:
    """``23 Nov 2026, 14:05 UTC`` from RFC 3339."""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%d %b %Y, %H:%M UTC")
