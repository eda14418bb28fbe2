"""The loop of ``liaison-poll``: read a page, check it, handle each entry, note how far it came."""

from __future__ import annotations

import sys
from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

from liaison.client.client import Client
from liaison.client.cursor import Cursor
from liaison.client.errors import Problem, Unreachable, Unreadable
from liaison.client.following import Follower
from liaison.client.handling import Handler, NotHandled
from liaison.client.patience import Pauses
from liaison.client.shapes import Entry
from liaison.client.stopping import Stopping

_Got = TypeVar("_Got")

LONGEST = 2000
"""Characters of a line that is said."""


class Away(Exception):
    """The portal cannot be reached, or does not answer as one."""


class WrongStream(Exception):
    """The cursor is another provider's."""


class Polling:
    """Each entry is handled at least once, in sequence; the cursor moves after it was handled."""

    def __init__(
        self,
        client: Client,
        cursor: Cursor,
        handler: Handler,
        stopping: Stopping,
        *,
        types: frozenset[str] | None = None,
        once: bool = False,
        wait: int = 25,
    ) -> None:
        self._client, self._cursor, self._handler = client, cursor, handler
        self._stopping, self._types = stopping, types
        self._once, self._wait = once, wait
        self._pauses = Pauses(first=1.0, longest=60.0, chance=client.time.chance)

    def run(self) -> None:
        """Returns with ``once`` only, when all was read; else it goes on until it is stopped."""
        follower = self._follower()
        while True:
            entries = self._until_it_answers(
                lambda: follower.page(wait=0 if self._once else self._wait)
            )
            with self._stopping.held():
                # Before anything is handled: what was told once is held against the portal.
                self._cursor.keep(known=follower.chain.known)
            for entry in entries:
                if self._types is None or entry.type in self._types:
                    self._handle(entry)
            with self._stopping.held():
                self._cursor.keep(place=follower.chain.place)
            if self._once and follower.chain.is_at_end:
                return

    def _follower(self) -> Follower:
        who = self._until_it_answers(self._client.whoami)
        cursor = self._cursor
        if cursor.stream not in (None, who.stream):
            raise WrongStream(
                f"the cursor is of {cursor.stream}, the key of {who.stream} ({who.provider}); "
                "name another file with --cursor"
            )
        cursor.stream = who.stream
        say(f"reads the stream of {who.provider} after entry {cursor.place.seq}")
        return Follower(self._client, who.stream, cursor.place, cursor.known)

    def _until_it_answers(self, ask: Callable[[], _Got]) -> _Got:
        failures = 0
        while True:
            try:
                return ask()
            except (Problem, Unreachable, Unreadable) as error:
                if isinstance(error, Problem) and error.is_key_refused:
                    raise
                failures += 1
                wish = error.retry_after if isinstance(error, Problem) else None
                self._pause(f"no answer from the portal: {_told(error)}", failures, wish, Away)

    def _handle(self, entry: Entry) -> None:
        failures = 0
        while True:
            try:
                with self._stopping.held():
                    self._handler.handle(entry)
                    self._cursor.keep(place=entry.place)
                    return
            except NotHandled as error:
                failures += 1
                told = f"entry {entry.seq} ({entry.type}): {error}"
                self._pause(told, failures, None, NotHandled)

    def _pause(
        self, told: str, failures: int, wish: float | None, end: Callable[[str], Exception]
    ) -> None:
        self._stopping.look()
        if self._once:
            raise end(told)
        seconds = max(self._pauses.after(failures), wish or 0.0)
        say(f"{told}; again in {seconds:.0f} s")
        self._client.time.sleep(seconds)


def _told(error: Exception) -> str:
    if isinstance(error, Problem) and error.status == HTTPStatus.NOT_FOUND:
        return f"{error} Is LIAISON_URL the portal's address, without the path of a page?"
    return str(error)


def say(text: str) -> None:
    """One line on standard error; what is told from outside cannot move the terminal's cursor.

    Nor does it fill the journal: a refusal is as long as whoever writes it wants.
    """
    cut = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in cut)
    print(f"liaison-poll: {plain}", file=sys.stderr, flush=True)
