"""The contact point's own ladder while an order is doubted: whom it alarms, until people end it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from liaison.domain import doubt as rule
from liaison.domain.actors import CLOCK
from liaison.domain.ladder import Step, Whom
from liaison.domain.vocabulary import Channel
from liaison.models import Doubt, Order, Timer
from liaison.models.work import TimerKind, Wanted
from liaison.queries import registry
from liaison.services import call_tasks, ledger, outbox, timers


def begin(session: Session, order: Order, doubt: Doubt, now: datetime) -> None:
    """An order is doubted: the first alarm's letters leave whatever becomes of the order.

    Whoever issued a forged one could withdraw it before the worker's next turn, and nobody else
    would ever hear. The ladder's first step finds these letters there and adds its calls.
    """
    arm(session, order, doubt, 0)
    called = registry.reached(session, order, rule.step(doubt.at, 0), now)
    _write(session, order, doubt, 0, called, now)


def arm(session: Session, order: Order, doubt: Doubt, number: int) -> None:
    """Sets the timer of one alarm."""
    due = rule.step(doubt.at, number).due_at
    payload = {"doubt": str(doubt.id), "step": number}
    timers.plan(session, order, TimerKind.DOUBT, f"{doubt.id}:{number}", due, payload)


def climb(session: Session, timer: Timer, order: Order, now: datetime) -> None:
    """One alarm of the contact point's own ladder; nothing where the doubt is over."""
    doubt = session.get(Doubt, UUID(timer.payload["doubt"]), populate_existing=True)
    if doubt is None or doubt.vouched_at is not None or doubt.ended_at is not None:
        return
    at = rule.step(doubt.at, timer.payload["step"])
    called = registry.reached(session, order, at, now)
    _page(session, order, doubt, at, called, now)
    # A drill calls everybody once.
    if not (order.test and at.at_top):
        arm(session, order, doubt, rule.following(at, now))
    told: dict[str, Any] = {
        "id": str(doubt.id),
        "step": at.number,
        "whom": at.whom.value,
        "called": [{"name": c.contact.name, "function": c.contact.function.value} for c in called],
    }
    ledger.record(session, now, ledger.own(order, "order.doubt_escalated", CLOCK, told))


def _page(
    session: Session,
    order: Order,
    doubt: Doubt,
    at: Step,
    people: list[registry.Reached],
    now: datetime,
) -> None:
    _write(session, order, doubt, at.number, people, now)
    why = f"{order.provider.name} doubts the order: two people must vouch, or withdraw it."
    for one in people:
        if Channel.CALL in one.channels:
            until, key = Wanted.UNTIL_VOUCHED, _key(doubt, at.number)
            call_tasks.open_task(session, order, one.contact, why, key, until, now)


def _write(
    session: Session,
    order: Order,
    doubt: Doubt,
    number: int,
    people: Iterable[registry.Reached],
    now: datetime,
) -> None:
    count = len(doubt.vouches)
    params = {"since": doubt.at.isoformat(), "vouches": count, "needed": rule.VOUCHERS}
    wanted = Wanted.UNTIL_VOUCHED if number else Wanted.ALWAYS
    notice = outbox.Notice("order_doubted", wanted, _key(doubt, number), params)
    for one in people:
        for way in outbox.SENT_BY_US:
            if way in one.channels:
                outbox.queue(session, order, one.contact, notice, now, way)


def _key(doubt: Doubt, number: int) -> str:
    return f"doubt:{doubt.id}:{number}"


def tell_end(session: Session, order: Order, doubt: Doubt, now: datetime) -> None:
    """The order ended before two people had vouched: duty officer and supervisor hear of it.

    Whoever is doubted may have ended it; and declining is the doubting provider's own way out.
    """
    params = {"since": doubt.at.isoformat(), "how": order.state.value}
    notice = outbox.Notice("doubt_ended", Wanted.ALWAYS, f"doubt_ended:{doubt.id}", params)
    for whom in (Whom.DUTY_OFFICER, Whom.SUPERVISOR):
        for contact in registry.addressees(session, order, whom, now):
            outbox.queue(session, order, contact, notice, now)


def stop(session: Session, order: Order, now: datetime) -> None:
    """Two people have vouched: timers, letters and calls of the doubt are taken back.

    Not the first alarm's letters: two hijacked accounts may have vouched.
    """
    timers.cancel(session, order, TimerKind.DOUBT, now)
    outbox.cancel(session, order, Wanted.UNTIL_VOUCHED)
    call_tasks.cancel(session, order, Wanted.UNTIL_VOUCHED)
