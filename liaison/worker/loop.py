"""The loops: every step in its own, so that one that fails or waits does not stop the others."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import FrameType

import structlog

from liaison.models.hints import TIMERS
from liaison.services import housekeeping, key_log
from liaison.worker import bounces, messages, register, timers, watch
from liaison.worker.pulse import Pulse, Step
from liaison.worker.wake import Wake
from liaison.worker.work import Work

TIDY_EVERY = 3600.0
KEEP_EVERY = 15.0
LOOK_AT_FILE, LOOK_AT_SERVER = 0.5, 1.0
"""Seconds between two looks for work that no hint has told of: SQLite, PostgreSQL."""
LONGEST_WAIT = 15.0
"""Seconds between two looks of a step that keeps failing, at most."""

_SIGNAL_EVERY = 0.1
"""Seconds between two looks at whether a signal came."""

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
    failed = register.keep_all(work) or watch.audit_all(work)
    more_fired, more_sent = _call_and_send(work)
    if failed is not None:
        raise failed
    if not work.is_elsewhen:
        beat(work)
        tidy(work)
        bounces.read_mailbox(work)
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
    """Removes what is past its time; True where a portion was full, and more may be left.

    A key in haste fills more in an hour than a portion holds.
    """
    with work.database.transaction() as session:
        return housekeeping.tidy(session, work.now()) >= key_log.PORTION


def run_forever(
    work: Work, stop: threading.Event, until: Callable[[], object] | None = None
) -> None:
    """Runs until ``stop`` is set, or ``until`` returns; whatever is under way is finished first.

    Every way out has threads of its own: a mail server that keeps silent holds up no text message
    and no ladder. Where timers or notices keep failing the heartbeat stops, so that what watches
    it calls somebody.
    """
    wake = Wake()
    threads = [
        threading.Thread(
            target=keep_on,
            args=(job.name, job.step, job.pause, work, stop, job.rest),
            name=job.name,
        )
        for job in _jobs(work, stop, wake)
    ]
    log.info("worker started", worker=work.name)
    for thread in threads:
        thread.start()
    (until or stop.wait)()
    stop.set()
    wake.ring()
    for thread in threads:
        thread.join()
    wake.close()
    log.info("worker stopped", worker=work.name)


Rest = Callable[[float], object]
"""Waits so many seconds, or until there is a reason to go on."""


@dataclass(frozen=True)
class _Job:
    name: str
    step: Step
    pause: float
    rest: Rest


def _jobs(work: Work, stop: threading.Event, wake: Wake) -> list[_Job]:
    """All that runs side by side."""
    look = LOOK_AT_FILE if work.database.is_sqlite else LOOK_AT_SERVER
    lanes = [(lane, f"{lane.name} {n + 1}") for lane in messages.LANES for n in range(lane.threads)]
    pulse = Pulse("timers", *(name for _, name in lanes))
    watched: list[tuple[str, str, Step]] = [
        (TIMERS, "timers", _firing()),
        *((lane.name, name, partial(_send, lane)) for lane, name in lanes),
    ]
    steps: dict[str, tuple[Step, float]] = {
        "heartbeat": (pulse.beating(beat), look),
        "register": (register.keep, KEEP_EVERY),
        "audit": (watch.audit, watch.AUDIT_EVERY),
        "watch": (watch.watch, watch.LOOK_EVERY),
        "ping": (watch.pinging(pulse), watch.LOOK_EVERY),
        "bounces": (bounces.read_mailbox, bounces.EVERY),
        "housekeeping": (tidy, TIDY_EVERY),
        "hints": (wake.listen, look),
    }
    return [
        _Job(name, pulse.watched(name, step), look, _resting(wake.alarm(kind)))
        for kind, name, step in watched
    ] + [_Job(name, step, pause, stop.wait) for name, (step, pause) in steps.items()]


def _firing() -> Step:
    found = False

    def fire(work: Work) -> bool:
        nonlocal found
        sure, found = found, False  # one that fails is no reason to be sure
        found = bool(timers.fire_one(work, sure=sure))
        return found

    return fire


def _send(lane: messages.Lane, work: Work) -> bool:
    return bool(messages.send_some(work, lane)[0])


def _resting(alarm: threading.Event) -> Rest:
    def rest(seconds: float) -> None:
        alarm.wait(seconds)
        alarm.clear()

    return rest


def keep_on(
    name: str, step: Step, pause: float, work: Work, stop: threading.Event, rest: Rest | None = None
) -> None:
    """One step, again and again: at once where it found work, else after ``pause`` seconds.

    Whatever it raises is logged and tried again, later each time: the database may come back.
    ``rest`` waits between two looks, until something happens where it can tell.
    """
    rest = rest or stop.wait
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
            rest(pause)


def run_until_signalled(work: Work) -> None:
    """``run_forever`` until SIGTERM or SIGINT comes; for the main thread."""
    ended: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        # No event is set here: it has a lock, and the thread that this interrupts may hold it.
        ended.append(number)

    def until() -> None:
        while not ended:
            time.sleep(_SIGNAL_EVERY)

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    run_forever(work, threading.Event(), until)
