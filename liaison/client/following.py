"""Following the stream: when to ask, how long to wait, and that every page holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx

from liaison.client.chain import Chain
from liaison.client.errors import TooLarge
from liaison.client.patience import retry_after
from liaison.client.shapes import Entry, Head, Page

if TYPE_CHECKING:
    from liaison.client.client import Client

LATER = 30.0
"""Seconds to the next poll where the portal does not say."""
SHORTEST = 1.0
"""Seconds: a portal that asks for less is spared all the same."""
LONGEST = 300.0
"""Seconds: no portal keeps a program away for longer than this."""


def interval(headers: httpx.Headers, wall: Callable[[], float], *, waited: bool = False) -> float:
    """In how many seconds the portal wants to be asked again.

    Where it let the request wait, at once: an emergency must not lie for half a minute because
    something else came just before. ``Retry-After`` says that no place to wait was free.
    """
    if waited and "Retry-After" not in headers:
        return SHORTEST
    told = headers.get("X-Poll-Interval", "")
    pause = float(told[:9]) if told.isascii() and told.isdigit() else LATER
    return min(max(pause, retry_after(headers, wall) or 0.0, SHORTEST), LONGEST)


class Follower:
    """One reader of one stream. ``chain.place`` is where it stands, ``chain.known`` the end."""

    def __init__(
        self, client: Client, stream: str, place: Head | None = None, known: Head | None = None
    ) -> None:
        self.chain = Chain(stream, place, known)
        self.polls = 0
        self._client, self._next = client, client.time.monotonic()

    def page(self, *, wait: int = 0, limit: int = 100) -> tuple[Entry, ...]:
        """The next entries, none where nothing is new. Sleeps until the portal wants to be asked.

        More that is known to be there is asked for at once. Raises what ``Client.events`` raises,
        and ``HistoryBroken``; then nothing has moved, and it can be called again.
        """
        time, chain = self._client.time, self.chain
        behind = not chain.is_at_end or not self.polls
        if not behind:
            time.sleep(max(0.0, self._next - time.monotonic()))
        began = time.monotonic()
        page = self._page(limit, 0 if behind else wait)
        new = chain.read(page)
        self.polls += 1
        self._next = began + page.interval
        return new

    def _page(self, limit: int, wait: int) -> Page:
        """Fewer entries at once where together they are larger than an answer may be."""
        while True:
            try:
                return self._client.events(self.chain.ask, limit=limit, wait=wait)
            except TooLarge:
                if limit == 1:
                    raise
                limit = max(1, limit // 8)
