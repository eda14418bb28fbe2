"""How many examples of each call, and from how many seeds."""

from __future__ import annotations

import pytest


@pytest.fixture
def examples(request: pytest.FixtureRequest) -> int:
    """Examples of one call from one seed."""
    return int(request.config.getoption("examples"))


@pytest.fixture
def seeds(request: pytest.FixtureRequest) -> int:
    """Seeds."""
    return int(request.config.getoption("seeds"))
