"""What changed from one report to the next."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from liaison.domain.answer_changes import Found, Said, changes
from liaison.domain.vocabulary import Outcome
from tests.world import START

ONE, TWO = uuid4(), uuid4()
LATER = START + timedelta(days=90)
FIRST = Said(
    until=LATER,
    preserved_at=START,
    reference=None,
    sha256=None,
    risk=None,
    note=None,
    targets={ONE: Found(Outcome.PRESERVED, LATER), TWO: Found(Outcome.PARTIAL, LATER, "half")},
)


def test_the_same_again_changes_nothing() -> None:
    found = changes(FIRST, replace(FIRST))
    assert found.nothing
    assert not found.shorter


def test_only_what_differs_is_told() -> None:
    after = replace(
        FIRST,
        risk="It may be wiped.",
        targets=dict(FIRST.targets) | {TWO: Found(Outcome.PRESERVED, LATER)},
    )
    found = changes(FIRST, after)
    assert found.until is None
    assert found.texts == ("risk",)
    assert [(c.target_id, c.worse) for c in found.targets] == [(TWO, False)]
    assert not found.shorter


@pytest.mark.parametrize(
    "one",
    [
        Found(Outcome.PRESERVED, LATER - timedelta(days=1)),
        Found(Outcome.PARTIAL, LATER),
        Found(Outcome.NOTHING_HELD, None),
    ],
)
def test_less_of_one_target_is_marked(one: Found) -> None:
    assert changes(FIRST, replace(FIRST, targets=dict(FIRST.targets) | {ONE: one})).shorter


@pytest.mark.parametrize("days", [-1, 1])
def test_an_earlier_date_is_shorter_and_a_later_is_not(days: int) -> None:
    until = LATER + timedelta(days=days)
    moved = {id_: replace(found, until=until) for id_, found in FIRST.targets.items()}
    found = changes(FIRST, replace(FIRST, until=until, targets=moved))
    assert found.until == (LATER, until)
    assert found.shorter == (days < 0)
