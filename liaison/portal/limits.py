"""How much of a form is read: refused before it is built, for each field costs time.

Whoever types stays far below; a body with a hundred thousand fields is no form of ours.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from flask import Flask, request

from liaison.documents import order_jws, provider_csv
from liaison.domain import attachments
from liaison.domain.draft_targets import MOST_TARGETS
from liaison.domain.ladder_entry import MOST_RUNGS
from liaison.domain.vocabulary import DataCategory
from liaison.errors import FieldError, Invalid, LiaisonError
from liaison.services.memoranda import LARGEST_DOCUMENT

SMALL_FORM = 256 * 1024
"""Bytes; the longest message fits, percent-encoded in any script."""

FEW_FIELDS = 100

MOST_BASES, MOST_PREVIOUS = 20, 50
"""Rows of the draft form, as many as ``domain.draft`` reads."""

MOST_FURTHER = 20
"""Providers chosen beside the first; ``services.cases`` says what is told of one more."""

_OF_A_TARGET = 10 + len(DataCategory)
_OF_A_REQUEST = MOST_TARGETS * _OF_A_TARGET + 2 * MOST_BASES + 2 * MOST_PREVIOUS + FEW_FIELDS
_OF_A_DRAFT = _OF_A_REQUEST + MOST_FURTHER
_OF_A_REPORT = MOST_TARGETS * 4 + FEW_FIELDS

MOST_FIELDS = {
    "orders.new": _OF_A_DRAFT,
    "orders.edit": _OF_A_DRAFT,
    "requests.new": _OF_A_REQUEST,
    "requests.edit": _OF_A_REQUEST,
    "orders.unfinished_draft": _OF_A_DRAFT,
    "orders.autosave_new": _OF_A_DRAFT,
    "orders.autosave_edit": _OF_A_DRAFT,
    "orders.autosave_draft": _OF_A_DRAFT,
    "templates.new": _OF_A_DRAFT,
    "templates.edit": _OF_A_DRAFT,
    "orders.preserve": _OF_A_REPORT,
    "memoranda.ladder": MOST_RUNGS * 8 + FEW_FIELDS,
}
"""Fields of the forms that have rows; they may fill a whole request."""

FILES = {
    "register_files.new": provider_csv.LARGEST + SMALL_FORM,
    "memoranda.attach": LARGEST_DOCUMENT + SMALL_FORM,
    "orders.question": attachments.TOGETHER + 16 * SMALL_FORM,
    "orders.message": attachments.TOGETHER + 16 * SMALL_FORM,
    "checking.check": order_jws.LARGEST + SMALL_FORM,
}
"""Bytes of a body that carries a file; one that is a little too large is told so by its page."""

_URLENCODED = "application/x-www-form-urlencoded"


class TooLarge(LiaisonError):
    """More fields than the form has."""

    slug = "too-large"
    title = "That is too much at once"
    status = 413


def init_app(app: Flask, blueprints: Collection[str]) -> None:
    """Bounds every form of these blueprints."""

    # Before all else: the check against forgery reads the form already.
    @app.url_value_preprocessor
    def _bound(endpoint: str | None, _values: dict[str, Any] | None) -> None:
        if endpoint and endpoint.partition(".")[0] in blueprints:
            bound(endpoint)


def bound(endpoint: str) -> None:
    """Refuses a body with more bytes or fields than the form of this page can have."""
    most = MOST_FIELDS.get(endpoint)
    if most is None:
        request.max_content_length = request.max_form_memory_size = SMALL_FORM
        most = FEW_FIELDS
    if endpoint in FILES:
        request.max_content_length = FILES[endpoint]
    request.max_form_parts = most
    if request.mimetype == _URLENCODED and request.get_data(cache=True).count(b"&") >= most:
        raise TooLarge(
            f"Nothing was stored: this form has at most {most} fields. Go back and use the "
            "page's own form."
        )


def rows(pointer: str, most: int, detail: str) -> None:
    """``Invalid`` where the form that was sent has more rows than can be; ``detail`` says why.

    Counts as WTForms does, which would build each of them.
    """
    name = pointer.strip("/").replace("/", "-")
    found = set()
    for key in (*request.form, *request.files):
        place = key[len(name) + 1 :].partition("-")[0] if key.startswith(name) else ""
        # A number that int() refuses, or would make of other digits, is none of a browser's.
        if place.isdigit() and (not place.isascii() or len(place) > 9):
            raise Invalid([FieldError(pointer, "Open the page again and use its own form.")])
        if place.isdigit():
            found.add(int(place))
    if len(found) > most:
        raise Invalid([FieldError(pointer, f"{detail} There are {len(found)}.")])
