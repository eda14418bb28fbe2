"""The ladder at work: whom an unanswered order calls next, until a person answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import update
from sqlalchemy.orm import Session

from liaison.domain.actors import CLOCK, Actor
from liaison.domain.ladder import Climb, Ladder, Step, Whom, first_of, length, step
from liaison.domain.lifecycle import Action, OrderState
from liaison.domain.office_hours import Calendar
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.terms import Terms, terms_from_json
from liaison.domain.vocabulary import Channel
from liaison.errors import FieldError, Invalid, InvalidTransition
from liaison.models import Contact, Order, Timer
from liaison.models.base import TIMERS, hint
from liaison.models.work import TimerKind, TimerState, Wanted
from liaison.queries import ladder, office_hours, registry
from liaison.services import call_tasks, ledger, outbox, timers
from liaison.services.guards import order_for

_CLIMBS = {OrderState.ISSUED: Climb.ACKNOWLEDGE, OrderState.ACKNOWLEDGED: Climb.PRESERVE}
_WANTED = {Climb.ACKNOWLEDGE: Wanted.UNTIL_ACKNOWLEDGED, Climb.PRESERVE: Wanted.UNTIL_PRESERVED}


_READ: WeakKeyDictionary[Order, tuple[dict[str, Any], Terms]] = WeakKeyDictionary()
"""Terms as they were read, while their order is in hand: one rung asks for them ten times."""


def terms_of(order: Order) -> Terms:
    """The terms the order was issued under."""
    assert order.terms is not None, "an order that was issued carries its terms"
    known = _READ.get(order)
    if known is None or known[0] is not order.terms:
        _READ[order] = known = order.terms, _read(json.dumps(order.terms))
    return known[1]


@lru_cache(maxsize=256)
def _read(terms: str) -> Terms:
    """Of a memorandum's many orders all have the same: they are read once."""
    return terms_from_json(json.loads(terms))


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


def calendar_of(session: Session, order: Order, climb: Climb) -> Calendar | None:
    """When the provider is open, where the ladder waits for it."""
    return office_hours.calendar(session, order, terms_of(order), climb_start(order, climb))


def arm(
    session: Session,
    order: Order,
    climb: Climb,
    number: int = 0,
    left: Sequence[int] | None = None,
    moved: timedelta = timedelta(0),
) -> None:
    """Sets the timer of the step that comes next: of ``left``, or else of all from ``number`` on.

    A step that waits for the provider to open can come behind one with a higher number; which
    are left stands in the timer wherever it is not simply all that follow. ``moved``: by how much
    people have moved the climb, later or earlier.
    """
    which = list(range(number, length(ladder_of(order)))) if left is None else list(left)
    coming = _first(session, order, climb, which or [number], moved)
    timers.plan(
        session,
        order,
        TimerKind.LADDER,
        f"{climb}:{coming.number}",
        coming.due_at,
        payload_of(order, climb, coming.number, which, moved),
    )


def _first(
    session: Session, order: Order, climb: Climb, numbers: list[int], moved: timedelta
) -> Step:
    ladder_, start = ladder_of(order), climb_start(order, climb) + moved
    calendar = calendar_of(session, order, climb)
    if calendar is None:  # then they come in the order of their numbers
        return step(ladder_, climb, start, min(numbers))
    return first_of(ladder_, climb, start, numbers, calendar)


def payload_of(
    order: Order, climb: Climb, number: int, which: list[int], moved: timedelta
) -> dict[str, Any]:
    """What the timer of one step carries: ``which`` are left, with it or behind it."""
    left = sorted(set(which) - {number})
    plain = left == list(range(number + 1, length(ladder_of(order))))
    payload: dict[str, Any] = {"climb": int(climb), "step": number}
    return payload | ({} if plain else {"left": left}) | ladder.moved_json(moved)


def aim(session: Session, order: Order, timer: Timer) -> None:
    """Sets a timer of the ladder to whichever of its steps comes first from now on.

    For one that was held: its climb begins later now, and another step may have overtaken it.
    """
    climb, number = Climb(timer.payload["climb"]), int(timer.payload["step"])
    which, moved = _left(order, timer), ladder.moved(timer)
    coming = _first(session, order, climb, which, moved)
    timer.due_at = coming.due_at
    if coming.number != number:
        timer.payload = payload_of(order, climb, coming.number, which, moved)
        timer.key = f"{order.id}:{TimerKind.LADDER}:{climb}:{coming.number}"


def _left(order: Order, timer: Timer) -> list[int]:
    """The steps that have not come: the one that is armed, and those behind it."""
    number = int(timer.payload["step"])
    return [number, *timer.payload.get("left", range(number + 1, length(ladder_of(order))))]


def step_at(
    session: Session, order: Order, climb: Climb, number: int, moved: timedelta = timedelta(0)
) -> Step:
    """One step of a climb that people have moved by so much."""
    start, calendar = climb_start(order, climb) + moved, calendar_of(session, order, climb)
    return step(ladder_of(order), climb, start, number, calendar)


def steps_ahead(session: Session, order: Order, climb: Climb, timer: Timer) -> list[Step]:
    """The step that is armed, and those behind it as they will come, up to the top."""
    moved, (number, *left) = ladder.moved(timer), _left(order, timer)
    behind = [step_at(session, order, climb, n, moved) for n in left]
    top = max(length(ladder_of(order)), number)
    first, last = (step_at(session, order, climb, n, moved) for n in (number, top))
    rest = sorted(behind, key=lambda one: (one.due_at, one.number))
    return [first, *rest] if first.at_top else [first, *rest, last]


def wake(session: Session, order: Order, climb: Climb) -> None:
    """The step that was held goes on: it comes when it would have come, or at once."""
    timer = ladder.standing(session, order, climb)
    if timer is None or timer.state is not TimerState.CANCELLED:
        return
    timer.state, timer.done_at = TimerState.WAITING, None
    timer.attempts, timer.last_error = 0, None  # one that had failed begins anew
    aim(session, order, timer)
    hint(session, TIMERS)
    session.flush()


def stop(session: Session, order: Order, now: datetime) -> None:
    """Takes back all that only an unanswered order needs: timers, notices, calls."""
    timers.cancel(session, order, TimerKind.LADDER, now)
    timers.cancel(session, order, TimerKind.CALL_AGAIN, now)
    lift_pause(session, order, now)
    wanted = [Wanted.UNTIL_ACKNOWLEDGED]
    if order.state is not OrderState.ACKNOWLEDGED:
        wanted.append(Wanted.UNTIL_PRESERVED)
    outbox.cancel(session, order, *wanted)
    call_tasks.cancel(session, order, *wanted)


def lift_pause(session: Session, order: Order, now: datetime) -> None:
    """Whatever a person held the ladder for is over; the timer that would have ended it goes."""
    order.ladder_paused_at = order.ladder_paused_until = order.ladder_pause_reason = None
    timers.cancel(session, order, TimerKind.PAUSE_END, now)


def is_climbing(order: Order) -> bool:
    """Whether nobody has closed the ladder or holds it."""
    return order.ladder_closed_at is None and order.ladder_paused_at is None


def climb(session: Session, timer: Timer, order: Order, now: datetime) -> None:
    """One step: does nothing where the reason is gone, else pages, opens calls, arms the next."""
    which = Climb(timer.payload["climb"])
    if running_climb(order) is not which or not is_climbing(order):
        return
    at = step(
        ladder_of(order),
        which,
        climb_start(order, which) + ladder.moved(timer),
        timer.payload["step"],
        calendar_of(session, order, which),
    )
    early = {"early": True} if is_early(order, which, now) else {}
    called = registry.reached(session, order, at, now)
    _page(session, order, which, at, called, now)
    # A drill calls everybody once, the supervisor too; it ends by itself.
    if not (order.test and at.at_top):
        _arm_next(session, order, which, at, timer, now)
    ledger.record(
        session, now, *ledger.act(order, "order.escalated", CLOCK, _told(which, at, called) | early)
    )


def _arm_next(
    session: Session, order: Order, climb: Climb, at: Step, timer: Timer, now: datetime
) -> None:
    left, moved = timer.payload.get("left"), ladder.moved(timer)
    if left is None or at.at_top:
        arm(session, order, climb, _coming(order, at, now), moved=moved)
    else:  # none left: the top
        arm(session, order, climb, length(ladder_of(order)), left or None, moved)


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
        params: dict[str, Any] = {
            "climb": climb.name.lower(),
            "due": due.isoformat(),
            "rung": label,
        }
        if may_reply(order, climb, contact):
            params["reply"] = True
        if is_early(order, climb, now):
            params["early"] = True
        notice = outbox.Notice(_letter(order, climb, at), _WANTED[climb], key, params)
        for way in outbox.SENT_BY_US:
            if way in one.channels:
                outbox.queue(session, order, contact, notice, now, way)
        if Channel.CALL in one.channels:
            why = f"{label}: {_waiting(order, climb, now)}"
            call_tasks.open_task(session, order, contact, why, key, _WANTED[climb], now)


def may_reply(order: Order, climb: Climb, contact: Contact) -> bool:
    """Whether this contact's answer “1” acknowledges receipt: where the terms say so.

    A colleague of ours acknowledges nothing, whatever the terms say.
    """
    theirs = contact.provider_id is not None and contact.provider_id == order.provider_id
    return theirs and climb is Climb.ACKNOWLEDGE and terms_of(order).reply_acknowledges


def _letter(order: Order, climb: Climb, at: Step) -> str:
    """A rung at the moment of issue brings the order itself: nobody is late yet."""
    if at.at_top:
        return "supervisor_page"
    assert at.rung is not None
    at_issue = at.repeat == 0 and not ladder_of(order).rungs[at.rung].after
    first = climb is Climb.ACKNOWLEDGE and at_issue
    return "order_issued" if first else "escalation"


def is_early(order: Order, climb: Climb, now: datetime) -> bool:
    """Whether the time to preserve still runs: then only a person can have called ahead."""
    due = order.preserve_by
    return climb is Climb.PRESERVE and due is not None and now < due


def _waiting(order: Order, climb: Climb, now: datetime) -> str:
    if climb is Climb.ACKNOWLEDGE:
        return "the order is not acknowledged."
    late = "yet" if is_early(order, climb, now) else "in time"
    return f"the order is acknowledged, but preservation is not confirmed {late}."


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
    quietly(
        session,
        order,
        ladder_closed_at=now,
        ladder_closed_reason=reason,
        ladder_paused_at=None,
        ladder_paused_until=None,
        ladder_pause_reason=None,
    )
    for kind in (TimerKind.LADDER, TimerKind.CALL_AGAIN, TimerKind.PAUSE_END):
        timers.cancel(session, order, kind, now)
    outbox.cancel(session, order, Wanted.UNTIL_ACKNOWLEDGED, Wanted.UNTIL_PRESERVED)
    ledger.record(session, now, ledger.own(order, "order.ladder_closed", actor, {"reason": reason}))
    return order


def quietly(session: Session, order: Order, **values: Any) -> None:
    """Changes what the provider does not learn of: its version of the order stays."""
    session.execute(
        update(Order)
        .where(Order.id == order.id)
        .values(**values, version=Order.version)
        .execution_options(synchronize_session=False)
    )
    session.refresh(order)
