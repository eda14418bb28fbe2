"""Sets a document as PDF, in a process of its own that is given little time and memory.

The typesetter is a large program of somebody else's, and texts come from anybody: some mixtures of
scripts have stopped it, it keeps what it set in memory, and nobody can end a thread. So each PDF
has a process: what hangs or falls there takes none of ours with it. Called with no transaction
open, as the scanner is.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import BoundedSemaphore

import structlog

from liaison.errors import LiaisonError

LIMIT = 20.0
"""Seconds for one PDF. An order with 1,000 targets takes two."""

LARGEST = 2 * 1024 * 1024
"""Characters of what is set: the time grows with them."""

AT_ONCE, WAITING, WAIT = 2, 2, 5.0
"""PDFs that one process makes at a time, how many more may wait for a turn, and how many seconds.

Few: whoever waits holds one of the threads that polls are answered by."""

STANDARDS = ("a-3b", "ua-1")

_CHILD = Path(__file__).with_name("child.py")
_places, _turns = BoundedSemaphore(AT_ONCE + WAITING), BoundedSemaphore(AT_ONCE)
_log = structlog.get_logger("liaison.typesetting")


class NotDrawn(LiaisonError):
    """No PDF can be had now, or of this text."""

    slug = "busy"
    title = "The PDF could not be made"
    status = 503
    retry_after = 60

    def __init__(self) -> None:
        super().__init__(
            "The PDF could not be made. Take the signed order (order.jws): it is the original and "
            "holds everything. Nothing needs to wait for the PDF."
        )


def first_that_sets(
    template: Path, texts: Iterator[str], files: Mapping[str, str], moment: datetime
) -> bytes:
    """The PDF of the first of these texts that the typesetter takes; else ``NotDrawn``.

    ``texts``: JSON for the template's input ``text``; ``files``: its other inputs. The same bytes
    each time for the same input: ``moment`` is written as the time of its making.
    """
    with _turn():
        for text in texts:
            if len(text) > LARGEST:
                break
            if (made := _set(template, {**files, "text": text}, moment)) is not None:
                return made
    _log.error("no pdf", template=template.name)
    raise NotDrawn


@contextmanager
def _turn() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise NotDrawn
    try:
        if not _turns.acquire(timeout=WAIT):
            raise NotDrawn
        try:
            yield
        finally:
            _turns.release()
    finally:
        _places.release()


_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT")
"""What a Python may need to start at all."""


def _surroundings() -> dict[str, str]:
    """No setting and no secret of ours; threads few, for each takes address space."""
    few = {"RAYON_NUM_THREADS": "2", "MALLOC_ARENA_MAX": "2"}
    return {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | few


def _set(template: Path, inputs: Mapping[str, str], moment: datetime) -> bytes | None:
    told = {
        "template": template.read_text(encoding="utf-8"),
        "inputs": dict(inputs),
        "standards": STANDARDS,
        "timestamp": int(moment.timestamp()),
    }
    try:
        # What it says on its way down may quote the text: that reaches no log.
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-I", str(_CHILD)],
            input=json.dumps(told).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_surroundings(),
            timeout=LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 and done.stdout.startswith(b"%PDF-") else None
