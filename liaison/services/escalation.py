"""The ladder at work: whom an unanswered order calls next, until a person answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from liaison.domain.actors import CLOCK, Actor
from liaison.domain.ladder import Climb, Ladder, Step, Whom, step
from liaison.domain.lifecycle import Action, OrderState
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.terms import Terms, terms_from_json
from liaison.domain.vocabulary import Channel
from liaison.errors import FieldError, Invalid, InvalidTransition
from liaison.models import Order, Timer
from liaison.models.work import TimerKind, Wanted
from liaison.queries import ladder, registry
from liaison.services import call_tasks, ledger, outbox, timers
from liaison.services.guards import order_for

_CLIMBS = {OrderState.ISSUED: Climb.ACKNOWLEDGE, OrderState.ACKNOWLEDGED: Climb.PRESERVE}
_WANTED = {Climb.ACKNOWLEDGE: Wanted.UNTIL_ACKNOWLEDGED, Climb.PRESERVE: Wanted.UNTIL_PRESERVED}


def terms_of(order: Order) -> Terms:
    """The terms the order was issued under."""
    assert order.terms is not None, "an order that was issued carries its terms"
    return terms_from_json(order.terms)


def ladder_of(order: Order) -> Ladder:
    """The ladder of the order's urgency, as it was at issue."""
    return terms_of(order).ladders[order.urgency]


def running_climb(order: Order) -> Climb | None:
    """Which climb the order is in, or waits for."""
    return _CLIMBS.get(order.state)


def climb_start(order: Order, climb: Climb) -> datetime:
    """From when the steps of a climb count."""
    start = ladder.start_of(order, climb)
    assert start is not None, "only a served order climbs"
    return start


def arm(session: Session, order: Order, climb: Climb, number: int = 0) -> None:
    """Sets the timer of one step."""
    coming = step(ladder_of(order), climb, climb_start(order, climb), number)
    timers.plan(
        session,
        order,
        TimerKind.LADDER,
        f"{climb}:{number}",
        coming.due_at,
        {"climb": int(climb), "step": number},
    )


def stop(session: Session, order: Order, now: datetime) -> None:
    """Takes back all that only an unanswered order needs: timers, notices, calls."""
    timers.cancel(session, order, TimerKind.LADDER, now)
    wanted = [Wanted.UNTIL_ACKNOWLEDGED]
    if order.state is not OrderState.ACKNOWLEDGED:
        wanted.append(Wanted.UNTIL_PRESERVED)
    outbox.cancel(session, order, *wanted)
    call_tasks.cancel(session, order, *wanted)


def climb(session: Session, timer: Timer, order: Order, now: datetime) -> None:
    """One step: does nothing where the reason is gone, else pages, opens calls, arms the next."""
    which = Climb(timer.payload["climb"])
    if running_climb(order) is not which or order.ladder_closed_at is not None:
        return
    at = step(ladder_of(order), which, climb_start(order, which), timer.payload["step"])
    called = registry.reached(session, order, at, now)
    _page(session, order, which, at, called, now)
    # A drill calls everybody once, the supervisor too; it ends by itself.
    if not (order.test and at.at_top):
        arm(session, order, which, _coming(order, at, now))
    ledger.record(
        session, now, *ledger.act(order, "order.escalated", CLOCK, _told(which, at, called))
    )


def _coming(order: Order, at: Step, now: datetime) -> int:
    """The number of the step to arm next.

    Every rung calls, however late. Pages at the top only repeat: those that a stopped worker
    missed are passed over, so that the supervisor is not paged fifty times at once.
    """
    missed = (now - at.due_at) // ladder_of(order).page_every if at.at_top else 0
    return at.number + 1 + max(missed, 0)


def _page(
    session: Session,
    order: Order,
    climb: Climb,
    at: Step,
    people: list[registry.Reached],
    now: datetime,
) -> None:
    key = f"{int(climb)}:{at.number}"
    due = order.acknowledge_by if climb is Climb.ACKNOWLEDGE else order.preserve_by
    assert due is not None
    for one in people:
        contact = one.contact
        label = contact.function.label if at.whom is Whom.NAMED else at.whom.label
        if Channel.EMAIL in one.channels:
            params = {"climb": climb.name.lower(), "due": due.isoformat(), "rung": label}
            notice = outbox.Notice(_letter(order, climb, at), _WANTED[climb], key, params)
            outbox.queue(session, order, contact, notice, now)
        if Channel.CALL in one.channels:
            why = f"{label}: {_waiting(climb)}"
            call_tasks.open_task(session, order, contact, why, key, _WANTED[climb], now)


def _letter(order: Order, climb: Climb, at: Step) -> str:
    """A rung at the moment of issue brings the order itself: nobody is late yet."""
    if at.at_top:
        return "supervisor_page"
    first = climb is Climb.ACKNOWLEDGE and at.due_at == climb_start(order, climb)
    return "order_issued" if first else "escalation"


def _waiting(climb: Climb) -> str:
    if climb is Climb.ACKNOWLEDGE:
        return "the order is not acknowledged."
    return "the order is acknowledged, but preservation is not confirmed in time."


def _told(climb: Climb, at: Step, people: list[registry.Reached]) -> dict[str, Any]:
    return {
        "climb": climb.name.lower(),
        "step": at.number,
        "rung": at.rung,
        "whom": at.whom.value,
        "called": [{"name": c.contact.name, "function": c.contact.function.value} for c in people],
        "channels": [c.value for c in at.channels],
    }


def close(
    session: Session,
    actor: Actor,
    name: str,
    reason: str,
    now: datetime,
    version: int | None = None,
) -> Order:
    """A person takes over from the ladder, with a reason; the order itself stays as it is.

    ``version`` is the one they have read: an acknowledgement that came meanwhile has begun
    another ladder, which they have not seen.
    """
    order, _ = order_for(session, actor, name, Action.CLOSE_LADDER, version)
    if order.ladder_closed_at is not None:
        raise InvalidTransition("The escalation was closed before. Nothing was changed.")
    check_texts(("/reason", reason, LONGEST_REASON))
    if not reason.strip():
        raise Invalid([FieldError("/reason", "Say why the escalation can stop.")])
    # The provider does not learn of it, so its version of the order stays.
    session.execute(
        update(Order)
        .where(Order.id == order.id)
        .values(ladder_closed_at=now, ladder_closed_reason=reason, version=Order.version)
        .execution_options(synchronize_session=False)
    )
    session.refresh(order)
    timers.cancel(session, order, TimerKind.LADDER, now)
    outbox.cancel(session, order, Wanted.UNTIL_ACKNOWLEDGED, Wanted.UNTIL_PRESERVED)
    ledger.record(session, now, ledger.own(order, "order.ladder_closed", actor, {"reason": reason}))
    return order
