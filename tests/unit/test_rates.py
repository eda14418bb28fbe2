"""A key's bucket: how many requests are left, and when there is one more."""

from __future__ import annotations

from uuid import uuid4

import pytest

from liaison.api import rates
from liaison.api.rates import Rates
from liaison.errors import SettingsError
from liaison.settings import Settings
from tests.world import MovableClock


@pytest.mark.parametrize("a_minute", [1, 3, 7, 11, 60, 59, 600, 7001])
def test_who_waits_as_long_as_it_is_told_is_let_in(a_minute: int) -> None:
    counts, clock, key = Rates(a_minute), MovableClock(), uuid4()
    for n in range(a_minute):
        standing = counts.take(key, clock.now())
        assert (standing.left, standing.refused) == (a_minute - 1 - n, False)
    for _ in range(20):
        refused = counts.take(key, clock.now())
        assert (refused.left, refused.refused) == (0, True)
        assert 1 <= refused.more_in <= 60
        clock.move(seconds=refused.more_in)
        assert not counts.take(key, clock.now()).refused
        while not counts.take(key, clock.now()).refused:
            pass
    assert not counts.take(uuid4(), clock.now()).refused, "another key's bucket is its own"
    clock.move(minutes=1)
    assert counts.take(key, clock.now()).left == a_minute - 1


def test_at_the_pace_of_the_limit_nobody_is_ever_refused() -> None:
    counts, clock, key = Rates(7), MovableClock(), uuid4()
    for _ in range(7):
        counts.take(key, clock.now())
    for _ in range(500):
        clock.move(seconds=60 / 7 + 0.001)
        assert not counts.take(key, clock.now()).refused


def test_who_asks_meanwhile_waits_no_longer() -> None:
    counts, clock, key = Rates(6), MovableClock(), uuid4()
    for _ in range(6):
        counts.take(key, clock.now())
    told = []
    for _ in range(10):
        told.append(counts.take(key, clock.now()).more_in)
        clock.move(seconds=1)
    assert told == list(range(10, 0, -1))
    assert not counts.take(key, clock.now()).refused


def test_a_clock_that_is_moved_neither_gives_nor_takes() -> None:
    counts, clock, key = Rates(10), MovableClock(), uuid4()
    for _ in range(5):
        counts.take(key, clock.now())
    clock.move(hours=-1)
    assert counts.take(key, clock.now()).left == 4
    clock.move(seconds=6)
    assert counts.take(key, clock.now()).left == 4
    clock.move(hours=2)
    assert counts.take(key, clock.now()).left == 9


def test_what_is_full_again_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MANY", 8)
    counts, clock, busy = Rates(2), MovableClock(), uuid4()
    for _ in range(200):
        counts.take(uuid4(), clock.now())
        counts.take(busy, clock.now())
        clock.move(seconds=61)
        counts.take(busy, clock.now())
        counts.take(busy, clock.now())
    assert len(counts) < 20
    assert counts.take(busy, clock.now()).refused, "one that is not full is kept"


def test_the_setting_is_a_number_of_requests() -> None:
    for wrong in ("-1", "60001", "1.5", "many", "1000000", "٣"):
        with pytest.raises(SettingsError, match="LIAISON_RATE_LIMIT"):
            Settings.from_env({"LIAISON_RATE_LIMIT": wrong})
    assert Settings.from_env({"LIAISON_RATE_LIMIT": "0"}).rate_limit == 0
    assert Settings.from_env({}).rate_limit == 600
