"""Other providers, and the orders that follow on them, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from liaison.portal.orders.told import Data, Told, quotes


def _route(data: Data) -> Told:
    return Told(
        "signpost-split",
        "Another provider took part (arts 17, 30):",
        f"{data.get('provider')}.",
        quotes(data, path="The path"),
    )


def _followed_on(data: Data) -> Told:
    return Told("arrow-return-right", "Follow-on order drafted, to", f"{data.get('provider')}.")


SENTENCES: Mapping[str, Callable[[Data], Told]] = {
    "order.route_reported": _route,
    "order.followed_on": _followed_on,
}

SHORT: Mapping[str, str] = {
    "order.route_reported": "Other provider named",
    "order.followed_on": "Follow-on drafted",
}
