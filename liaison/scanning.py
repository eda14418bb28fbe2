"""The installation's own scanner for files that people send: a command, the file on its input.

Exit 0: clean. Exit 1: refused; the first line it prints goes into our log, never to the sender.
Anything else, or no answer in time: nobody knows, so nothing is stored. Called with no
transaction open, for it may take as long as it likes up to its limit.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import BoundedSemaphore
from time import monotonic

import structlog

from liaison.errors import FieldError, Invalid, LiaisonError

LIMIT = 30.0
"""Seconds for all the files of one message."""

HARMLESS = b"A harmless line of text, to see whether the scanner answers.\n"

_log = structlog.get_logger("liaison.scanning")


AT_ONCE = 3
"""Messages with files that one process looks at at a time; far fewer than its threads."""

WAIT = 2.0
"""Seconds that a message waits for its turn: longer than files take without a scanner."""

_turns = BoundedSemaphore(AT_ONCE)


class NotScanned(LiaisonError):
    """The scanner gave no answer: it may do so the next time."""

    slug = "busy"
    title = "The files could not be scanned"
    status = 503
    retry_after = 60


class TooMany(NotScanned):
    """Others' files are being looked at."""

    title = "Too many files at once"
    retry_after = 10


@contextmanager
def turn() -> Iterator[None]:
    """A turn at looking at the files of one message; ``TooMany`` where none comes in time.

    Files are large and a scanner is slow: whoever sends many must not take every thread from
    those who answer orders.
    """
    if not _turns.acquire(timeout=WAIT):
        raise TooMany(
            "Other files are being looked at; nothing was stored. Try again in ten seconds, or "
            "send the message without files."
        )
    try:
        yield
    finally:
        _turns.release()


def scan(command: str, files: Sequence[bytes], *, limit: float = LIMIT) -> None:
    """Has each file looked at; nothing happens where no command is set.

    ``Invalid`` (at ``/attachments/N``) where one is refused, ``NotScanned`` where there is no
    answer.
    """
    if not command:
        return
    ends = monotonic() + limit
    for number, content in enumerate(files):
        code, said = _run(command, content, ends - monotonic())
        if code == 1:
            _log.warning("file refused", said=said)
            detail = "The scanner of this portal refused this file. Nothing was stored."
            raise Invalid([FieldError(f"/attachments/{number}", detail)])
        if code != 0:
            _log.error("scanner failed", code=code)
            raise NotScanned(
                "The files could not be scanned; nothing was stored. Try again in a minute, or "
                "send the message without them."
            )


def probe(command: str) -> str:
    """Whether the scanner answers, in words; ``LiaisonError`` where it does not."""
    if not command:
        return "LIAISON_SCAN_COMMAND is not set: files are taken without a scan"
    code, _ = _run(command, HARMLESS, LIMIT)
    if code != 0:
        raise LiaisonError(
            f"LIAISON_SCAN_COMMAND does not pass a harmless text ({_why(code)}): "
            "no file can be attached."
        )
    return f"{shlex.split(command)[0]} answers"


def _why(code: int | None) -> str:
    return "it cannot be run, or takes too long" if code is None else f"exit {code}"


def _run(command: str, content: bytes, seconds: float) -> tuple[int | None, str]:
    """Exit code and first line; None for a code where it could not run to its end."""
    try:
        # A group of its own, so that a script's children end with it; no shell, and no argument
        # comes from anybody but the operator.
        running = subprocess.Popen(  # noqa: S603
            shlex.split(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError):
        return None, ""
    with running:
        try:
            printed, _ = running.communicate(content, timeout=max(seconds, 0.001))
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            return None, ""
    first = printed.decode("utf-8", "replace").partition("\n")[0]
    return running.returncode, first[:200]
