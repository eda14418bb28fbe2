"""Entries about submitting, authorising and ratifying, in words."""

from __future__ import annotations

from collections.abc import Callable

from liaison.portal.filters import written
from liaison.portal.orders.told import Data, Told, quotes


def _submitted(data: Data) -> Told:
    named = ", ".join(str(name) for name in data.get("written_by") or [])
    wrote = f" Its case system names as its writers: {named}." if named else ""
    said = f"another person must authorise it.{wrote}"
    return Told("people", "Submitted for authorisation:", said)


def _returned(data: Data) -> Told:
    told = quotes(data, note="What must be changed")
    return Told("arrow-return-left", "Returned:", "a draft again.", told)


def _authorised(_data: Data) -> Told:
    return Told("person-check", "Authorised", "by a second person.")


def _ratified(data: Data) -> Told:
    late = ", after its time" if data.get("late") else ""
    return Told("person-check", "Ratified", f"by a second person{late}.")


def _overdue(data: Data) -> Told:
    by = written(data.get("ratify_by"))
    return Told("person-x", f"Not ratified by {by}:", "nobody stands behind it yet.", bad=True)


def _paged(data: Data) -> Told:
    names = ", ".join(str(name) for name in data.get("called") or []) or "nobody reachable"
    return Told("arrow-up-circle", "Still not ratified, told again:", f"{names}.", bad=True)


SENTENCES: dict[str, Callable[[Data], Told]] = {
    "order.submitted": _submitted,
    "order.returned": _returned,
    "order.authorised": _authorised,
    "order.ratified": _ratified,
    "order.ratification_overdue": _overdue,
    "order.ratification_paged": _paged,
}

SHORT = {
    "order.submitted": "Submitted",
    "order.returned": "Returned",
    "order.authorised": "Authorised",
    "order.ratified": "Ratified",
    "order.ratification_overdue": "Not ratified",
    "order.ratification_paged": "Told again: not ratified",
}
