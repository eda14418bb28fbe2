"""The step that fires timers: one transaction each, for firing is database work only."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import structlog

from liaison.models.pipes import unwaited
from liaison.models.work import TimerKind
from liaison.services import (
    answer_clock,
    calls_again,
    doubt_alarms,
    drill_orders,
    escalation,
    keeping,
    keeping_letters,
    ladder_holds,
    ratification,
    timers,
)
from liaison.services import stuck as stuck_ladders
from liaison.worker.work import Work

HANDLERS: Mapping[TimerKind, timers.Handler] = {
    TimerKind.LADDER: escalation.climb,
    TimerKind.PAUSE_END: ladder_holds.over,
    TimerKind.CALL_AGAIN: calls_again.fall_due,
    TimerKind.EXPIRY: keeping.expire,
    TimerKind.EXPIRY_NEARS: keeping_letters.expiry_nears,
    TimerKind.PROMISE: keeping_letters.promise,
    TimerKind.DISPOSAL: keeping_letters.disposal,
    TimerKind.DRILL_END: drill_orders.end,
    TimerKind.ANSWER: answer_clock.late,
    TimerKind.DOUBT: doubt_alarms.climb,
    TimerKind.RATIFICATION: ratification.overdue,
}

log = structlog.get_logger("liaison.worker")


class _HandlerError(Exception):
    """A handler failed: the transaction rolls back, then the timer is put off in its own."""

    def __init__(self, timer_id: UUID, kind: TimerKind) -> None:
        super().__init__(str(timer_id))
        self.timer_id = timer_id
        self.kind = kind


def fire_one(
    work: Work, handlers: Mapping[TimerKind, timers.Handler] = HANDLERS, *, sure: bool = False
) -> int:
    """Fires the timer that has been due longest; how many were handled, 0 or 1.

    On SQLite it looks first, so that nobody who writes waits for nothing; whoever has just found
    work is ``sure`` enough to do without.
    """
    if work.database.is_sqlite and not sure:
        with work.database.reading() as session:
            if not timers.is_due(session, work.now()):
                return 0
    try:
        return _fire(work, handlers)
    except _HandlerError as failed:
        error = failed.__cause__ or failed
        # The log carries no text of the error: it could quote an order.
        kind, name = failed.kind.value, type(error).__name__
        log.warning("timer failed", timer=str(failed.timer_id), kind=kind, error=name)
        with work.database.transaction() as session:
            stuck = timers.put_off(session, failed.timer_id, _words(error), work.now())
        if stuck:
            _tell_people(work, failed.timer_id)
        return 1


def _fire(work: Work, handlers: Mapping[TimerKind, timers.Handler]) -> int:
    with work.database.transaction() as session:
        # Read again: on SQLite the writer may have waited for another, who fired it meanwhile.
        now = work.now(session)
        timer = timers.claim(session, now)
        if timer is None:
            return 0
        timer_id, kind = timer.id, timer.kind
        try:
            with unwaited(session.connection()):
                timers.fire(session, timer, handlers[kind], now)
                session.flush()
        except Exception as error:
            raise _HandlerError(timer_id, kind) from error
    log.info("timer fired", timer=str(timer_id), kind=kind.value)
    return 1


def _tell_people(work: Work, timer_id: UUID) -> None:
    """In a transaction of its own: whatever fails here too, the timer is put off already."""
    try:
        with work.database.transaction() as session:
            told = stuck_ladders.tell(session, timer_id, work.now())
    except Exception as error:
        name = type(error).__name__
        log.warning("nobody told of a stuck ladder", timer=str(timer_id), error=name)
    else:
        log.warning("ladder stuck", timer=str(timer_id), told=told)


def _words(error: BaseException) -> str:
    # Only the first line: what follows in a database error are the statement and its values.
    first = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {first}"
