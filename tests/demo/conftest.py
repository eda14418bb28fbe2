"""A demo in a folder of the tests' own, built once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from liaison.demo import build, place
from liaison.models import Database
from liaison.settings import Settings


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a demo whose database is built."""
    settings = place.demo_settings({"LIAISON_DATA_DIR": str(tmp_path_factory.mktemp("demo"))})
    build.prepare(settings)
    return settings


@pytest.fixture
def demo_database(demo: Settings) -> Iterator[Database]:
    """Its database; tests only look."""
    database = Database(demo.database_url)
    yield database
    database.close()


@pytest.fixture
def own_demo(tmp_path: Path) -> Settings:
    """The settings of a demo that is not built, for one test."""
    return place.demo_settings({"LIAISON_DATA_DIR": str(tmp_path)})
