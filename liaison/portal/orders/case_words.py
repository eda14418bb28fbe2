"""What is written down of cases, in words; only the contact point reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from liaison.portal.orders.told import Data, Told


def _tied(data: Data) -> Told:
    return Told("folder-plus", "Put into the case", f"{data.get('case')}.")


def _untied(data: Data) -> Told:
    return Told("folder-minus", "Taken out of the case", f"{data.get('case')}.")


SENTENCES: Mapping[str, Callable[[Data], Told]] = {
    "order.tied": _tied,
    "order.untied": _untied,
}

SHORT: Mapping[str, str] = {
    "order.tied": "Put into a case",
    "order.untied": "Taken out of a case",
}
