"""A worker on the tests' world."""

from __future__ import annotations

import pytest

from liaison.models import Database
from liaison.settings import Settings
from liaison.worker import Work
from tests.mail import RecordingSender
from tests.world import MovableClock, World


@pytest.fixture
def work(
    settings: Settings,
    world: World,
    database: Database,
    clock: MovableClock,
    sender: RecordingSender,
) -> Work:
    """Its clock is the test's, its letters are kept in ``sender``."""
    return Work(settings, database, clock, sender, name="worker-1")
