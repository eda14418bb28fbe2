# ruff: noqa: F811 - the fixture and its values have one name
"""The register as a file, at the server's command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import func, select

from liaison.models import Provider, RegisterImport
from liaison.services import providers
from tests.cli.test_commands import run  # noqa: F401 - the fixture
from tests.world import World

Run = Callable[..., Result]
HEADER = "name,country,time_zone,domains\n"
GOOD = HEADER + "Newcomer,AM,Asia/Yerevan,newcomer.example\nMeridian Telecom,GE,Asia/Tbilisi,\n"


def held(world: World) -> tuple[int, int]:
    """Providers and imports in the database."""
    with world.database.reading() as session:
        found = [
            session.scalar(select(func.count()).select_from(t)) for t in (Provider, RegisterImport)
        ]
    return found[0] or 0, found[1] or 0


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "list.csv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_good_file_is_imported_with_its_progress_shown(
    world: World, run: Run, tmp_path: Path
) -> None:
    file = written(tmp_path, GOOD)
    dry = run("register", "import", file, "--dry-run", "--authority", "CP")
    assert dry.exit_code == 0, dry.output
    assert "2 rows: 1 new, 1 changed, 0 the same." in dry.output
    assert held(world) == (4, 0), "a dry run stores nothing"
    done = run("register", "import", file, "--authority", "CP")
    assert done.exit_code == 0, done.output
    assert "Importing" in done.output
    assert "2 providers written." in done.output
    assert held(world) == (5, 1)
    again = run("register", "import", file, "--authority", "CP")
    assert again.exit_code == 0
    assert "Nothing was imported." in again.output


def test_faults_are_told_one_line_each(world: World, run: Run, tmp_path: Path) -> None:
    file = written(tmp_path, HEADER + "X,AM,Yerevan,norvik.example\nY,AM,Asia/Yerevan,\n")
    done = run("register", "import", file, "--authority", "CP")
    assert done.exit_code == 1
    lines = done.stderr.splitlines()
    assert lines[0] == "row 2, time_zone: Enter a time zone like Asia/Yerevan or Europe/Amsterdam."
    assert lines[1].startswith("row 2, domains: norvik.example is registered for Norvik Mobile.")
    assert lines[2] == "Rows with faults: 1. Nothing was imported."
    assert held(world) == (4, 0)


def test_what_is_no_list_is_refused_in_words(world: World, run: Run, tmp_path: Path) -> None:
    done = run("register", "import", written(tmp_path, "PK\x03\x04"), "--authority", "CP")
    assert done.exit_code == 1
    assert "This is a spreadsheet, not CSV." in done.stderr
    assert "--authority: CP, NL" in run("register", "import", written(tmp_path, GOOD)).stderr


def test_what_changed_meanwhile_stops_it(
    world: World, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version, seen = providers.version, []

    def later(provider: Provider) -> str:
        seen.append(provider.name)
        return version(provider) if len(seen) <= 4 else "another"

    monkeypatch.setattr(providers, "version", later)
    done = run("register", "import", written(tmp_path, GOOD), "--authority", "CP")
    assert done.exit_code == 1
    assert "row 3: The entry of Meridian Telecom changed since the file was checked." in done.stderr
    assert held(world)[0] == 4


def test_the_export_is_what_the_import_reads(world: World, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    assert run("register", "export", str(path)).exit_code == 0
    shown = run("register", "export")
    assert "Meridian Telecom" in shown.output
    done = run("register", "import", str(path), "--authority", "CP")
    assert "4 rows: 0 new, 0 changed, 4 the same." in done.output


def test_a_status_is_changed_with_a_reason_only(world: World, run: Run, tmp_path: Path) -> None:
    text = "name,country,time_zone,status\nSevan Hosting,AM,Asia/Yerevan,closed\n"
    file = written(tmp_path, text)
    refused = run("register", "import", file, "--authority", "CP")
    assert refused.exit_code == 1
    assert "Say why the status changes" in refused.stderr
    done = run("register", "import", file, "--authority", "CP", "--reason", "It went bankrupt.")
    assert done.exit_code == 0, done.output
    assert held(world) == (4, 1)
