"""Finds a Chromium for the browser tests, or installs one: ``python -m tests.browser_setup``.

In this order: ``chromium`` or ``google-chrome`` on the PATH; the one Playwright has installed;
Playwright's installation; Debian's package, where we are root and apt is there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

NONE = (
    "No browser: neither Playwright nor apt could install one. "
    "Put chromium or google-chrome on the PATH, then run make test again."
)


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
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environ, check=False, timeout=900)
    except (OSError, subprocess.TimeoutExpired) as error:
        _say(f"that failed: {error}")
        return False
    if done.returncode:
        _say(f"that failed with exit code {done.returncode}")
    return done.returncode == 0


def _say(line: str) -> None:
    print(f"· {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
