"""What follows a preservation, in words: extensions, MLA requests, release, disposal."""

from __future__ import annotations

from collections.abc import Callable

from liaison.domain.vocabulary import FollowUpKind
from liaison.portal.filters import written
from liaison.portal.orders.told import Data, Told, quotes


def _requested(data: Data) -> Told:
    until = written(data.get("until"))
    return Told("calendar-plus", "Extension asked for, until", f"{until}.", quotes(data, reason=""))


def _extended(data: Data) -> Told:
    strong = f"{written(data.get('until'))}."
    if data.get("shorter"):
        strong += f" Asked for was {written(data.get('asked_until'))}."
    said = quotes(data, reference="Their reference", note="Note")
    return Told("calendar-check", "Extended: kept until", strong, said, bool(data.get("shorter")))


def _mla_recorded(data: Data) -> Told:
    kind = next((k.label for k in FollowUpKind if k.value == data.get("kind")), "Follow-up")
    text = f"{kind} of {written(data.get('sent_on'))} recorded:"
    said = quotes(data, reference="Reference", note="Note")
    return Told("bank", text, "the data are kept until it is decided.", said)


def _released(data: Data) -> Told:
    strong = "Disposal is to be confirmed." if data.get("disposal_wanted") else ""
    return Told("unlock", "Released: the data are needed no longer.", strong, quotes(data, note=""))


def _disposed(data: Data) -> Told:
    return Told(
        "trash", "Disposal", "confirmed.", quotes(data, reference="Their reference", note="Note")
    )


SENTENCES: dict[str, Callable[[Data], Told]] = {
    "order.extension_requested": _requested,
    "order.extended": _extended,
    "order.mla_recorded": _mla_recorded,
    "order.released": _released,
    "order.disposed": _disposed,
}

SHORT = {
    "order.extension_requested": "Extension asked for",
    "order.extended": "Extended",
    "order.mla_recorded": "MLA request recorded",
    "order.released": "Released",
    "order.disposed": "Disposal confirmed",
}
