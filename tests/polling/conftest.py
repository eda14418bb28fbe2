"""How long the writers write."""

from __future__ import annotations

import pytest


@pytest.fixture
def minute(request: pytest.FixtureRequest) -> int:
    """Seconds."""
    return int(request.config.getoption("minute"))
