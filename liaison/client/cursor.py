"""The cursor: the last entry that was handled, in a file that a crash never leaves half written."""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from liaison.client.shapes import Head

_OURS = os.O_CLOEXEC | os.O_NOFOLLOW
"""Where others may write, too, a link beside the cursor must not make us write elsewhere."""


class CursorError(Exception):
    """The file cannot be used; the text says why, and what to do."""


class Cursor:
    """``place``: the last entry handled; ``known``: the end of the stream as it was told last.

    One program at a time: a lock on ``<file>.lock`` is held until ``close``, or until the program
    ends in whatever way. Without a file it is kept in memory, and begins at the first entry.
    """

    def __init__(self, path: Path | None) -> None:
        self.stream: str | None = None
        self.place, self.known = Head(), Head()
        self._path = path
        self._lock = None if path is None else _locked(path)
        try:
            if path is not None and path.exists():
                self._read(path)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Lets another program have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def keep(self, *, place: Head | None = None, known: Head | None = None) -> None:
        """Notes both, on disk before it returns: the old file or the new, never a part."""
        now = (place or self.place, known or self.known)
        if now == (self.place, self.known):
            return
        if self._path is not None:
            told = {"stream": self.stream, **asdict(now[0]), "head": asdict(now[1])}
            try:
                _replace(self._path, json.dumps(told) + "\n")
            except OSError as error:
                raise CursorError(f"{self._path} cannot be written: {error}") from None
        self.place, self.known = now

    def _read(self, path: Path) -> None:
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            self.stream = told["stream"]
            self.place, self.known = _head(told), _head(told["head"])
        except OSError as error:
            raise CursorError(f"{path} cannot be read: {error}") from None
        except (ValueError, KeyError, TypeError):
            raise CursorError(
                f"{path} is no cursor of liaison-poll. Take it away, and every entry comes again "
                "from the first."
            ) from None


def _head(told: dict[str, Any]) -> Head:
    seq, hash_ = told["seq"], told["hash"]
    if type(seq) is not int or not isinstance(hash_, str) or len(hash_) != 64 or seq < 0:
        raise ValueError
    return Head(seq, hash_)


def _locked(path: Path) -> int:
    # A file beside it: the cursor itself is replaced with each step, and a lock would go with it.
    name = path.with_name(path.name + ".lock")
    try:
        lock = os.open(name, os.O_RDWR | os.O_CREAT | _OURS, 0o600)
    except OSError as error:
        raise CursorError(f"{name} cannot be opened: {error}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise CursorError(f"{path} is in use by another liaison-poll") from None
    return lock


def _replace(path: Path, text: str) -> None:
    new = path.with_name(path.name + ".new")
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _OURS, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    os.replace(new, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)  # else the new name may be lost with the power
    finally:
        os.close(folder)
