"""Icons, inlined one symbol at a time from the sprite that Bootstrap-Flask carries."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from markupsafe import Markup, escape

_SPRITE = "static/bootstrap5/icons/bootstrap-icons.svg"
_SYMBOL = re.compile(r'<symbol [^>]*viewBox="([^"]+)" id="([^"]+)">(.*?)</symbol>', re.DOTALL)


@cache
def _symbols() -> dict[str, tuple[str, str]]:
    """Every symbol of the sprite: its view box and its drawing."""
    text = (files("flask_bootstrap") / _SPRITE).read_text(encoding="utf-8")
    return {name: (box, drawing) for box, name, drawing in _SYMBOL.findall(text)}


def load() -> None:
    """Reads the sprite once, at start, so that no reader of a page waits for it."""
    _symbols()


@cache
def icon(name: str) -> Markup:
    """One icon, hidden from screen readers: the words beside it say what it means."""
    try:
        box, drawing = _symbols()[name]
    except KeyError:
        raise LookupError(f"there is no icon {name!r} in the sprite") from None
    return Markup(
        '<svg class="icon" viewBox="{}" aria-hidden="true" focusable="false">{}</svg>'
    ).format(
        escape(box),
        Markup(drawing),  # noqa: S704 - from the wheel's own sprite, never from a person
    )
