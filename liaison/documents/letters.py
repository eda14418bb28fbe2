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

WITH_CODE = frozenset({"register/contact_code"})
"""Letters whose secret is a code to type in; every other's is a link to follow."""


ABROAD = "request/"
"""Letters to a counterpart abroad, in their language (``request/receipt.fr``).

They greet and close in their own words and link to nothing: the addressee has no account here.
"""


@dataclass(frozen=True)
class Letter:
    """A letter in both its parts. The subject is one line."""

    subject: str
    text: str
    html: str


def compose(letter: str, params: Mapping[str, Any], base_url: str, env: str) -> Letter:
    """The letter of this name.

    ``params``: ``ref``, ``urgency``, ``provider``, ``authority``, ``name`` (of the addressee),
    and what the letter adds (``due`` in RFC 3339, ``climb``, ``rung``, ``act``); ``test`` marks a
    drill's. A letter without
    ``ref`` is about somebody's access (``mail/access/``) or, named with its folder, about the
    register (``register/…``): ``name``, and a ``link`` of its own or a ``path`` in the portal where
    it has one. The first line of the template is the subject; the HTML part says the same.
    ``ValueError``: no such letter.
    """
    values = {
        # One line each: none can end the subject early.
        **{k: one_line(v) if isinstance(v, str) else v for k, v in params.items()},
        **(_of_order if "ref" in params else _of_access)(params, base_url.rstrip("/")),
        "demo": env == "demo",
        # A notice that was queued before there were drills does not say.
        "test": bool(params.get("test")),
    }
    folder = "" if "ref" in params else "access/"
    if letter.startswith(ABROAD):
        folder = ABROAD
    place = f"{letter}.txt" if "/" in letter else f"{folder}{letter}.txt"
    try:
        template = _environment().get_template(place)
    except TemplateNotFound:
        raise ValueError(f"There is no letter {letter!r}.") from None
    subject, _, body = template.render(values).strip().partition("\n")
    subject = f"[TEST] {subject}" if values["test"] else subject
    subject = one_line(f"[DEMO] {subject}" if env == "demo" else subject)
    paragraphs = [one_line(part) for part in re.split(r"\n\s*\n", body.strip())]
    text = _environment().get_template(f"{folder}letter.txt").render(values, paragraphs=paragraphs)
    html = (
        _environment()
        .get_template(f"{folder}letter.html")
        .render(values, subject=subject, paragraphs=paragraphs)
    )
    return Letter(subject, text.strip() + "\n", html)


def _of_order(params: Mapping[str, Any], base: str) -> dict[str, Any]:
    return {
        "urgency": Urgency(params["urgency"]).label,
        "emergency": params["urgency"] == Urgency.EMERGENCY,
        "link": f"{base}/orders/{quote(str(params['ref']))}",
    }


def _of_access(params: Mapping[str, Any], base: str) -> dict[str, Any]:
    return {"link": params.get("link") or f"{base}{params.get('path') or ''}", "portal": base}


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
    environment.filters["plain"] = _plain
    return environment


def _utc(moment: str) -> str:
    """``23 Nov 2026, 14:05 UTC`` from RFC 3339."""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%d %b %Y, %H:%M UTC")


def _plain(moment: str) -> str:
    """``2026-11-23 14:05 UTC`` from RFC 3339: read alike in every language."""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")
