"""What is done with an entry: a command is run with it, or it is printed as a line of JSON."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from liaison.client.shapes import Entry

GRACE = 5.0
"""Seconds between asking a command to end and ending it."""


class NotHandled(Exception):
    """The entry was not handled; the text says what happened."""


class OutputGone(Exception):
    """Nobody reads the lines any more, or they cannot be written."""


class Handler(Protocol):
    """Does what is wanted with each entry."""

    def handle(self, entry: Entry) -> None:
        """Returns only when it is done; else ``NotHandled`` or ``OutputGone``."""

    def end(self) -> None:
        """Ends what is being done now."""


class Lines:
    """One line of JSON an entry on standard output, in ASCII."""

    def handle(self, entry: Entry) -> None:
        """Written and handed to the system."""
        try:
            print(json.dumps(entry.as_json()), flush=True)
        except (OSError, ValueError) as error:
            # What could not be written must not be tried once more at the end.
            with suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise OutputGone(f"standard output cannot be written: {error}") from None

    def end(self) -> None:
        """Nobody takes the line: leaves as if killed, for all else waits for it, too."""
        os._exit(0)


class Command:
    """Runs a command once an entry, without a shell; the entry comes on its standard input.

    ``limit``: seconds it may take, 0 for any time. It runs in a process group of its own, so that
    Ctrl-C on the terminal ends us after it, and not it.
    """

    def __init__(self, words: Sequence[str], limit: float) -> None:
        self._words, self._limit = words, limit
        self._running: subprocess.Popen[bytes] | None = None

    def handle(self, entry: Entry) -> None:
        """Done when the command ends with 0."""
        try:
            with self._started(entry) as running:
                self._running = running
                status = self._fed(running, json.dumps(entry.as_json()).encode() + b"\n")
        except OSError as error:
            raise NotHandled(f"{self._words[0]} cannot be started: {error}") from None
        finally:
            self._running = None
        if status < 0:
            raise NotHandled(f"the command was ended by {_name(-status)}")
        if status > 0:
            raise NotHandled(f"the command ended with {status}")

    def end(self) -> None:
        """Asks the command and all it started to end."""
        if self._running is not None:
            _signal(self._running, signal.SIGTERM)

    def _started(self, entry: Entry) -> subprocess.Popen[bytes]:
        told = {
            "LIAISON_SEQ": str(entry.seq),
            "LIAISON_TYPE": entry.type,
            "LIAISON_ORDER": entry.order.id if entry.order else "",
            "LIAISON_REF": (entry.order.ref or "") if entry.order else "",
        }
        return subprocess.Popen(  # noqa: S603 - the operator's own command, no shell
            self._words, stdin=subprocess.PIPE, env={**os.environ, **told}, process_group=0
        )

    def _fed(self, running: subprocess.Popen[bytes], given: bytes) -> int:
        try:
            running.communicate(given, timeout=self._limit or None)
        except subprocess.TimeoutExpired:
            _signal(running, signal.SIGTERM)
            try:
                running.wait(GRACE)
            except subprocess.TimeoutExpired:
                _signal(running, signal.SIGKILL)
                running.wait()
            raise NotHandled(f"the command took longer than {self._limit:g} s") from None
        return running.returncode


def _signal(running: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(running.pid, number)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
