"""A ladder that people move: the next step now, or a later rung instead of it.

Whoever acts names the step that they have read as the next one. A step that has come meanwhile is
not taken for another, and what is sent twice is done once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain import ladder_acts
from liaison.domain.actors import Actor
from liaison.domain.ladder import Climb, Step
from liaison.domain.lifecycle import Action
from liaison.errors import FieldError, Invalid, InvalidTransition, Stale
from liaison.models import Order, Timer
from liaison.models.hints import TIMERS, hint
from liaison.models.work import TimerKind, TimerState
from liaison.queries import ladder
from liaison.services import escalation, ladder_holds, ledger, timers
from liaison.services.guards import order_for

WHY = "Say why it cannot wait."


def escalate(
    session: Session,
    actor: Actor,
    name: str,
    number: int,
    reason: str,
    now: datetime,
    version: int | None = None,
) -> Order:
    """The next step is due now, and all behind it come earlier by as much.

    ``number`` is the step that was read as the next one.
    """
    order, _ = order_for(session, actor, name, Action.ESCALATE, version)
    climb = _climb_of(order)
    asked = {"by": actor.id, "from": number}
    if _was_asked(session, order, climb, number, asked, now):
        return order
    timer = _standing(session, order, climb, number, now)
    ladder_acts.check_reason(reason, WHY)
    planned = escalation.step_at(session, order, climb, number)
    moved = min(ladder.moved(timer), now - planned.meant_at)
    told = _told(climb, planned) | {"due": rfc3339(timer.due_at), "reason": reason}
    timer.payload = ladder.with_moved(timer, moved) | {"asked": asked}
    timer.due_at = min(timer.due_at, now)
    hint(session, TIMERS)
    ledger.record(session, now, ledger.own(order, "order.ladder_hastened", actor, told))
    return order


def skip(
    session: Session,
    actor: Actor,
    name: str,
    number: int,
    to: int,
    reason: str,
    now: datetime,
    version: int | None = None,
) -> Order:
    """The ladder goes on at the step ``to`` now; those before it never come."""
    order, _ = order_for(session, actor, name, Action.SKIP_RUNGS, version)
    climb = _climb_of(order)
    asked = {"by": actor.id, "from": number}
    if _was_asked(session, order, climb, to, asked, now):
        return order
    timer = _standing(session, order, climb, number, now)
    passed, left = _around(session, order, climb, timer, to)
    ladder_acts.check_reason(reason, "Say why the rungs before it are not called.")
    target = escalation.step_at(session, order, climb, to)
    told = _told(climb, target) | {
        "skipped": [_rung(one) for one in passed],
        "reason": reason,
    }
    timer.state, timer.done_at = TimerState.CANCELLED, now
    timer.payload = timer.payload | {ladder.SKIPPED: [one.number for one in passed]}
    session.flush()
    moved, before = now - target.meant_at, ladder.before(timer)
    payload = escalation.payload_of(order, climb, to, left, moved, before)
    timers.plan(session, order, TimerKind.LADDER, f"{climb}:{to}", now, payload | {"asked": asked})
    ledger.record(session, now, ledger.own(order, "order.ladder_skipped", actor, told))
    return order


def _climb_of(order: Order) -> Climb:
    climb = escalation.running_climb(order)
    assert climb is not None, "the lifecycle allows it in no other state"
    return climb


def _was_asked(
    session: Session,
    order: Order,
    climb: Climb,
    number: int,
    asked: dict[str, Any],
    now: datetime,
) -> bool:
    """Whether this person has asked for this very step before: then it was sent twice.

    But for a step that failed since, and is put off: it may be asked for again.
    """
    key = f"{order.id}:{TimerKind.LADDER}:{climb}:{number}"
    timer = session.scalars(select(Timer).where(Timer.key == key)).one_or_none()
    if timer is None or timer.payload.get("asked") != asked:
        return False
    return timer.state is not TimerState.WAITING or timer.due_at <= now


def _standing(session: Session, order: Order, climb: Climb, number: int, now: datetime) -> Timer:
    """The step that comes next, where it is the one that was read."""
    ladder_holds.demand_climbing(session, order)
    timer = ladder.standing(session, order, climb)
    if timer is None:
        raise InvalidTransition("Everybody on this ladder has been called. Nothing was done.")
    if order.clock_stopped_at is not None:
        raise InvalidTransition(
            "A question stops the clock, and nobody is called: answer it first. Nothing was done."
        )
    if timer.payload["step"] != number:
        raise Stale(
            f"The ladder of {order.name} has moved since you read it: another step comes next now. "
            "Nothing was done. Read it again, then decide."
        )
    if "asked" in timer.payload and timer.due_at <= now:
        raise Stale(
            f"Somebody else has just called the next step of {order.name}. Nothing was done. "
            "Read it again, then decide."
        )
    return timer


def _around(
    session: Session, order: Order, climb: Climb, timer: Timer, to: int
) -> tuple[list[Step], list[int]]:
    """The steps that are passed over on the way, and those that are left behind it."""
    coming = escalation.steps_ahead(session, order, climb, timer)
    numbers = [one.number for one in coming]
    if to not in numbers[1:]:
        raise Invalid([FieldError("/to", "Choose a rung that has not come yet.")])
    place = numbers.index(to)
    return coming[:place], [one.number for one in coming[place + 1 :] if not one.at_top]


def _told(climb: Climb, at: Step) -> dict[str, Any]:
    return {"climb": climb.name.lower(), "step": at.number} | _rung(at)


def _rung(at: Step) -> dict[str, Any]:
    return {"rung": at.rung, "whom": at.whom.value}
