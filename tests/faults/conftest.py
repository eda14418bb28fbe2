"""Stages for the crash plan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from liaison.services.vault import Vault
from tests.conftest import Templates
from tests.faults.nursery import Nursery
from tests.faults.stage import Stage, Stages
from tests.postgresql import PostgreSQL

FIGURES = "figures"
"""The property of a test under which its count is told at the end, from whichever process."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was counted, below the results."""
    for report in terminalreporter.getreports("passed"):
        for name, line in report.user_properties:
            if name == FIGURES:
                terminalreporter.write_line(str(line))


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Where workers come from."""
    with Nursery() as made:
        yield made


@pytest.fixture(scope="session")
def stages(
    templates: Templates,
    postgresql: PostgreSQL,
    nursery: Nursery,
    vault: Vault,
    tmp_path_factory: pytest.TempPathFactory,
) -> Stages:
    """Opens a stage on either database."""
    return Stages(templates, postgresql, nursery, vault, tmp_path_factory.mktemp("stages"))


@pytest.fixture
def stage(stages: Stages, database_kind: str) -> Iterator[Stage]:
    """One stage."""
    with stages.open(database_kind) as made:
        yield made
