"""How many races there are, and where they run."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.races.runners import Field
from tests.world import World

KINDS = 18
"""How many kinds of race share the number that was asked for; two of each at least."""


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How many races of each kind."""
    return max(int(request.config.getoption("races")) // KINDS, 2)


@pytest.fixture
def course(app: Flask, world: World) -> Field:
    """Where they run."""
    return Field(app, world)
