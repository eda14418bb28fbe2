"""The loops: every step in its own, so that one that fails or waits does not stop the others."""

from __future__ import annotations

import signal
import threading
from dataclasses import dataclass
from types import FrameType

import structlog

from liaison.services import housekeeping
from liaison.worker import messages, register, timers
from liaison.worker.pulse import Pulse, Step
from liaison.worker.work import Work

TIDY_EVERY = 3600.0
KEEP_EVERY = 15.0
LONGEST_WAIT = 15.0
"""Seconds between two looks of a step that keeps failing, at most."""

log = structlog.get_logger("liaison.worker")


@dataclass(frozen=True)
class Done:
    """What one run did: timers fired, notices sent."""

    fired: int = 0
    sent: int = 0


def run_once(work: Work) -> Done:
    """Does everything that is due, until nothing more is found. Errors are the caller's.

    What a timer fires may make the next one due at the same moment: it fires too. As of another
    moment (``--as-of``) there is no heartbeat and no housekeeping: they are about this one.
    The heartbeat comes when the work is done: a run that failed was not alive.
    """
    # Ladders first: nothing of the register holds them up. Then what it has set going.
    fired, sent = _call_and_send(work)
    failed = register.keep_all(work)
    more_fired, more_sent = _call_and_send(work)
    if failed is not None:
        raise failed
    if not work.is_elsewhen:
        beat(work)
        tidy(work)
    return Done(fired + more_fired, sent + more_sent)


def _call_and_send(work: Work) -> tuple[int, int]:
    fired = sent = 0
    while True:
        now_fired = timers.fire_one(work)
        claimed, left = (0, 0) if now_fired else messages.send_some(work)
        fired, sent = fired + now_fired, sent + left
        if not now_fired and not claimed:
            return fired, sent


def beat(work: Work) -> bool:
    """Writes the heartbeat that ``/readyz`` and the portal look at."""
    with work.database.transaction() as session:
        housekeeping.beat(session, work.name, work.now())
    return False


def tidy(work: Work) -> bool:
    """Removes what is past its time."""
    with work.database.transaction() as session:
        housekeeping.tidy(session, work.now())
    return False


def run_forever(work: Work, stop: threading.Event) -> None:
    """Runs until ``stop`` is set; whatever is under way is finished first.

    A mail server that keeps silent holds up the notices, but no ladder. Where timers or notices
    keep failing the heartbeat stops, so that what watches it calls somebody.
    """
    look = 0.5 if work.database.is_sqlite else 1.0
    pulse = Pulse("timers", "messages")
    steps: dict[str, tuple[Step, float]] = {
        "timers": (pulse.watched("timers", lambda w: bool(timers.fire_one(w))), look),
        "messages": (pulse.watched("messages", lambda w: bool(messages.send_some(w)[0])), look),
        "heartbeat": (pulse.beating(beat), look),
        "register": (register.keep, KEEP_EVERY),
        "housekeeping": (tidy, TIDY_EVERY),
    }
    log.info("worker started", worker=work.name)
    threads = [
        threading.Thread(target=keep_on, args=(name, step, pause, work, stop), name=name)
        for name, (step, pause) in steps.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.info("worker stopped", worker=work.name)


def keep_on(name: str, step: Step, pause: float, work: Work, stop: threading.Event) -> None:
    """One step, again and again: at once where it found work, else after ``pause`` seconds.

    Whatever it raises is logged and tried again, later each time: the database may come back.
    """
    failures = 0
    while not stop.is_set():
        try:
            found, failures = step(work), 0
        except Exception as error:
            # Only the kind of error: its text could quote an order.
            failures += 1
            found = False
            log.warning("step failed", step=name, error=type(error).__name__, failures=failures)
        if failures:
            stop.wait(min(0.5 * 2 ** min(failures - 1, 10), LONGEST_WAIT))
        elif not found:
            stop.wait(pause)


def run_until_signalled(work: Work) -> None:
    """``run_forever`` until SIGTERM or SIGINT comes; for the main thread."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    run_forever(work, stop)
