"""A page's form as a browser holds it: every field with what it was opened with."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

SignedIn = Callable[[str], FlaskClient]
"""Gives a browser in which this person has signed in."""


class _Fields(HTMLParser):
    """Collects the fields of the forms on a page; buttons are pressed by the test itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: MultiDict[str, str] = MultiDict()
        self._select: str | None = None
        self._first: str | None = None
        self._chosen: list[str] = []
        self._area: str | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        name, value = given.get("name"), given.get("value") or ""
        if tag == "input" and name:
            boxed = given.get("type") in ("checkbox", "radio")
            if not boxed or "checked" in given:
                self.found.add(name, value or ("y" if boxed else ""))
        elif tag == "select":
            self._select, self._first, self._chosen = name, None, []
        elif tag == "option" and self._select:
            self._first = value if self._first is None else self._first
            if "selected" in given:
                self._chosen.append(value)
        elif tag == "textarea":
            self._area, self._text = name, ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select" and self._select:
            for value in self._chosen or [self._first or ""]:
                self.found.add(self._select, value)
            self._select = None
        elif tag == "textarea" and self._area:
            # A browser drops the line break that follows the opening tag.
            self.found.add(self._area, self._text.removeprefix("\r\n").removeprefix("\n"))
            self._area = None


def fields(html: str) -> MultiDict[str, str]:
    """The fields of a page's form and their values."""
    parser = _Fields()
    parser.feed(html)
    return parser.found


def typed(page_text: str, changes: dict[str, Any], act: str = "check") -> MultiDict[str, str]:
    """The page's form with some fields typed over and a button pressed."""
    form = fields(page_text)
    for name, value in changes.items():
        form.setlist(name, value if isinstance(value, list) else [value])
    form["act"] = act
    return form


def as_form(order: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A file's order as the form's fields, moments and numbers as they stand there."""
    found: dict[str, Any] = {}
    for key, value in order.items():
        name = prefix + {"from": "start", "to": "end", "data": "categories"}.get(key, key)
        if isinstance(value, dict):
            found |= as_form(value, f"{name}-")
        elif key in ("targets", "legal_basis", "previous"):
            for index, row in enumerate(value):
                found |= as_form(row, f"{name}-{index}-")
        elif key == "articles":
            found[name] = ", ".join(value)
        elif isinstance(value, bool):
            found[name] = ["y"] if value else []
        else:
            found[name] = value if isinstance(value, list) else str(value)
    return found
