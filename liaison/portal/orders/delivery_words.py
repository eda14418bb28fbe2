"""Notices that did not arrive, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from liaison.portal.orders.told import Data, Told, quotes
from liaison.queries.deliveries import reason


def _failed(data: Data) -> Told:
    what = "came back." if data.get("bounced") else "could not be delivered."
    said = quotes({**data, "error": reason(str(data.get("error") or ""))}, error="")
    return Told("envelope-x", f"Notice to {_to(data)}", what, said, bad=True)


def _retried(data: Data) -> Told:
    return Told("arrow-repeat", f"Notice to {_to(data)}", "sent again by hand.")


def _settled(data: Data) -> Told:
    told = f"Undelivered notice to {_to(data)}"
    return Told("envelope-check", told, "dealt with.", quotes(data, note=""))


def _to(data: Data) -> str:
    return str(data.get("to") or "a contact")


SENTENCES: Mapping[str, Callable[[Data], Told]] = {
    "order.delivery_failed": _failed,
    "order.delivery_retried": _retried,
    "order.delivery_settled": _settled,
}

SHORT: Mapping[str, str] = {
    "order.delivery_failed": "Notice not delivered",
    "order.delivery_retried": "Notice sent again",
    "order.delivery_settled": "Undelivered notice dealt with",
}
