"""A request's history and its letters, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from liaison.domain.request import LANGUAGES, LetterKind
from liaison.domain.vocabulary import PartyGround
from liaison.models import Message
from liaison.models.work import MessageState
from liaison.portal.filters import Tag, utc
from liaison.queries.requests import Happened

FIELDS = {
    "party": "the Party",
    "reference": "their reference",
    "received_at": "when it arrived",
    "requesting_authority": "the authority that asks",
    "contact_name": "the contact’s name",
    "contact_email": "the contact’s address",
    "contact_phone": "the contact’s phone number",
    "language": "the language",
    "status": "the status",
    "previous": "the earlier requests",
    "urgency": "the urgency",
    "emergency_ground": "the emergency ground",
    "legal_basis": "the legal basis",
    "offence": "the offence",
    "facts": "the facts",
    "targets": "the targets",
    "custodian": "the custodian",
    "necessity": "the necessity",
    "mla_intended": "whether an MLA request follows",
    "mla_expected_by": "when the MLA request is expected",
    "investigating_authority": "the investigating authority",
    "prosecution": "the prosecution",
    "confidential_until": "the confidentiality",
    "duration_days": "the days",
}


@dataclass(frozen=True)
class Told:
    """An entry as a sentence; ``quote`` is what somebody typed."""

    icon: str
    text: str
    quote: str = ""
    warn: bool = False


def tell(item: Happened) -> Told:
    """One entry of a request's history. A type without a sentence is told by its name."""
    say = _SENTENCES.get(item.type)
    return say(item.data) if say else Told("dot", item.type.removeprefix("request."))


def sent(message: Message | None) -> Tag:
    """Whether a letter left, as a tag."""
    if message is None:
        return "", "envelope", "Not known"
    if message.state is MessageState.SENT:
        return "green", "envelope-check", f"Sent {utc(message.sent_at)} UTC"
    if message.state is MessageState.FAILED:
        return "amber", "envelope-x", "Not delivered"
    if message.last_error:
        return "amber", "hourglass-split", "Not delivered yet; it is tried again"
    return "blue", "hourglass-split", "On its way"


def _registered(data: dict[str, Any]) -> Told:
    also = data.get("also") or []
    more = f" The reference was known from {', '.join(map(str, also))}." if also else ""
    return Told("inbox", f"Registered as {data.get('number')}.{more}")


def _changed(data: dict[str, Any]) -> Told:
    names = [FIELDS.get(str(name), str(name)) for name in data.get("changed") or []]
    text = f"Changed: {', '.join(names)}."
    if address := data.get("address"):
        old, new = address
        text += f" Letters had gone to {old}; from now on they go to {new}."
        return Told("shield-exclamation", text, warn=True)
    return Told("pencil", text)


def _letter(data: dict[str, Any]) -> Told:
    kind = {k.value: k.label.lower() for k in LetterKind}.get(str(data.get("letter")), "letter")
    language = LANGUAGES.get(str(data.get("language")), "")
    items = data.get("items") or []
    what = f" It asks for {', '.join(map(str, items))} of art. 29(2)." if items else ""
    return Told("envelope", f"Letter ({kind}, {language}) to {data.get('to')}.{what}")


def _refused(data: dict[str, Any]) -> Told:
    known = {ground.value: ground.label for ground in PartyGround}
    grounds = [known.get(str(g), str(g)) for g in data.get("grounds") or []]
    return Told(
        "slash-circle", f"Refused: {', '.join(grounds)}.", str(data.get("explanation") or "")
    )


def _closed(data: dict[str, Any]) -> Told:
    if data.get("reported"):
        return Told("check2-circle", "Closed: the result was reported.")
    return Told("check2-circle", "Closed without a result.", str(data.get("reason") or ""))


_SENTENCES = {
    "request.registered": _registered,
    "request.changed": _changed,
    "request.letter": _letter,
    "request.refused": _refused,
    "request.closed": _closed,
}
