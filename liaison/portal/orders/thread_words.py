"""Questions, answers and internal notes in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from liaison.domain.attachments import shown
from liaison.portal.orders.told import Data, Told, quotes


def _message(data: Data) -> Told:
    theirs = data.get("side") == "provider"
    # Before there were remarks, whatever a provider wrote was a question.
    asked = "Question" if data.get("question", True) else "Message from the provider"
    kind = asked if theirs else "Message to the provider"
    files = tuple(("File", shown(str(f.get("name")))) for f in data.get("attachments") or [])
    return Told("chat-left-text", f"{kind}:", quotes=(("", str(data.get("text", ""))), *files))


def _answer_late(_data: Data) -> Told:
    return Told("alarm", "The time to answer a question has passed:", "nobody answered.", bad=True)


def _noted(data: Data) -> Told:
    return Told("sticky", "Internal note:", quotes=quotes(data, text=""))


SENTENCES: Mapping[str, Callable[[Data], Told]] = {
    "order.message": _message,
    "order.answer_late": _answer_late,
    "order.noted": _noted,
}

SHORT: Mapping[str, str] = {
    "order.message": "Message",
    "order.answer_late": "Question unanswered",
    "order.noted": "Internal note",
}
