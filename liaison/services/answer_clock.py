"""The contact point's own clock: the memorandum says by when a question must be answered.

It counts from the oldest open question. At due, and again after each further term, whoever is on
duty and the supervisor are told, until the question is answered or the order withdrawn.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import CLOCK
from liaison.domain.ladder import Whom
from liaison.models import Order, Timer
from liaison.models.work import TimerKind, Wanted
from liaison.queries import registry
from liaison.services import call_tasks, escalation, ledger, outbox, timers

SHORTEST = timedelta(minutes=1)
"""No term repeats faster, whatever it says."""


def start(session: Session, order: Order, question: UUID, now: datetime) -> None:
    """A question was asked: the clock begins, unless that of an older one runs already.

    What was open when the order was withdrawn is owed nothing: the next one begins a clock.
    """
    if order.question_open_since is not None and order.answer_by is not None:
        return
    order.question_open_since = now
    order.answer_by = now + _term(order)
    _plan(session, order, str(question), 1)


def stop(session: Session, order: Order, now: datetime) -> None:
    """Nothing has to be answered by a certain time any more."""
    order.answer_by = None
    timers.cancel(session, order, TimerKind.ANSWER, now)
    outbox.cancel(session, order, Wanted.UNTIL_ANSWERED)
    call_tasks.cancel(session, order, Wanted.UNTIL_ANSWERED)


def late(session: Session, timer: Timer, order: Order, now: datetime) -> None:
    """The time to answer has run out; does nothing where the question is answered."""
    asked, due = order.question_open_since, order.answer_by
    if asked is None or due is None:
        return
    question = str(timer.payload["question"])
    # What a stopped worker has missed is passed over.
    times = max((now - asked) // _term(order), 1)
    params = {"asked": asked.isoformat(), "due": due.isoformat()}
    key = f"answer_late:{question}:{times}"
    notice = outbox.Notice("answer_late", Wanted.UNTIL_ANSWERED, key, params)
    for whom in (Whom.DUTY_OFFICER, Whom.SUPERVISOR):
        for contact in registry.addressees(session, order, whom, now):
            outbox.queue(session, order, contact, notice, now)
    _plan(session, order, question, times + 1)
    told = {"asked_at": rfc3339(asked), "answer_by": rfc3339(due), "times": times}
    ledger.record(session, now, ledger.own(order, "order.answer_late", CLOCK, told))


def _term(order: Order) -> timedelta:
    return max(escalation.terms_of(order).answer, SHORTEST)


def _plan(session: Session, order: Order, question: str, times: int) -> None:
    asked = order.question_open_since
    assert asked is not None
    due = asked + times * _term(order)
    name, payload = f"{question}:{times}", {"question": question}
    timers.plan(session, order, TimerKind.ANSWER, name, due, payload)
