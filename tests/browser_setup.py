"""Finds a Chromium for the browser tests, or installs one: ``python -m tests.browser_setup``.

In this order: ``chromium`` or ``google-chrome`` on the PATH; the one Playwright has installed;
Playwright's installation; Debian's package, where we are root and apt is there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

NONE = (
    "No browser: neither Playwright nor apt could install one. Do one of these, then run make test "
    "again:\n"
    "  - put chromium or google-chrome on the PATH (Debian, as root: apt-get install chromium);\n"
    "  - give this machine a network, or wait until another program has finished with apt.\n"
    "All other tests: .venv/bin/python -m pytest --ignore tests/browser"
)

LOCKED = ("could not get lock", "unable to lock", "unable to acquire the dpkg frontend lock")
"""What apt says while another program uses it."""
TRIES, PAUSE = 6, 10.0
"""How often, and seconds between two tries, where another program holds apt's lock."""


def browser_path() -> str:
    """The browser the tests start; ``RuntimeError`` says what to do where there is none."""
    found = _on_path() or _playwrights_own()
    if found is None:
        raise RuntimeError("No Chromium was found. Run: python -m tests.browser_setup")
    return found


def main() -> int:
    """0 once there is a browser, 1 where none can be had."""
    found = _on_path() or _playwrights_own()
    if found is None:
        _install_by_playwright()
        found = _playwrights_own()
    if found is None:
        _install_by_apt()
        found = _on_path()
    if found is None:
        print(NONE, file=sys.stderr)
        return 1
    _say(f"browser: {found}")
    return 0


def _on_path() -> str | None:
    paths = (shutil.which(name) for name in NAMES)
    return next((path for path in paths if path and _starts(path)), None)


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() and _starts(path) else None


def _starts(path: str) -> bool:
    """Whether it runs at all: a browser without its libraries is none."""
    try:
        done = subprocess.run([path, "--version"], capture_output=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _install_by_playwright() -> None:
    _say("no browser on the PATH; asking Playwright for its Chromium (about 170 MB, once)")
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    # With its libraries where we may install them; without, where that is refused.
    if not (_may_use_apt() and _run([*command, "--with-deps"])):
        _run(command)


def _install_by_apt() -> None:
    if not _may_use_apt():
        return
    _say("Playwright could not; installing Debian's chromium")
    _run(["apt-get", "update", "--quiet"])
    _run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", "chromium"])


def _may_use_apt() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _run(command: list[str]) -> bool:
    """Whether it did it; where not, in a line or two why. Tried again while apt is locked."""
    for left in reversed(range(TRIES)):
        done, said = _tried(command)
        if done:
            return True
        if not left or not any(words in said.lower() for words in LOCKED):
            break
        _say(f"another program uses apt; trying again in {PAUSE:.0f} s ({left} more)")
        _rest(PAUSE)
    _say(f"that failed: {_why(said)}")
    return False


def _tried(command: list[str]) -> tuple[bool, str]:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command,
            env=environ,
            check=False,
            timeout=900,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, f"{type(error).__name__}: {command[0]}"
    return done.returncode == 0, done.stdout


def _why(said: str) -> str:
    """The lines that name the fault, not the trace around them."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    named = [line for line in lines if line.startswith(("E:", "Error:", "Failed"))]
    chosen = (named or lines or ["it said nothing"])[-2:]
    return "; ".join(line[:200] for line in chosen)


def _rest(seconds: float) -> None:
    time.sleep(seconds)


def _say(line: str) -> None:
    print(f"· {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
