"""A process is killed at each boundary of its work: nothing is lost, nothing is missing."""

from __future__ import annotations

import pytest

from tests.faults import trips
from tests.faults.account import account
from tests.faults.stage import LEASE, Stage, resume

pytestmark = pytest.mark.timeout(900)

FAILING = "451 try later"


@pytest.mark.parametrize("point", trips.OF_THE_WORKER)
def test_a_worker_dies_at(stage: Stage, point: str) -> None:
    stage.issue(2)
    if point.startswith("put-off"):
        stage.smtp.script(FAILING)
    assert stage.work(point=point).was_killed, "it never came to this boundary"
    stage.settle()
    found = account(stage)
    assert found.faults == []
    assert stage.tripped() == [point]


@pytest.mark.parametrize("at", ["begin", "before-commit", "after-commit"])
def test_an_acknowledgement_dies_at(stage: Stage, at: str) -> None:
    (order,) = stage.issue()
    stage.work()
    stage.move(minutes=16)
    assert stage.end(stage.act("acknowledge", order, "spoc", point=f"acknowledge:{at}")).was_killed
    if at == "after-commit":
        stage.acknowledged[order] = 2**63  # it counts, though nobody was told
    stage.settle()
    assert account(stage).faults == []


@pytest.mark.parametrize("at", ["begin", "before-commit", "after-commit"])
def test_an_issue_dies_at(stage: Stage, at: str) -> None:
    stage.world.clock.set(stage.now)
    order = str(stage.world.draft().id)
    assert stage.end(stage.act("issue", order, "officer", point=f"issue:{at}")).was_killed
    (stage.issued if at == "after-commit" else stage.drafted).append(order)
    stage.settle()
    assert account(stage).faults == []


def test_a_worker_sleeps_past_its_lease_and_wakes(stage: Stage) -> None:
    stage.issue()
    sleeper = stage.start("once", point="send:before", by=trips.STOP)
    assert stage.nursery.is_stopped(sleeper)
    stage.move(seconds=2 * LEASE)
    assert stage.work().code == 0
    first = len(stage.smtp.letters)
    resume(sleeper)
    assert stage.end(sleeper).code == 0
    stage.settle()
    found = account(stage)
    assert found.faults == []
    assert len(stage.smtp.letters) >= first
    assert found.repeats <= 1
