"""The auditor: looks for orders of which nothing is planned, and plans what should come next.

Every verb plans in its own transaction, so none should ever be found. Whatever is found all the
same (a row that was lost, a fault of ours, a hand in the database) is set going again, and our
people are told: they look at what was missed. One order, one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import CLOCK
from liaison.domain.ladder import Climb, length
from liaison.domain.vocabulary import Function
from liaison.models import Order, Timer
from liaison.models.work import TimerKind, TimerState, Wanted
from liaison.queries import ladder, registry, unplanned
from liaison.services import call_tasks, escalation, guards, keeping, ladder_holds, ledger, outbox

MOST = 50
"""Orders mended in one run; the next comes a minute later."""

WHY = "The ladder stood still and was set going again: see who has been called."
FAILED = "The ladder stands still and could not be set going: act by hand."

_WANTED = {Climb.ACKNOWLEDGE: Wanted.UNTIL_ACKNOWLEDGED, Climb.PRESERVE: Wanted.UNTIL_PRESERVED}


def mend_ladder(session: Session, order_id: UUID, now: datetime) -> bool:
    """Sets the step that should come next; False where somebody has seen to it meanwhile."""
    order = _still(session, order_id, unplanned.climbs())
    climb = escalation.running_climb(order) if order else None
    if order is None or climb is None or not _arm(session, order, climb):
        return False
    session.flush()
    at = session.scalars(_waiting(order)).one()
    told = {
        "climb": climb.name.lower(),
        "step": at.payload["step"],
        "due": rfc3339(at.due_at),
    }
    key = f"mended:{climb}:{at.payload['step']}:{rfc3339(now)}"
    _tell(session, order, "ladder_mended", WHY, key, climb, now)
    ledger.record(session, now, ledger.own(order, "order.ladder_mended", CLOCK, told))
    return True


def mend_pause(session: Session, order_id: UUID, now: datetime) -> bool:
    """Ends a pause whose end was lost; False where somebody has seen to it meanwhile.

    The ladder goes on as after any pause. Whether it has a step then is the next run's question.
    """
    order = _still(session, order_id, unplanned.lasts(now))
    climb = escalation.running_climb(order) if order else None
    if order is None or climb is None:
        return False
    assert order.ladder_paused_until is not None
    until = rfc3339(order.ladder_paused_until)
    ladder_holds.end(session, order, CLOCK, now)
    _tell(session, order, "ladder_mended", WHY, f"pause:{until}", climb, now)
    told = {"climb": climb.name.lower(), "paused_until": until}
    ledger.record(session, now, ledger.own(order, "order.ladder_mended", CLOCK, told))
    return True


def tell_unmended(session: Session, order_id: UUID, now: datetime) -> int:
    """Mending failed, whatever the reason: people act by hand. Told once; how many were new."""
    stands = or_(and_(*unplanned.climbs()), and_(*unplanned.lasts(now)))
    order = _still(session, order_id, (stands,))
    climb = escalation.running_climb(order) if order else None
    if order is None or climb is None:
        return 0
    return _tell(session, order, "timer_failed", FAILED, f"unmended:{climb}", climb, now)


def mend_expiry(session: Session, order_id: UUID, now: datetime) -> bool:
    """Plans an order's dates anew; False where none was missing after all."""
    order = _still(session, order_id, unplanned.expires())
    if order is None or keeping.kept_of(order).nothing_held:
        return False
    keeping.plan(session, order, now)
    assert order.preserved_until is not None
    until = rfc3339(order.preserved_until)
    notice = outbox.Notice("plan_mended", Wanted.WHILE_KEPT, f"plan:{rfc3339(now)}", {"due": until})
    for contact in registry.contacts(session, order, now, Function.DUTY_OFFICER):
        outbox.queue(session, order, contact, notice, now)
    told = {"preserved_until": until}
    ledger.record(session, now, ledger.own(order, "order.plan_mended", CLOCK, told))
    return True


def _still(
    session: Session, order_id: UUID, conditions: Sequence[ColumnElement[bool]]
) -> Order | None:
    """The order, locked, where all is as it was found; not one that somebody has in hand."""
    held = guards.unheld(session, order_id)
    if held is None:
        return None
    # Asked again under the lock: what was seen before it may be older.
    found = session.scalar(select(Order.id).where(Order.id == order_id, *conditions))
    return held if found else None


def _arm(session: Session, order: Order, climb: Climb) -> bool:
    """The step after the last that was climbed; None is left of a drill that called everybody."""
    last = _last(session, order, climb)
    top = length(escalation.ladder_of(order))
    # What a person skipped never comes.
    gone = _skipped(session, order, climb)
    # By number, not by when: a clock that was set back since tells otherwise.
    came = [t.payload["step"] for t in _of(session, order, climb, TimerState.FIRED)]
    number = max([-1, *came, *gone]) + 1
    if last is not None and number > top and order.test:
        return False
    left = last.payload.get("left") if last and number <= top else None
    moved = ladder.moved(last) if last else timedelta(0)
    if left is None:
        escalation.arm(session, order, climb, number, moved=moved)
    else:
        escalation.arm(session, order, climb, top, left or None, moved)
    session.flush()
    if session.scalars(_waiting(order)).first() is None and not _revive(
        session, order, climb, number
    ):
        # Its key stands there fired: people must act by hand, and not nobody.
        raise RuntimeError("the step that should come next has come already")
    return True


def _last(session: Session, order: Order, climb: Climb) -> Timer | None:
    fired = _of(session, order, climb, TimerState.FIRED)
    return max(fired, key=lambda t: (t.done_at or t.due_at, t.payload["step"]), default=None)


def _revive(session: Session, order: Order, climb: Climb, number: int) -> bool:
    """The step's timer stands there, taken back by nobody who had a reason to: it waits again."""
    held = [
        t
        for t in _of(session, order, climb, TimerState.CANCELLED)
        if t.payload["step"] >= number and ladder.SKIPPED not in t.payload
    ]
    timer = min(held, key=lambda t: (t.payload["step"], t.due_at), default=None)
    if timer is None:
        return False
    timer.state, timer.done_at = TimerState.WAITING, None
    timer.attempts, timer.last_error = 0, None
    return True


def _skipped(session: Session, order: Order, climb: Climb) -> list[int]:
    taken_back = _of(session, order, climb, TimerState.CANCELLED)
    return [number for timer in taken_back for number in timer.payload.get(ladder.SKIPPED, ())]


def _of(session: Session, order: Order, climb: Climb, state: TimerState) -> list[Timer]:
    rows = session.scalars(
        select(Timer)
        .where(Timer.order_id == order.id, Timer.kind == TimerKind.LADDER, Timer.state == state)
        .execution_options(populate_existing=True)
    )
    return [t for t in rows if t.payload.get("climb") == int(climb) and "step" in t.payload]


def _waiting(order: Order) -> Select[Timer]:
    return select(Timer).where(
        Timer.order_id == order.id,
        Timer.kind == TimerKind.LADDER,
        Timer.state == TimerState.WAITING,
    )


def _tell(
    session: Session,
    order: Order,
    letter: str,
    why: str,
    key: str,
    climb: Climb,
    now: datetime,
) -> int:
    """Our duty officer and our supervisor: a letter and a call to each; how many are new."""
    wanted = _WANTED[climb]
    notice = outbox.Notice(letter, wanted, key, {})
    new = 0
    for contact in registry.contacts(
        session, order, now, Function.DUTY_OFFICER, Function.SUPERVISOR
    ):
        new += outbox.queue(session, order, contact, notice, now)
        call_tasks.open_task(session, order, contact, why, key, wanted, now)
    return new
