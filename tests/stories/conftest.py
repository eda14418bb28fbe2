"""One desk a story: everybody of the tests' world at their own browser, program or telephone."""

from __future__ import annotations

import pytest
from flask import Flask

from liaison.models import Database
from liaison.settings import Settings
from liaison.worker import Work
from tests.mail import RecordingSender
from tests.stories.desk import Desk
from tests.world import MovableClock, World


@pytest.fixture
def desk(
    app: Flask,
    world: World,
    settings: Settings,
    database: Database,
    clock: MovableClock,
    sender: RecordingSender,
) -> Desk:
    """Both sides, and the worker that runs whenever time passes."""
    return Desk(app, world, Work(settings, database, clock, sender, name="worker-1"), sender)
