"""The shape of a ledger entry in words, and how others' texts are quoted in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Told:
    """An entry as a sentence: ``text``, then ``strong`` in bold; ``quotes`` are others' words."""

    icon: str
    text: str
    strong: str = ""
    quotes: tuple[tuple[str, str], ...] = ()
    """Label (may be empty) and text."""
    bad: bool = False


def quotes(data: Data, **labels: str) -> tuple[tuple[str, str], ...]:
    """The texts of these names that are there, each under its label."""
    return tuple((text, str(data[name])) for name, text in labels.items() if data.get(name))
