"""Entries about answers by telephone, in words."""

from __future__ import annotations

from collections.abc import Callable

from liaison.portal.orders.told import Data, Told, quotes

_WAYS = {"text": "by text message", "voice": "by a key in an automatic call"}

_CAME = {
    "unclear": "It may mean another order: nothing was acknowledged. Call the number.",
    "not_open": "No order waited for it any more: nothing was acknowledged.",
    "not_allowed": "It does not count as an acknowledgement: nothing was acknowledged.",
    "noted": "Nothing was acknowledged; nobody has answered it.",
}


def acknowledged(data: Data) -> Told:
    """Receipt that was confirmed by telephone, and from which number."""
    way = _WAYS.get(str(data.get("way")), "by telephone")
    return Told(
        "phone", f"{data.get('by_reply')}, {data.get('number')}:", f"receipt acknowledged {way}."
    )


def _received(data: Data) -> Told:
    way = _WAYS.get(str(data.get("way")), "by telephone")
    who = f"{data.get('contact')}, {data.get('number')}, answered {way}."
    came = str(data.get("came"))
    return Told("phone", who, _CAME.get(came, ""), quotes(data, text=""), bad=came == "unclear")


SENTENCES: dict[str, Callable[[Data], Told]] = {"order.reply_received": _received}

SHORT = {"order.reply_received": "Answer by telephone"}
