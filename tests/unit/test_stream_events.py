"""The types of entry a webhook can be told of are those that a provider's stream can hold."""

from __future__ import annotations

import re

from liaison.domain.stream_events import STREAM_EVENTS
from tests.floors import PACKAGE

SHARED = re.compile(r"ledger\.act\(\s*\w+(?:\.\w+)?,\s*(.*?),\s*\w+,", re.DOTALL)


def test_every_type_that_a_verb_shares_can_be_chosen() -> None:
    named: set[str] = set()
    for path in (PACKAGE / "services").glob("*.py"):
        for first in SHARED.findall(path.read_text(encoding="utf-8")):
            named |= set(re.findall(r'"(order\.\w+)"', first))
    assert len(named) > 15
    assert named <= set(STREAM_EVENTS)
