"""Thousands of random steps through the lives of orders, on both databases.

A short form runs with every test; ``make lives`` takes ten thousand steps on each database.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from liaison.models import Database
from liaison.services.vault import Vault
from liaison.settings import Env, Settings
from liaison.worker import Work
from tests.conftest import ENCRYPTION_KEY, Templates
from tests.life.machine import Lives
from tests.mail import RecordingSender
from tests.postgresql import PostgreSQL
from tests.world import MovableClock, World

STEPS = 50
"""Of one database; then a fresh one."""

PHASES = (Phase.explicit, Phase.generate)
"""A life that broke a rule is told as it was: making it shorter would take hours."""


def test_whatever_happens_the_rules_hold(
    request: pytest.FixtureRequest,
    database_kind: str,
    templates: Templates,
    postgresql: PostgreSQL,
    vault: Vault,
    tmp_path: Path,
) -> None:
    @contextmanager
    def opened() -> Iterator[tuple[World, Work]]:
        home = tmp_path / uuid4().hex
        home.mkdir()
        url = templates.copy(database_kind, home, peopled=True)
        database, clock = Database(url), MovableClock()
        of_test = Settings(
            env=Env.TEST,
            database_url=database.url.render_as_string(hide_password=False),
            data_dir=home / "var",
            secret_key="the tests' secret, known to anybody who reads this",
            encryption_key=ENCRYPTION_KEY,
            base_url="http://localhost",
            mail_from="Liaison <liaison@police.example>",
        ).with_keys()
        world = World(database, clock, vault, templates.register_in(database_kind))
        yield world, Work(of_test, database, clock, RecordingSender(), name="worker-1")
        database.close()
        if database_kind == "postgresql":
            postgresql.drop(url)
        shutil.rmtree(home)

    wanted = int(request.config.getoption("steps"))
    machine = type("Lives", (Lives,), {"opened": staticmethod(opened), "steps": 0})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=max(wanted // STEPS, 1),
            stateful_step_count=STEPS,
            phases=PHASES,
            suppress_health_check=list(HealthCheck),
            deadline=None,
            database=None,
        ),
    )
    print(f"{machine.steps} steps on {database_kind}")  # type: ignore[attr-defined]
    assert machine.steps >= wanted // 2  # type: ignore[attr-defined]
