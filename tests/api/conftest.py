"""Programs of two providers."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.api.program import Program
from tests.world import World


@pytest.fixture
def program(app: Flask, world: World) -> Program:
    """Meridian Telecom's, with both scopes."""
    return Program(app.test_client(), world.bearer("Meridian Telecom"))


@pytest.fixture
def norvik(app: Flask, world: World) -> Program:
    """Norvik Mobile's."""
    return Program(app.test_client(), world.bearer("Norvik Mobile"))
