"""The ladder at work: whom an unanswered order calls next, until a person answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from liaison.domain.actors import CLOCK, Actor
from liaison.domain.ladder import (
    Climb,
    Ladder,
    Place,
    Step,
    Whom,
    first_of,
    is_there,
    length,
    step,
)
from liaison.domain.ladder import at as at_moment
from liaison.domain.ladder_ahead import ahead, behind
from liaison.domain.lifecycle import Action, OrderState
from liaison.domain.office_hours import Calendar
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.terms import Terms
from liaison.domain.vocabulary import Channel
from liaison.errors import FieldError, Invalid, InvalidTransition
from liaison.models import Order, Timer
from liaison.models.contact_rows import AnyContact
from liaison.models.hints import TIMERS, hint
from liaison.models.work import TimerKind, TimerState, Wanted
from liaison.queries import ladder, office_hours, registry
from liaison.services import call_tasks, ledger, outbox, terms_in_hand, timers
from liaison.services.guards import order_for

_CLIMBS = {OrderState.ISSUED: Climb.ACKNOWLEDGE, OrderState.ACKNOWLEDGED: Climb.PRESERVE}
_WANTED = {Climb.ACKNOWLEDGE: Wanted.UNTIL_ACKNOWLEDGED, Climb.PRESERVE: Wanted.UNTIL_PRESERVED}


def terms_of(order: Order) -> Terms:
    """The terms the order was issued under."""
    return terms_in_hand.of(order)


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
    left: Iterable[int] | None = None,
    moved: timedelta = timedelta(0),
    before: tuple[int, timedelta] | None = None,
    now: datetime | None = None,
) -> None:
    """Sets the timer of the step that comes next: of ``left``, or else of all from ``number`` on.

    A step that waits for the provider to open can come behind one with a higher number; which
    are left stands in the timer wherever it is not simply all that follow. ``moved``: by how much
    the climb was moved, later or earlier. ``before``: who was called there last (``Place``); at
    ``now``, where it is given, nobody there is called unless they are open.
    """
    which = sorted(range(number, length(ladder_of(order))) if left is None else left)
    place = Place(which or [number], before, now)
    coming = _first(session, order, climb, place, moved)
    timers.plan(
        session,
        order,
        TimerKind.LADDER,
        f"{climb}:{coming.number}",
        coming.due_at,
        payload_of(order, climb, coming.number, which, moved, before),
    )


def _first(session: Session, order: Order, climb: Climb, place: Place, moved: timedelta) -> Step:
    ladder_, start = ladder_of(order), climb_start(order, climb) + moved
    calendar = calendar_of(session, order, climb)
    if calendar is None:  # then they come in the order of their numbers
        return step(ladder_, climb, start, min(place.left))
    return first_of(ladder_, climb, start, place, calendar)


def payload_of(
    order: Order,
    climb: Climb,
    number: int,
    which: Iterable[int],
    moved: timedelta,
    before: tuple[int, timedelta] | None = None,
) -> dict[str, Any]:
    """What the timer of one step carries: ``which`` are left, with it or behind it."""
    left = sorted(set(which) - {number})
    plain = left == list(range(number + 1, length(ladder_of(order))))
    payload: dict[str, Any] = {"climb": int(climb), "step": number}
    payload |= {} if plain else {"left": left}
    return payload | ladder.moved_json(moved) | ladder.before_json(before)


def aim(session: Session, order: Order, timer: Timer, now: datetime | None = None) -> None:
    """Sets a timer of the ladder to whichever of its steps comes first from now on.

    For one that was held: its climb begins later now, and another step may have overtaken it.
    What a person had asked for before is asked for no more.
    """
    climb, number = Climb(timer.payload["climb"]), int(timer.payload["step"])
    moved, place = ladder.moved(timer), place_of(order, timer, now)
    coming = _first(session, order, climb, place, moved)
    timer.due_at = coming.due_at
    timer.payload = payload_of(order, climb, coming.number, place.left, moved, place.before)
    if coming.number != number:
        timer.key = f"{order.id}:{TimerKind.LADDER}:{climb}:{coming.number}"


def place_of(order: Order, timer: Timer, not_before: datetime | None = None) -> Place:
    """Where a climb stands that a timer goes on with: its own step has not come yet."""
    number = int(timer.payload["step"])
    left = timer.payload.get("left", range(number + 1, length(ladder_of(order))))
    return Place([number, *left], ladder.before(timer), not_before)


def step_at(session: Session, order: Order, climb: Climb, number: int) -> Step:
    """One step of a climb that nobody has moved, as if no other were to come before it."""
    start, calendar = climb_start(order, climb), calendar_of(session, order, climb)
    return step(ladder_of(order), climb, start, number, calendar, Place([number]))


def planned(session: Session, order: Order, climb: Climb, timer: Timer) -> Step:
    """The step a timer is set to, when it would come if nobody held it and no worker was late."""
    start, calendar = climb_start(order, climb), calendar_of(session, order, climb)
    number, begin = timer.payload["step"], start + ladder.moved(timer)
    return step(ladder_of(order), climb, begin, number, calendar, place_of(order, timer))


def first_left(session: Session, order: Order, climb: Climb, timer: Timer) -> Step:
    """Whichever of a timer's steps comes first as planned: not the one that a person asked for."""
    return _first(session, order, climb, place_of(order, timer), ladder.moved(timer))


def steps_ahead(session: Session, order: Order, climb: Climb, timer: Timer) -> list[Step]:
    """The step that is armed, and those behind it as they will come, up to the top."""
    start, calendar = climb_start(order, climb), calendar_of(session, order, climb)
    coming = at_moment(planned(session, order, climb, timer), timer.due_at)
    begin, place = start + ladder.moved(timer), place_of(order, timer)
    return ahead(ladder_of(order), climb, begin, coming, place, calendar)


def wake(session: Session, order: Order, climb: Climb, now: datetime | None = None) -> None:
    """The step that was held goes on: it comes when it would have come, or at once.

    At ``now``, where it is given, nobody at the provider is called unless they are open; where it
    is not, ``climb`` finds out.
    """
    timer = ladder.standing(session, order, climb)
    if timer is None or timer.state is not TimerState.CANCELLED:
        return
    timer.attempts, timer.last_error = 0, None  # one that had failed begins anew
    _waits(session, order, timer, now)
    hint(session, TIMERS)
    session.flush()


def _waits(session: Session, order: Order, timer: Timer, now: datetime | None) -> None:
    timer.state, timer.done_at = TimerState.WAITING, None
    aim(session, order, timer, now)


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
    """One step: does nothing where the reason is gone, else pages, opens calls, arms the next.

    A step that would call people at a provider while it is closed waits until it opens, unless a
    person has asked for it. So does one that was due before they closed, and that a stopped
    worker missed: the order stands in their portal since its issue, and by the memorandum nobody
    there need answer now.
    """
    which = Climb(timer.payload["climb"])
    if running_climb(order) is not which or not is_climbing(order):
        return
    at, calendar = planned(session, order, which, timer), calendar_of(session, order, which)
    asked = "asked" in timer.payload
    if calendar and not asked and is_there(at, calendar) and calendar.opens_at(now) > now:
        _waits(session, order, timer, now)
        return
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
    calendar, top = calendar_of(session, order, climb), length(ladder_of(order))
    if at.at_top or (left is None and calendar is None):
        arm(session, order, climb, _coming(order, at, now), moved=moved)
    elif calendar is None:  # none left: the top
        arm(session, order, climb, top, left or None, moved)
    else:
        begin, came = climb_start(order, climb) + moved, at_moment(at, timer.due_at)
        place = place_of(order, timer)
        more, place = behind(ladder_of(order), climb, begin, came, place, calendar)
        arm(session, order, climb, top, place.left, moved + more, place.before, now)


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
                outbox.post(session, order, contact, notice, now, way)
        if Channel.CALL in one.channels:
            why = f"{label}: {_waiting(order, climb, now)}"
            call_tasks.open_task(session, order, contact, why, key, _WANTED[climb], now)


def may_reply(order: Order, climb: Climb, contact: AnyContact) -> bool:
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
