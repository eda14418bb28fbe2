"""One problem type, as its page tells it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

REQUEST = "urn:liaison:request:019abc00000070008000000000000001"
"""The occurrence that the examples name."""


@dataclass(frozen=True)
class Problem:
    """One type. ``status`` as it is written in a table: ``409`` or ``409, 412``."""

    title: str
    status: str
    happened: str
    why: str
    person: str
    """What somebody at a page does; empty where no page is answered with it."""
    program: str
    """What a program does that got it from the endpoint; empty where none gets it."""
    example: str
    """A moment at which it comes, in a sentence."""
    detail: str = ""
    """What the endpoint says at that moment."""
    errors: tuple[tuple[str, str], ...] = ()
    """Pointer and detail of each fault."""

    def body(self, slug: str, base_url: str) -> dict[str, Any]:
        """The answer to a program at the moment of the example."""
        status = re.search(r"\d{3}", self.status)
        assert status is not None, "a program gets it with a status"
        told = {
            "type": f"{base_url}/problems/{slug}",
            "title": self.title,
            "status": int(status.group()),
            "detail": self.detail,
            "instance": REQUEST,
        }
        faults = [{"pointer": place, "detail": detail} for place, detail in self.errors]
        return told | ({"errors": faults} if faults else {})
