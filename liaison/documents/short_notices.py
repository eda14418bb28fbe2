"""Notices for a telephone: one short text message, or what an automatic call reads out.

They say that something waits and where to look: marker, ref, provider, deadline, the portal's
address. No case data, ever; nor does a link lead past the sign-in.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from liaison.documents.letters import one_line
from liaison.domain.vocabulary import Channel, Urgency

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€")
"""Septets of the default alphabet, and those that take two (3GPP TS 23.038, 6.2.1)."""

ONE_MESSAGE = 160
"""Septets of one message of the default alphabet (3GPP TS 23.040)."""

IN_ANY_SCRIPT = 134
"""UTF-16 units of two joined messages in any other script, 67 each: one would hold too little."""

_WAITING = {
    "order_issued": "order waits for acknowledgement",
    "supervisor_page": "nobody has answered, take over",
    "order_doubted": "provider doubts it, vouch or withdraw",
    "ratification_overdue": "not ratified in time",
    "ratify_wanted": "issued at once, ratify it",
    "delivery_failed": "a notice was not delivered, call",
}
_CLIMBS = {"acknowledge": "not acknowledged", "preserve": "preservation not confirmed"}
_OTHERWISE = "look in the portal"

_SPOKEN = {
    "order_issued": "A preservation order waits for your acknowledgement.",
    "supervisor_page": "Nobody has answered a preservation order. Please take over.",
    "order_doubted": "The provider doubts a preservation order. Vouch for it, or withdraw it.",
    "ratification_overdue": "An emergency order was not ratified in time.",
    "ratify_wanted": "An emergency order was issued at once and waits for ratification.",
    "delivery_failed": "A notice about a preservation order could not be delivered.",
}
_SPOKEN_CLIMBS = {
    "acknowledge": "A preservation order is not acknowledged yet.",
    "preserve": "A preservation order is acknowledged, but preservation is not confirmed.",
}
_SPOKEN_OTHERWISE = "Something waits for you about a preservation order."


def short_notice(
    channel: Channel, letter: str, params: Mapping[str, Any], base_url: str, env: str
) -> str:
    """What goes to a telephone in place of the letter of this name; ``params`` are the letter's.

    ``reply``: a reply of "1" acknowledges receipt of the order.
    """
    values = {k: one_line(v) if isinstance(v, str) else v for k, v in params.items()}
    if channel is Channel.VOICE:
        return _spoken(letter, values, env)
    return _written(letter, values, base_url.rstrip("/"), env)


def _written(letter: str, params: Mapping[str, Any], base: str, env: str) -> str:
    """The longest that fits of: all, a shorter provider's name, none, no address either."""
    marks = ["DEMO"] if env == "demo" else []
    marks += ["TEST"] if params.get("test") else []
    marks += [mark] if (mark := _mark(params["urgency"])) else []
    before = " ".join([*marks, str(params["ref"])])
    what = _CLIMBS.get(str(params.get("climb")), _OTHERWISE)
    what = what if letter == "escalation" else _WAITING.get(letter, _OTHERWISE)
    due = f" By {_moment(params['due'])}." if "due" in params else ""
    reply = " Reply 1 to confirm receipt." if params.get("reply") else ""
    for address in (f" {base}", ""):
        after = f": {what}.{due}{address}{reply}"
        name = str(params["provider"])
        for length in range(len(name), 0, -1):
            shown = name if length == len(name) else name[:length].rstrip() + "."
            if fits(text := f"{before} {shown}{after}"):
                return text
        if fits(text := f"{before}{after}"):
            return text
    return f"{before}: {what}.{reply}"


def fits(text: str) -> bool:
    """Whether a text goes as one message, or as two where its script asks for more room."""
    if all(c in _BASIC or c in _EXTENDED for c in text):
        return len(text) + sum(c in _EXTENDED for c in text) <= ONE_MESSAGE
    return len(text.encode("utf-16-le", "replace")) // 2 <= IN_ANY_SCRIPT


def _mark(urgency: str) -> str:
    return "" if urgency == Urgency.ROUTINE else Urgency(urgency).label.upper()


def _moment(at: str) -> str:
    return datetime.fromisoformat(at).astimezone(UTC).strftime("%d %b %H:%M UTC")


def _spoken(letter: str, params: Mapping[str, Any], env: str) -> str:
    climb = str(params.get("climb"))
    what = (
        _SPOKEN_CLIMBS.get(climb, _SPOKEN_OTHERWISE)
        if letter == "escalation"
        else _SPOKEN.get(letter, _SPOKEN_OTHERWISE)
    )
    urgency = Urgency(params["urgency"])
    parts = [
        "This is a demonstration. Nothing here is real." if env == "demo" else "",
        f"This is an automatic call of {params['authority']}.",
        "This is a test, a drill." if params.get("test") else "",
        "" if urgency is Urgency.ROUTINE else f"{urgency.label}.",
        what,
        f"Provider: {params['provider']}.",
        f"Order number: {_spelled(str(params['ref']))}.",
        f"The time ends on {_spoken_moment(params['due'])}." if "due" in params else "",
        "Please sign in to the portal.",
        "To confirm receipt, press 1." if params.get("reply") else "",
    ]
    return " ".join(part for part in parts if part)


def _spelled(ref: str) -> str:
    """A letter or a digit at a time; a comma is a pause."""
    return ", ".join(" ".join(part) for part in ref.split("-"))


def _spoken_moment(at: str) -> str:
    moment = datetime.fromisoformat(at).astimezone(UTC)
    return f"{moment.day} {moment:%B} at {moment:%H:%M} UTC"
