"""Seeded rounds of whatever can go wrong together; the seed is in the failure's text."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.faults import trips
from tests.faults.account import Count, account
from tests.faults.conftest import FIGURES
from tests.faults.stage import LEASE, Stage, Stages, resume
from tests.http_sink import HALF, OK, RESET, Reply

pytestmark = pytest.mark.timeout(7200)

ANSWERS = (OK, Reply(500), Reply(429, {"Retry-After": "3"}), HALF, RESET)

REPLIES = ("421 closing", "451 try later", "452 no room", "550 no such user", "250 taken")


def test_rounds(
    stages: Stages,
    database_kind: str,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    rounds: int = request.config.getoption("--rounds")
    total, tripped = Count(), 0
    for seed in range(rounds):
        with stages.open(database_kind) as stage:
            play(stage, random.Random(seed))
            found = account(stage)
            tripped += len(stage.tripped())
        assert found.faults == [], f"seed {seed}"
        total.add(found)
    assert 3 * tripped >= rounds, "too few processes died to prove anything"
    counted = f"{rounds} rounds on {database_kind}, {tripped} killed or stopped: {total}"
    record_property(FIGURES, counted)


def play(stage: Stage, chance: random.Random) -> None:
    """Orders, and what befalls their worker, their mail server, their clock and their answers."""
    if chance.random() < 0.5:
        stage.with_hooks().script(*chance.choices(ANSWERS, k=chance.randint(0, 4)))
    waiting = stage.issue(chance.randint(1, 3))
    sleepers: list[int] = []
    for _ in range(chance.randint(2, 5)):
        happens = chance.choice((_dies, _dies, _dies, _sleeps, _clock, _replies, _answers, _time))
        happens(stage, chance, waiting, sleepers)
    for pid in sleepers:
        resume(pid)
        stage.end(pid)
    stage.settle()


def _dies(stage: Stage, chance: random.Random, *_: object) -> None:
    stage.work(point=chance.choice(trips.OF_THE_WORKER), nth=chance.randint(1, 4))


def _sleeps(stage: Stage, chance: random.Random, _: list[str], sleepers: list[int]) -> None:
    """Stands still outside of a transaction: inside one it would hold SQLite's only writer."""
    point = chance.choice(("send:before", "send:after", "claim:after-commit", "confirm:begin"))
    pid = stage.start("once", point=point, nth=chance.randint(1, 2), by=trips.STOP)
    if stage.nursery.is_stopped(pid):
        sleepers.append(pid)
    else:
        stage.end(pid)
    stage.move(seconds=2 * LEASE)


def _clock(stage: Stage, chance: random.Random, *_: object) -> None:
    """All clocks jump by an hour, work is done there, and they are set right again."""
    hours = chance.choice((-1, 1))
    stage.move(hours=hours)
    stage.work(point=chance.choice(trips.OF_THE_WORKER), nth=2)
    stage.move(hours=-hours)


def _replies(stage: Stage, chance: random.Random, *_: object) -> None:
    stage.smtp.script(*chance.choices(REPLIES, k=chance.randint(1, 4)))
    stage.work()


def _answers(stage: Stage, chance: random.Random, waiting: list[str], _: object) -> None:
    """Somebody acknowledges while a worker runs; one time in two the worker dies of it."""
    if not waiting:
        return
    order = waiting.pop(chance.randrange(len(waiting)))
    point = chance.choice(trips.OF_THE_WORKER) if chance.random() < 0.5 else None
    worker = stage.start("once", point=point)
    answer = stage.act("acknowledge", order, "spoc")
    assert stage.end(answer).code == 0
    stage.end(worker)


def _time(stage: Stage, chance: random.Random, *_: object) -> None:
    stage.move(minutes=chance.choice((5, 16, 31)))
    stage.work()
