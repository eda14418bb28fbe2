"""A ladder that people hold: paused with a reason and an end, let go on, opened again.

The clocks do not stop: the provider's time runs, and it does not learn of any of this. The pause
that a provider's question brings, where the memorandum says so, is another one (``pauses``); the
two may overlap, and then the ladder goes on when both are over.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain import ladder_acts
from liaison.domain.actors import CLOCK, Actor
from liaison.domain.lifecycle import Action
from liaison.errors import InvalidTransition
from liaison.models import Order, Timer
from liaison.models.base import new_id
from liaison.models.work import TimerKind
from liaison.queries import ladder
from liaison.services import calls_again, escalation, ledger, timers, undelivered
from liaison.services.guards import order_for


def pause(
    session: Session,
    actor: Actor,
    name: str,
    until: datetime,
    reason: str,
    now: datetime,
    version: int | None = None,
) -> Order:
    """Nobody is called until then: no step fires, and what waits to be sent waits on."""
    order, _ = order_for(session, actor, name, Action.PAUSE_LADDER, version)
    demand_climbing(session, order)
    ladder_acts.check_pause(order.urgency, until, reason, now)
    escalation.quietly(
        session,
        order,
        ladder_paused_at=now,
        ladder_paused_until=until,
        ladder_pause_reason=reason,
    )
    timers.cancel(session, order, TimerKind.LADDER, now)
    # A name of its own for each pause: two may begin at one moment of a clock that stands.
    timers.plan(session, order, TimerKind.PAUSE_END, str(new_id()), until, {"by": actor.name})
    told = {"until": rfc3339(until), "reason": reason}
    ledger.record(session, now, ledger.own(order, "order.ladder_paused", actor, told))
    return order


def go_on(
    session: Session, actor: Actor, name: str, now: datetime, version: int | None = None
) -> Order:
    """Ends a pause before its time."""
    order, _ = order_for(session, actor, name, Action.RESUME_LADDER, version)
    if order.ladder_paused_at is None:
        raise InvalidTransition("The escalation is not paused any more. Nothing was changed.")
    end(session, order, actor, now)
    return order


def over(session: Session, _timer: Timer, order: Order, now: datetime) -> None:
    """A pause ends by itself."""
    until = order.ladder_paused_until
    if until is not None and until <= now:
        end(session, order, CLOCK, now)


def end(session: Session, order: Order, actor: Actor, now: datetime) -> None:
    """The pause is over, whoever ends it; the order is held."""
    _unhold(session, order)
    timers.cancel(session, order, TimerKind.PAUSE_END, now)
    _take_up(session, order, now)
    ledger.record(session, now, ledger.own(order, "order.ladder_resumed", actor, {}))


def reopen(
    session: Session,
    actor: Actor,
    name: str,
    reason: str,
    now: datetime,
    version: int | None = None,
) -> Order:
    """An escalation that was closed by mistake, or too early, calls people again."""
    order, _ = order_for(session, actor, name, Action.REOPEN_LADDER, version)
    if order.ladder_closed_at is None:
        raise InvalidTransition("The escalation is open. Nothing was changed.")
    ladder_acts.check_reason(reason, "Say why the escalation must go on.")
    calls_again.wake(session, order, order.ladder_closed_at)
    _unhold(session, order)
    _take_up(session, order, now)
    told = {"reason": reason}
    ledger.record(session, now, ledger.own(order, "order.ladder_reopened", actor, told))
    return order


def _unhold(session: Session, order: Order) -> None:
    escalation.quietly(
        session,
        order,
        ladder_closed_at=None,
        ladder_closed_reason=None,
        ladder_paused_at=None,
        ladder_paused_until=None,
        ladder_pause_reason=None,
    )


def _take_up(session: Session, order: Order, now: datetime) -> None:
    """The step that was next comes when it would have come.

    Where its time has passed it comes at once, or when the provider opens. All behind it come
    later by as much as it was kept, and no more, and keep their distances: nobody is called three
    times in one minute, and of the pages at the top that were missed one comes.
    """
    undelivered.catch_up(session, order, now)
    climb = escalation.running_climb(order)
    timer = ladder.standing(session, order, climb) if climb is not None else None
    if climb is None or timer is None:
        return
    # While a question stops the clock, the ladder's time stands still.
    at = order.clock_stopped_at or now
    # Not the plan alone: what found the provider closed was set to the opening.
    due = max(escalation.first_left(session, order, climb, timer).due_at, timer.due_at)
    if due < at:
        timer.payload = ladder.with_moved(timer, ladder.moved(timer) + at - due)
    if order.clock_stopped_at is None:
        escalation.wake(session, order, climb, now)
    session.flush()


def demand_climbing(session: Session, order: Order) -> None:
    """Refuses where somebody has closed the ladder, or holds it; says who and until when."""
    if order.ladder_closed_at is not None:
        raise InvalidTransition(
            f"The escalation of {order.name} is closed. Open it again first; nothing was changed."
        )
    if order.ladder_paused_until is not None:
        held = ladder.pause_of(session, order)
        by = held.by if held else ""
        raise InvalidTransition(
            f"{by} has paused the escalation of {order.name} until "
            f"{order.ladder_paused_until:%H:%M} UTC. Let it go on first; nothing was changed."
        )
