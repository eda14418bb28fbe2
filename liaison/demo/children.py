"""The demo's programs: started, watched, started again, and stopped by the ids that were kept."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from liaison.demo.place import ROOT

MOST_DEATHS = 3
"""How often a program may die within a minute before the demo ends."""
GRACE = 15.0
"""Seconds that a program has to end by itself."""


@dataclass
class Child:
    """One program. What it says goes to ``log``, or to the terminal where there is none."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path | None = None
    process: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Starts it in a session of its own: Ctrl-C reaches the demo alone, which stops it."""
        out = self.log.open("ab") if self.log else None
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own programs
                self.command,
                cwd=ROOT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        finally:
            if out is not None:
                out.close()

    @property
    def is_alive(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def died_too_often(self) -> bool:
        """Notes a death; whether it was one too many."""
        now = time.monotonic()
        self.deaths = [*(t for t in self.deaths if now - t < 60), now]
        return len(self.deaths) >= MOST_DEATHS

    def last_words(self) -> str:
        """The end of its log."""
        if self.log is None or not self.log.exists():
            return ""
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-12:])


def stop(children: Sequence[Child]) -> None:
    """Asks each to end, waits, and insists where one does not."""
    for child in children:
        if child.process is not None and child.is_alive:
            child.process.terminate()
    deadline = time.monotonic() + GRACE
    for child in children:
        if child.process is None:
            continue
        try:
            child.process.wait(max(deadline - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            child.process.kill()
            child.process.wait()


def stop_leftovers(pids: Sequence[int], mark: str) -> int:
    """Stops programs of a demo that was killed; how many there were.

    A process is ours only if its environment carries ``mark``: ids are used again.
    """
    ours = [pid for pid in pids if _is_marked(pid, mark)]
    for pid in ours:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + GRACE
    while any(_is_marked(pid, mark) for pid in ours) and time.monotonic() < deadline:
        time.sleep(0.1)
    return len(ours)


def _is_marked(pid: int, mark: str) -> bool:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return mark.encode() in environment
