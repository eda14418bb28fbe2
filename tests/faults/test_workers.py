"""Several workers on one database under load, and a database that dies under its workers."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.exc import SQLAlchemyError

from liaison.services.vault import Vault
from tests.conftest import Templates
from tests.faults.account import account
from tests.faults.conftest import FIGURES
from tests.faults.nursery import Nursery
from tests.faults.stage import Stage, Stages
from tests.postgresql import PostgreSQL

pytestmark = pytest.mark.timeout(900)

WORKERS = 3


@pytest.mark.postgresql_only
def test_three_workers_one_of_which_dies_each_second(
    stage: Stage,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    seconds: int = request.config.getoption("--minute")
    workers = [stage.start("forever") for _ in range(WORKERS)]
    killed, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        next_kill = time.monotonic() + 1
        (order,) = stage.issue()
        if len(stage.issued) % 3 == 0:
            stage.acknowledge(order)
        stage.move(minutes=4)  # ladders climb while workers die
        threading.Event().wait(max(0, next_kill - time.monotonic()))
        victim = workers.pop(0)
        os.kill(victim, signal.SIGKILL)
        killed += stage.end(victim).was_killed
        workers.append(stage.start("forever"))
    _end(stage, workers)
    stage.settle()
    found = account(stage)
    assert found.faults == []
    assert killed >= 1
    orders = len(stage.issued)
    counted = f"{WORKERS} workers, {killed} killed in {seconds} s, {orders} orders: {found}"
    record_property(FIGURES, counted)


def _end(stage: Stage, workers: list[int]) -> None:
    for pid in workers:
        os.kill(pid, signal.SIGTERM)
        assert stage.end(pid).code == 0, "a worker did not end well"


@pytest.fixture
def mortal(
    nursery: Nursery, vault: Vault, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[PostgreSQL, Stage]]:
    """A stage on a server of its own, which may die: what it has confirmed is on disk."""
    server = PostgreSQL(durable=True)
    home = tmp_path_factory.mktemp("mortal")
    (home / "templates").mkdir()
    try:
        own = Templates(home / "templates", server, vault)
        with Stages(own, server, nursery, vault, home).open("postgresql") as stage:
            yield server, stage
    finally:
        server.stop()


def test_the_database_is_killed_and_comes_back(mortal: tuple[PostgreSQL, Stage]) -> None:
    server, stage = mortal
    workers = [stage.start("forever") for _ in range(2)]
    stage.issue(3)
    outage = threading.Event()
    for _ in range(2):
        stage.move(minutes=16)
        outage.wait(0.3)  # the workers are in the middle of it
        server.kill()
        outage.wait(0.5)
        server.restart()
        stage.database.engine.dispose()
        _when_it_answers(stage)
        stage.acknowledge(stage.issued[-1])
        stage.issue()
    _end(stage, workers)
    stage.settle()
    assert account(stage).faults == []


def _when_it_answers(stage: Stage) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with stage.database.engine.connect():
                return
        except SQLAlchemyError:
            threading.Event().wait(0.1)
    raise AssertionError("the database did not come back")
