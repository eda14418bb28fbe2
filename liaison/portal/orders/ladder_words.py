"""What people have done to a ladder, in words."""

from __future__ import annotations

from collections.abc import Callable

from liaison.domain.ladder import Whom
from liaison.portal.filters import written
from liaison.portal.orders.told import Data, Told, quotes


def _hastened(data: Data) -> Told:
    due = f" instead of on {written(data.get('due'))}" if data.get("due") else ""
    text = f"Escalated by hand: {_whom(data)} alerted"
    return Told("skip-forward-circle", text, f"at once{due}.", quotes(data, reason="Reason"))


def _skipped(data: Data) -> Told:
    passed = ", ".join(dict.fromkeys(_whom(rung) for rung in data.get("skipped") or []))
    text = f"Escalation goes on at: {_whom(data)}."
    said = quotes(data, reason="Reason")
    return Told("skip-forward-circle", text, f"Skipped: {passed}." if passed else "", said)


def _paused(data: Data) -> Told:
    until = written(data.get("until"))
    return Told(
        "pause-circle", "Escalation paused until", f"{until}.", quotes(data, reason="Reason")
    )


def _resumed(_data: Data) -> Told:
    return Told("play-circle", "The pause is over: the escalation", "goes on.")


def _closed(data: Data) -> Told:
    return Told("sign-stop", "Escalation", "closed.", quotes(data, reason="Reason"))


def _reopened(data: Data) -> Told:
    return Told("play-circle", "Escalation", "opened again.", quotes(data, reason="Reason"))


def _whom(rung: Data) -> str:
    """``our supervisor``, as a sentence has it."""
    label = next((w.label for w in Whom if w.value == rung.get("whom")), str(rung.get("whom")))
    return label[0].lower() + label[1:] if label.startswith("Our ") else label


SENTENCES: dict[str, Callable[[Data], Told]] = {
    "order.ladder_hastened": _hastened,
    "order.ladder_skipped": _skipped,
    "order.ladder_paused": _paused,
    "order.ladder_resumed": _resumed,
    "order.ladder_closed": _closed,
    "order.ladder_reopened": _reopened,
}

SHORT = {
    "order.ladder_hastened": "Escalated by hand",
    "order.ladder_skipped": "Rungs skipped",
    "order.ladder_paused": "Escalation paused",
    "order.ladder_resumed": "Escalation goes on",
    "order.ladder_closed": "Escalation closed",
    "order.ladder_reopened": "Escalation open again",
}
