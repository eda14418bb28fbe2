"""A process that has loaded everything and forks workers: one that is to die is there in no time.

It knows no database and has no threads, so that a fork of it is as good as a new process. One
JSON object a line comes in, one goes out.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

PATIENCE = 120.0
"""Seconds after which a child that should have ended is killed, and the test fails."""


@dataclass(frozen=True)
class End:
    """How a child ended: by a signal, or with an exit code."""

    signal: int | None
    code: int | None

    @property
    def was_killed(self) -> bool:
        """Whether SIGKILL ended it."""
        return self.signal == signal.SIGKILL


class Nursery:
    """Starts children, and tells how they ended."""

    def __init__(self) -> None:
        self._process = self._open()

    @staticmethod
    def _open() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.kill()
        self._process.wait(10)
        self._process.stdout.close()

    def start(self, **spec: Any) -> int:
        """A child that plays this part; its process id."""
        return int(self._ask({"start": spec})["pid"])

    def end(self, pid: int, patience: float = PATIENCE) -> End:
        """Waits until the child has ended; one that does not is killed, and that is an error."""
        found = self._ask({"wait": pid, "patience": patience})
        assert not found["late"], "a worker did not end"
        return End(found["signal"], found["code"])

    def is_stopped(self, pid: int) -> bool:
        """Waits until the child has stopped itself; False where it has ended instead."""
        return bool(self._ask({"stopped": pid, "patience": PATIENCE})["stopped"])

    def _ask(self, line: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(line) + "\n")
            self._process.stdin.flush()
            found: dict[str, Any] = json.loads(self._process.stdout.readline())
        except BaseException:
            # Nobody could tell any more which answer is to which question.
            self._close()
            self._process = self._open()
            raise
        return found


def _serve() -> None:
    from tests.faults import child

    ended: dict[int, int] = {}
    for line in sys.stdin:
        asked = json.loads(line)
        if "start" in asked:
            pid = os.fork()
            if pid == 0:
                child.play(asked["start"])
            said: dict[str, Any] = {"pid": pid}
        elif "stopped" in asked:
            said = {"stopped": _stops(asked["stopped"], asked["patience"], ended)}
        else:
            said = _wait(asked["wait"], asked["patience"], ended)
        print(json.dumps(said), flush=True)


def _stops(pid: int, patience: float, ended: dict[int, int]) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        if found and os.WIFSTOPPED(status):
            return True
        if found:
            ended[pid] = status
            return False
        time.sleep(0.01)
    return False


def _wait(pid: int, patience: float, ended: dict[int, int]) -> dict[str, Any]:
    deadline, late = time.monotonic() + patience, False
    while pid not in ended:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            ended[pid] = status
        elif time.monotonic() > deadline and not late:
            late = True
            os.kill(pid, signal.SIGKILL)
        else:
            time.sleep(0.005)
    status = ended.pop(pid)
    by = os.WTERMSIG(status) if os.WIFSIGNALED(status) else None
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
    return {"signal": by, "code": code, "late": late}


if __name__ == "__main__":
    _serve()
