"""Getting a browser for the tests: short words where it fails, patience where apt is busy."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import browser_setup

LOCKED = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)"


def program(folder: Path, text: str) -> list[str]:
    """A command that stands for an installer."""
    path = folder / "installer.py"
    path.write_text(text)
    return [sys.executable, str(path)]


def test_a_lock_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(browser_setup, "_rest", waited.append)
    busy = program(
        tmp_path,
        "import sys\nfrom pathlib import Path\ntries = Path(__file__).with_name('tries')\n"
        "n = len(tries.read_text()) if tries.exists() else 0\ntries.write_text('x' * (n + 1))\n"
        f"sys.exit(0 if n == 2 else {LOCKED!r})\n",
    )
    assert browser_setup._run(busy)
    assert waited == [browser_setup.PAUSE] * 2
    assert capsys.readouterr().out.count("another program uses apt") == 2


def test_a_lock_that_stays_is_given_up_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(browser_setup, "_rest", waited.append)
    assert not browser_setup._run(program(tmp_path, f"import sys; sys.exit({LOCKED!r})"))
    assert len(waited) == browser_setup.TRIES - 1
    assert f"that failed: {LOCKED}" in capsys.readouterr().out


def test_without_a_network_it_says_why_and_shows_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(browser_setup, "_rest", lambda _: pytest.fail("there is no lock"))
    trace = "\n".join(f"    at step {n} (coreBundle.js:{n})" for n in range(200))
    words = f"Error: getaddrinfo EAI_AGAIN browsers.example\n{trace}\n"
    assert not browser_setup._run(program(tmp_path, f"import sys; sys.exit({words!r})"))
    said = capsys.readouterr().out
    assert said == "· that failed: Error: getaddrinfo EAI_AGAIN browsers.example\n"


def test_where_none_can_be_had_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("_on_path", "_playwrights_own", "_install_by_playwright", "_install_by_apt"):
        monkeypatch.setattr(browser_setup, name, lambda: None)
    assert browser_setup.main() == 1
    said = capsys.readouterr().err
    assert "apt-get install chromium" in said
    assert "pytest --ignore tests/browser" in said
