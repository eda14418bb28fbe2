"""Doubts and vouches in words."""

from __future__ import annotations

from collections.abc import Callable

from liaison.domain.ladder import Whom
from liaison.portal.orders.told import Data, Told, quotes


def _doubted(data: Data) -> Told:
    text = "The provider doubts this order."
    strong = "The data are kept provisionally." if data.get("kept_provisionally") else ""
    return Told("question-octagon", text, strong, quotes(data, reason="Reason"))


def _vouched(data: Data) -> Told:
    number, needed = data.get("vouches"), data.get("needed")
    if data.get("voided"):
        text = f"A vouch for the order counts no more ({number} of {needed}):"
        return Told("person-x", text, "another person must vouch.", bad=True)
    done = isinstance(number, int) and isinstance(needed, int) and number >= needed
    strong = "The doubt is over." if done else "One more person must vouch."
    text = f"Vouched for the order ({number} of {needed})."
    return Told("person-check", text, strong, quotes(data, note="Note"))


def _vouch_voided(data: Data) -> Told:
    text = f"The vouch of {data.get('person')} counts no more:"
    return Told("person-x", text, "their access or role was taken away.")


def _doubt_escalated(data: Data) -> Told:
    called = data.get("called") or []
    names = ", ".join(str(c.get("name")) for c in called) or "nobody reachable"
    whom = next((w.label for w in Whom if w.value == data.get("whom")), "Our people")
    return Told("arrow-up-circle", f"{whom} alerted, the order is doubted:", f"{names}.")


SENTENCES: dict[str, Callable[[Data], Told]] = {
    "order.doubted": _doubted,
    "order.vouched": _vouched,
    "order.vouch_voided": _vouch_voided,
    "order.doubt_escalated": _doubt_escalated,
}

SHORT = {
    "order.doubted": "Doubted",
    "order.vouched": "Vouched for",
    "order.vouch_voided": "A vouch voided",
    "order.doubt_escalated": "Doubt: our people alerted",
}
