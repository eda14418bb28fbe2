"""``liaison serve`` as a supervisor sees it: one process id, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from liaison import worker
from liaison.cli import programs
from liaison.models import Database
from liaison.services import schema
from tests.cli.test_commands import Run, run  # noqa: F401 - the fixture
from tests.http_sink import closed_port
from tests.worker.looking import until

ROOT = Path(__file__).parents[2]
LIAISON = "import sys; from liaison.cli import main; sys.argv[0] = 'liaison'; main()"


@contextmanager
def served(
    port: int, folder: Path, database: Database, cwd: Path = ROOT, **more: str
) -> Iterator[subprocess.Popen[bytes]]:
    """The command in a session of its own, so that all it starts can be counted and ended."""
    own = {
        "LIAISON_ENV": "test",
        "LIAISON_DATABASE_URL": database.url.render_as_string(hide_password=False),
        "LIAISON_DATA_DIR": str(folder / "var"),
        "LIAISON_BIND": f"127.0.0.1:{port}",
        "LIAISON_PROCESSES": "1",
    }
    started = subprocess.Popen(
        [sys.executable, "-c", LIAISON, "serve"],
        cwd=cwd,
        env={**os.environ, **own, **more},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait(30)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def runs(group: int) -> bool:
    """Whether any program of this session is there still."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.one_database
def test_the_signal_that_ends_it_ends_all_of_it(database: Database, tmp_path: Path) -> None:
    port = closed_port()
    with served(port, tmp_path, database) as started:
        assert until(lambda: answers(port), 60)
        started.send_signal(signal.SIGTERM)
        assert started.wait(60) == 0
        assert until(lambda: not runs(started.pid), 10), "a program outlived the one that was ended"
        assert not answers(port)


@pytest.mark.one_database
def test_it_serves_from_any_directory_and_stays_in_it(database: Database, tmp_path: Path) -> None:
    site, elsewhere = tmp_path / "site", tmp_path / "elsewhere"
    site.mkdir()
    elsewhere.mkdir()
    # The package alone is on the path, as an editable installation puts it there.
    (site / "liaison").symlink_to(ROOT / "liaison")
    port, here = closed_port(), {"PYTHONPATH": str(site), "LIAISON_DATA_DIR": "var"}
    with served(port, tmp_path, database, elsewhere, **here) as started:
        assert until(lambda: answers(port) or started.poll() is not None, 60)
        assert answers(port), "it ended"
        assert (elsewhere / "var" / "keys.json").is_file(), "paths of settings count from there"


@pytest.mark.one_database
def test_where_the_package_alone_is_installed_it_says_what_to_do(
    run: Run,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(schema, "CHECKOUT", tmp_path)
    monkeypatch.setattr("os.execve", lambda *_: pytest.fail("it started gunicorn"))
    done = run("serve")
    assert done.exit_code == 1
    [line] = done.stderr.splitlines()
    assert "no gunicorn.conf.py, no wsgi.py, no templates, no migrations" in line
    assert "pip install --editable" in line


@pytest.mark.one_database
def test_without_gunicorn_it_says_what_to_install(
    run: Run,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(programs, "find_spec", lambda _: None)
    done = run("serve")
    assert done.exit_code == 1
    assert "gunicorn is not installed. Run: pip install" in done.stderr


@pytest.mark.one_database
def test_a_missing_key_stops_the_worker_in_the_words_that_stop_the_portal(
    run: Run,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LIAISON_ENV", "production")
    monkeypatch.delenv("LIAISON_ENCRYPTION_KEY")
    monkeypatch.setattr(worker, "run_until_signalled", lambda _: None)
    refused = [run(*words) for words in (("serve",), ("worker", "--once"), ("worker",))]
    assert [done.exit_code for done in refused] == [1, 1, 1]
    assert len({done.output for done in refused}) == 1
    for name in ("SECRET_KEY", "ENCRYPTION_KEY", "SIGNING_KEY"):
        assert f"LIAISON_{name} is not set. Make one with: " in refused[0].stderr
    signing = tmp_path / "signing.pem"
    signing.write_text("no key at all")
    monkeypatch.setenv("LIAISON_SECRET_KEY", "s" * 32)
    monkeypatch.setenv("LIAISON_ENCRYPTION_KEY", "a" * 43 + "=")
    monkeypatch.setenv("LIAISON_SIGNING_KEY", str(signing))
    refused = [run(*words) for words in (("serve",), ("worker", "--once"))]
    assert [done.exit_code for done in refused] == [1, 1]
    assert len({done.output for done in refused}) == 1
    assert "LIAISON_SIGNING_KEY holds no Ed25519 key" in refused[0].stderr
