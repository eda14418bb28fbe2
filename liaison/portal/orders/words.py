"""Ledger entries in words. Texts of others are only ever handed on to be escaped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from liaison.domain.ladder import Climb, Whom
from liaison.domain.vocabulary import CallOutcome, Function, Ground, Outcome, Term
from liaison.portal.filters import written
from liaison.portal.orders import (
    case_words,
    delivery_words,
    doubt_words,
    four_eyes_words,
    kept_words,
    ladder_words,
    reply_words,
    route_words,
    thread_words,
)
from liaison.portal.orders.told import Data, Told
from liaison.portal.orders.told import quotes as _quotes
from liaison.queries.timeline import Item
from liaison.services import calls_moved

__all__ = ["TYPES", "Told", "label", "listing", "short", "tell", "via"]


def tell(item: Item) -> Told:
    """One entry of the timeline as a sentence."""
    sentence = _SENTENCES.get(item.type)
    if sentence is None:
        return Told("dot", item.type.removeprefix("order.").replace("_", " ").capitalize() + ".")
    if item.data is None:
        return Told("eraser", f"{short(item.type)}. What was written has been erased.")
    return sentence(item.data)


def short(type_: str | None) -> str:
    """An entry type in two or three words, for the queue."""
    if type_ is None:
        return "Nothing yet"
    return _SHORT.get(type_, type_.removeprefix("order.").replace("_", " ").capitalize())


def via(item: Item) -> str:
    """How the actor proved who they are, and from where."""
    if not item.via:
        return ""
    factor = {"totp": "signed in with a code", "api-key": "by API key"}.get(
        str(item.via.get("factor")), str(item.via.get("factor"))
    )
    address = item.via.get("address")
    return f"{factor}, from {address}" if address else factor


def label(kind: type[Term], value: object) -> str:
    """The label of a word of a closed list; the word itself where the list has changed."""
    try:
        return kind(str(value)).label
    except ValueError:
        return str(value)


def listing(parts: Iterable[str]) -> str:
    """``a, b and c``."""
    words = [part for part in parts if part]
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def _drafted(_data: Data) -> Told:
    return Told("pencil", "Draft written.")


def _edited(_data: Data) -> Told:
    return Told("pencil", "Draft changed.")


def _discarded(_data: Data) -> Told:
    return Told("trash", "Draft discarded. Nobody outside was told of it.")


def _issued(data: Data) -> Told:
    memorandum = data.get("memorandum") or {}
    under = f" under memorandum {memorandum.get('ref')}" if memorandum.get("ref") else ""
    return Told("send", f"Order issued{under}.", "The clocks run.")


def _fetched(_data: Data) -> Told:
    return Told("eye", "Opened at the provider for the first time.")


def _acknowledged(data: Data) -> Told:
    quotes = _quotes(data, reference="Their reference", note="Note")
    if data.get("by_reply"):
        return reply_words.acknowledged(data)
    if data.get("by_phone"):
        return Told("telephone-inbound", f"{data['by_phone']}:", "acknowledged by phone.", quotes)
    return Told("check2-circle", "Receipt", "acknowledged.", quotes)


def _report(data: Data, verb: str) -> Told:
    until = str(data.get("until") or "")
    outcome = label(Outcome, data.get("outcome"))
    strong = f"{outcome}, until {_day(until)}." if until else f"{outcome}."
    quotes = _quotes(
        data,
        reference="Their reference",
        sha256="SHA-256 of what is kept",
        risk="Risk (art. 29(6))",
        note="Note",
    )
    return Told("shield-check", f"{verb}:", strong, quotes, bad=bool(data.get("risk")))


def _preserved(data: Data) -> Told:
    return _report(data, "Preservation confirmed")


def _amended(data: Data) -> Told:
    cut = "Less is kept than before" if data.get("shorter") else ""
    told = _report(data, "Preservation report amended")
    return replace(told, strong=f"{told.strong} {cut}.", bad=True) if cut else told


def _declined(data: Data) -> Told:
    grounds = listing(label(Ground, ground) for ground in data.get("grounds") or [])
    kept = "kept meanwhile" if data.get("preserved_meanwhile") else "not kept meanwhile"
    quotes = _quotes(data, explanation="Explanation")
    return Told("x-octagon", f"Declined: {grounds}.", f"The data are {kept}.", quotes, bad=True)


def _withdrawn(data: Data) -> Told:
    return Told("arrow-counterclockwise", "Order", "withdrawn.", _quotes(data, reason="Reason"))


def _escalated(data: Data) -> Told:
    called = data.get("called") or []
    names = listing(_with_function(c) for c in called)
    why = {
        Climb.ACKNOWLEDGE.name.lower(): "not acknowledged yet",
        Climb.PRESERVE.name.lower(): "preservation not confirmed in time",
    }.get(str(data.get("climb")), "no answer yet")
    if data.get("early"):
        why = "preservation not confirmed yet"
    whom = label(Whom, data.get("whom"))
    return Told("arrow-up-circle", f"{whom} alerted, {why}:", f"{names or 'nobody reachable'}.")


def _with_function(contact: Data) -> str:
    name, function = str(contact.get("name")), label(Function, contact.get("function"))
    return name if name.lower() == function.lower() else f"{name} ({function})"


def _call_logged(data: Data) -> Told:
    outcome = data.get("outcome")
    return Told(
        "telephone-outbound",
        f"{data.get('contact')} called, {data.get('phone')}.",
        f"{label(CallOutcome, outcome)}.",
        _quotes(data, answered_by="Answered by", note=""),
        bad=outcome == CallOutcome.WRONG_NUMBER.value,
    )


_MOVED = {
    calls_moved.REMOVED: "is not registered any more; to be called:",
    calls_moved.CHANGED: "has another number; to be called:",
}


def _call_reopened(data: Data) -> Told:
    who = f"{data.get('contact')}."
    if moved := _MOVED.get(str(data.get("after"))):
        return Told("telephone-plus", f"{data.get('before')} {moved}", who)
    after = label(CallOutcome, data.get("after")).lower()
    return Told("telephone-plus", f"To be called again, after “{after}”:", who)


def _ladder_mended(_data: Data) -> Told:
    return Told("tools", "The ladder stood still; the portal", "set it going again.", bad=True)


def _plan_mended(data: Data) -> Told:
    day = _day(data.get("preserved_until"))
    return Told("tools", f"Nothing was planned for {day}; the portal", "planned it.", bad=True)


def _expired(data: Data) -> Told:
    until = _day(data.get("preserved_until"))
    return Told("hourglass-bottom", f"The promised date {until} has passed.", "Expired.")


def _day(moment: object) -> str:
    """``27 Feb 2027`` from RFC 3339."""
    return written(str(moment or "")[:10])


_SENTENCES: dict[str, Callable[[Data], Told]] = {
    "order.drafted": _drafted,
    "order.edited": _edited,
    "order.discarded": _discarded,
    "order.issued": _issued,
    "order.fetched": _fetched,
    "order.acknowledged": _acknowledged,
    "order.preserved": _preserved,
    "order.preservation_amended": _amended,
    "order.declined": _declined,
    "order.withdrawn": _withdrawn,
    "order.escalated": _escalated,
    "order.call_logged": _call_logged,
    "order.call_reopened": _call_reopened,
    "order.ladder_mended": _ladder_mended,
    "order.plan_mended": _plan_mended,
    "order.expired": _expired,
    **case_words.SENTENCES,
    **delivery_words.SENTENCES,
    **doubt_words.SENTENCES,
    **kept_words.SENTENCES,
    **four_eyes_words.SENTENCES,
    **ladder_words.SENTENCES,
    **reply_words.SENTENCES,
    **route_words.SENTENCES,
    **thread_words.SENTENCES,
}

TYPES = frozenset(_SENTENCES)
"""The entry types that have a sentence."""

_SHORT = {
    "order.drafted": "Drafted",
    "order.edited": "Draft changed",
    "order.discarded": "Discarded",
    "order.issued": "Issued",
    "order.fetched": "Opened by provider",
    "order.acknowledged": "Acknowledged",
    "order.preserved": "Preservation confirmed",
    "order.preservation_amended": "Report amended",
    "order.declined": "Declined",
    "order.withdrawn": "Withdrawn",
    "order.escalated": "Ladder alerted",
    "order.call_logged": "Call",
    "order.call_reopened": "Call again",
    "order.ladder_mended": "Ladder set going again",
    "order.plan_mended": "Expiry planned anew",
    "order.expired": "Expired",
    **case_words.SHORT,
    **delivery_words.SHORT,
    **doubt_words.SHORT,
    **kept_words.SHORT,
    **four_eyes_words.SHORT,
    **ladder_words.SHORT,
    **reply_words.SHORT,
    **route_words.SHORT,
    **thread_words.SHORT,
}
