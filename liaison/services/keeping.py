"""The plan of what is kept: timers that follow the promised date, wherever it is moved."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import CLOCK
from liaison.domain.keeping import Kept, Nag, Planned, expected_timers, whole_plan
from liaison.domain.ladder import Whom
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.domain.vocabulary import Outcome
from liaison.models import Message, Order, Timer
from liaison.models.base import new_id
from liaison.models.work import MessageState, TimerKind, TimerState, Wanted
from liaison.queries import registry
from liaison.services import endings, ledger, outbox, timers

_KINDS = {nag: TimerKind(nag.value) for nag in Nag}

_OF_THE_DATE = ("expiry_nears", "expiry_nears_provider")
"""Letters that name the promised date."""


def kept_of(order: Order) -> Kept:
    """What the plan of an order depends on."""
    report = order.report
    return Kept(
        state=order.state,
        test=order.test,
        until=order.preserved_until,
        nothing_held=report is not None and report.outcome is Outcome.NOTHING_HELD,
        mla_recorded=order.mla_recorded_at is not None,
        mla_expected_by=order.mla_expected_by if order.mla_intended else None,
        time_zone=order.authority.time_zone,
        disposal_wanted=order.disposal_wanted,
        ended_at=order.ended_at,
    )


def plan(session: Session, order: Order, now: datetime) -> None:
    """Makes an order's timers what its dates say; called whenever one of them has moved.

    What was planned for another date is taken back, unsent letters that name it too. What is
    planned already stays, however late. Callers hold the order's lock.
    """
    session.flush()
    kept = kept_of(order)
    meant = {_place(p) for p in whole_plan(kept)}
    stays = set()
    for timer in _waiting(session, order):
        if (mark := _mark(timer)) in meant and mark not in stays:
            stays.add(mark)
        else:
            timer.state, timer.done_at = TimerState.CANCELLED, now
    session.flush()
    for planned in expected_timers(kept, now):
        if _place(planned) not in stays:
            _set(session, order, planned)
    _take_letters_back(session, order, kept)


def is_planned(order: Order, timer: Timer) -> bool:
    """Whether a timer that falls due is still part of the order's plan."""
    return _mark(timer) in {_place(planned) for planned in whole_plan(kept_of(order))}


def _place(planned: Planned) -> tuple[TimerKind, str]:
    return _KINDS[planned.nag], _written(dict(planned.payload))


def _mark(timer: Timer) -> tuple[TimerKind, str]:
    # By what it was planned for, not by when it is due: one that failed was put off.
    return timer.kind, _written(timer.payload)


def _written(payload: dict[str, object]) -> str:
    return repr(sorted(payload.items()))


def _waiting(session: Session, order: Order) -> list[Timer]:
    return list(
        session.scalars(
            select(Timer)
            .where(
                Timer.order_id == order.id,
                Timer.kind.in_(_KINDS.values()),
                Timer.state == TimerState.WAITING,
            )
            .order_by(Timer.due_at, Timer.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )


def _set(session: Session, order: Order, planned: Planned) -> None:
    # A date that was given, taken back and given again is planned again: its key is new.
    name = f"{rfc3339(planned.due_at)}:{new_id()}"
    kind = _KINDS[planned.nag]
    timers.plan(session, order, kind, name, planned.due_at, dict(planned.payload))


def _take_letters_back(session: Session, order: Order, kept: Kept) -> None:
    """Unsent letters whose date is another by now, or that nobody needs any more."""
    if order.state is OrderState.PRESERVED and not kept.mla_recorded:
        date = rfc3339(order.preserved_until) if order.preserved_until else None
        unsent = session.scalars(
            select(Message).where(
                Message.order_id == order.id,
                Message.letter.in_(_OF_THE_DATE),
                Message.state.in_((MessageState.QUEUED, MessageState.SENDING)),
            )
        ).all()
        gone = [m.id for m in unsent if m.params.get("due") != date]
        if gone:
            session.execute(
                update(Message)
                .where(Message.id.in_(gone))
                .values(state=MessageState.CANCELLED, sealed_link=None)
                .execution_options(synchronize_session=False)
            )
    elif order.mla_recorded_at is not None:
        outbox.cancel(session, order, Wanted.WHILE_KEPT)


def expire(session: Session, _timer: Timer, order: Order, now: datetime) -> None:
    """The promised date has passed; nothing happens where it was moved meanwhile.

    Nor where an MLA request or production order is recorded: then the data stay until it is
    decided (Budapest Convention art. 29(7)).
    """
    until = order.preserved_until
    if order.state is not OrderState.PRESERVED or until is None or until > now:
        return
    if order.mla_recorded_at is not None or order.test:
        return
    order.state = decide(order.state, Action.EXPIRE, CLOCK.roles)
    end(session, order, now)
    notice = outbox.Notice("order_expired", Wanted.ALWAYS, "expired", {})
    for contact in registry.addressees(session, order, Whom.DUTY_OFFICER, now):
        outbox.queue(session, order, contact, notice, now)
    tell_end(session, order, "expired", now)
    told = {"preserved_until": rfc3339(until)}
    ledger.record(session, now, *ledger.act(order, "order.expired", CLOCK, told))


def end(session: Session, order: Order, now: datetime) -> None:
    """The preservation has just ended; where the terms ask for it, disposal is to be confirmed.

    Where nothing is held, and of a drill, nothing is to be disposed of.
    """
    kept = kept_of(order)
    if kept.nothing_held or kept.test:
        order.disposal_wanted = False
    endings.end(session, order, now)
    plan(session, order, now)


def tell_end(session: Session, order: Order, how: str, now: datetime) -> None:
    """The provider need not keep the data any longer; ``how``: ``released`` or ``expired``."""
    params = {"how": how, "disposal": order.disposal_wanted}
    notice = outbox.Notice("order_ended", Wanted.ALWAYS, f"ended:{how}", params)
    for spoc in registry.addressees(session, order, Whom.ON_DUTY, now):
        outbox.queue(session, order, spoc, notice, now)
