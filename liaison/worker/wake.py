"""What wakes a step before its pause is over: a hint that there may be work for it."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import structlog

from liaison.models.hints import TIMERS, Hints
from liaison.services import due_messages, outbox, timers
from liaison.worker.work import Work

LISTEN = 1.0
"""Seconds that one look at the hints takes at most, so that the loop ends when it is told."""

log = structlog.get_logger("liaison.worker")


class Wake:
    """An alarm a step; each step waits on its own. ``kind`` names the hint that a step heeds.

    A hint that comes while a step works is kept: its next pause is over at once.
    """

    def __init__(self) -> None:
        self._alarms: list[tuple[str, threading.Event]] = []
        self._hints: Hints | None = None
        self._lost = False

    def alarm(self, kind: str) -> threading.Event:
        """What a step waits on that heeds hints of this kind."""
        event = threading.Event()
        self._alarms.append((kind, event))
        return event

    def ring(self, kinds: Iterable[str] | None = None) -> None:
        """Wakes the steps of these kinds, or all."""
        for kind, event in self._alarms:
            if kinds is None or kind in kinds:
                event.set()

    def listen(self, work: Work) -> bool:
        """The step that waits for hints; whether one came. A lost connection is made anew."""
        if self._hints is None:
            self._hints = work.database.hints()
            if self._lost:
                self.ring()  # nobody knows what was missed meanwhile
        try:
            kinds = self._hints.wait(LISTEN)
        except Exception:
            self._lost = True
            self.close()
            raise
        if kinds is None:
            kinds = _due(work)
        self.ring(kinds)
        return True  # it has waited already

    def close(self) -> None:
        """Gives the connection back."""
        if self._hints is not None:
            hints, self._hints = self._hints, None
            hints.close()


def _due(work: Work) -> set[str]:
    """What there is work for, asked once instead of by every step."""
    with work.database.reading() as session:
        now = work.now(session)
        kinds = {c.value for c in outbox.SENT_BY if due_messages.is_due(session, now, c)}
        return kinds | ({TIMERS} if timers.is_due(session, now) else set())
