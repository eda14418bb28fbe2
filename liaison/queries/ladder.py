"""Who is being called: the ladder of an order as it ran, stands and will go on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from liaison.domain.ladder import Climb, Ladder, Step, Whom, outline, step
from liaison.domain.lifecycle import OrderState
from liaison.domain.terms import Deadlines, second_climb_start, terms_from_json
from liaison.models import CallTask, Contact, Message, Order, Timer
from liaison.models.work import CallState, MessageState, TimerKind, TimerState, Wanted
from liaison.queries import registry
from liaison.services import timers
from liaison.services.outbox import HELD_BY_A_PAUSE

_WANTED = {Climb.ACKNOWLEDGE: Wanted.UNTIL_ACKNOWLEDGED, Climb.PRESERVE: Wanted.UNTIL_PRESERVED}


class StepState(StrEnum):
    """``now`` is the step that comes next, or is late because no worker runs."""

    DONE = "done"
    NOW = "now"
    TODO = "todo"


@dataclass(frozen=True)
class StepView:
    """One rung, with its repeats: who is called, and what came of it so far."""

    step: Step
    people: list[Contact]
    state: StepState
    due_at: datetime
    """When it was climbed last, or is climbed next."""
    times: int
    """How often it calls in all."""
    messages: list[Message]
    calls: list[CallTask]


@dataclass(frozen=True)
class Stuck:
    """A step that failed: when it did last, and when it is tried again."""

    failed_at: datetime
    again_at: datetime


@dataclass(frozen=True)
class LadderView:
    """The climb an order is in. ``steps`` is empty where nothing climbs."""

    climb: Climb | None
    steps: list[StepView]
    next_at: datetime | None
    calls: list[CallTask]
    failed: list[Message]
    stuck: list[Stuck] = field(default_factory=list)
    held: bool = False
    """A question stops the clock: nobody is called until it goes on."""

    @property
    def open_calls(self) -> list[CallTask]:
        """Calls that wait for a person; not what the ladder asks for while it is held."""
        found = [call for call in self.calls if call.state is CallState.OPEN]
        return [c for c in found if not (self.held and c.wanted in HELD_BY_A_PAUSE)]

    @property
    def next_step(self) -> StepView | None:
        """The step that comes next; none while the ladder is held."""
        coming = (s for s in self.steps if s.state is StepState.NOW)
        return None if self.held else next(coming, None)


NOTHING_CLIMBS = LadderView(None, [], None, [], [])
"""The ladder where nobody asks for it."""


@dataclass(frozen=True)
class _Work:
    """What was sent and whom to call, for a whole order."""

    messages: list[Message]
    calls: list[CallTask]

    def sent(self, order: Order, climb: Climb, at: Step) -> list[Message]:
        """The notices of one step: their key names it."""
        start = f"{order.id}:{int(climb)}:{at.number}:"
        return [m for m in self.messages if m.idem.startswith(start)]


def ladder_of(session: Session, order: Order) -> LadderView:
    """The ladder with real names; the order must be one the asker may see."""
    work = _work(session, order)
    failed = [m for m in work.messages if m.state is MessageState.FAILED]
    running = _running(order)
    if running is None or order.terms is None:
        return LadderView(None, [], None, work.calls, failed)
    climb, start = running
    ladder = terms_from_json(order.terms).ladders[order.urgency]
    steps = _steps(session, order, ladder, climb, start, work)
    coming = next((s.due_at for s in steps if s.state is StepState.NOW), None)
    held = order.clock_stopped_at is not None
    stuck = _stuck(session, order)
    return LadderView(climb, steps, None if held else coming, work.calls, failed, stuck, held)


def start_of(order: Order, climb: Climb) -> datetime | None:
    """From when the steps of a climb count; None where it cannot run yet.

    What a question has stopped the clock for is added.
    """
    if climb is Climb.ACKNOWLEDGE:
        return order.issued_at and order.issued_at + timedelta(seconds=order.clock_stopped_for)
    if not (order.acknowledge_by and order.preserve_by and order.acknowledged_at):
        return None
    since = timedelta(seconds=max(order.clock_stopped_for - order.clock_stopped_before, 0))
    return second_climb_start(
        Deadlines(order.acknowledge_by, order.preserve_by), order.acknowledged_at + since
    )


def _running(order: Order) -> tuple[Climb, datetime] | None:
    climb = {OrderState.ISSUED: Climb.ACKNOWLEDGE, OrderState.ACKNOWLEDGED: Climb.PRESERVE}.get(
        order.state
    )
    start = start_of(order, climb) if climb else None
    return (climb, start) if climb and start else None


def _work(session: Session, order: Order) -> _Work:
    messages = select(Message).where(Message.order_id == order.id).order_by(Message.id)
    calls = select(CallTask).where(CallTask.order_id == order.id).order_by(CallTask.id)
    return _Work(
        list(session.scalars(messages.options(joinedload(Message.contact)))),
        list(session.scalars(calls.options(joinedload(CallTask.contact)))),
    )


def _stuck(session: Session, order: Order) -> list[Stuck]:
    rows = session.scalars(
        select(Timer)
        .where(
            Timer.order_id == order.id,
            Timer.kind == TimerKind.LADDER,
            Timer.state == TimerState.WAITING,
            Timer.attempts > 0,
        )
        .order_by(Timer.due_at)
    )
    return [Stuck(timers.failed_at(timer), timer.due_at) for timer in rows]


def _timers(session: Session, order: Order, climb: Climb) -> tuple[dict[int, datetime], int | None]:
    """The steps that were climbed and when; and the step that is armed."""
    rows = session.scalars(
        select(Timer).where(
            Timer.order_id == order.id,
            Timer.kind == TimerKind.LADDER,
            Timer.state.in_((TimerState.FIRED, TimerState.WAITING)),
        )
    ).all()
    # A timer whose payload is broken stands still; the page must be there to say so.
    ours = [t for t in rows if t.payload.get("climb") == int(climb) and "step" in t.payload]
    fired = {t.payload["step"]: t.done_at or t.due_at for t in ours if t.state is TimerState.FIRED}
    armed = (t.payload["step"] for t in ours if t.state is TimerState.WAITING)
    return fired, min(armed, default=None)


def _steps(
    session: Session, order: Order, ladder: Ladder, climb: Climb, start: datetime, work: _Work
) -> list[StepView]:
    """The rungs in time order; neighbours of the same rung are told as one."""
    fired, armed = _timers(session, order, climb)
    people = _People(session, order)
    states = dict(_states(ladder, climb, start, set(fired), armed, ends=order.test))
    views = []
    for (_, state), group in groupby(states, key=lambda at: (at.rung, states[at])):
        moments = list(group)
        shown = moments[-1] if state is StepState.DONE else moments[0]
        views.append(
            StepView(
                step=shown,
                people=people.called_by(shown, fired.get(shown.number, shown.due_at)),
                state=state,
                due_at=fired.get(shown.number, shown.due_at),
                times=len(moments),
                messages=[m for at in moments for m in work.sent(order, climb, at)],
                calls=[],
            )
        )
    for call in work.calls:
        if call.wanted in (_WANTED[climb], Wanted.ALWAYS):
            _place(call, views)
    return views


def _place(call: CallTask, views: list[StepView]) -> None:
    """A call stands with the rung that last called this person when it was opened.

    Not by its key: who has an open call already gets no second one, whatever rung comes.
    """
    theirs = [v for v in views if call.contact_id in {c.id for c in v.people}]
    before = [v for v in theirs if v.state is StepState.DONE and v.due_at <= call.opened_at]
    for view in before[-1:] or theirs[:1]:
        view.calls.append(call)


def _states(
    ladder: Ladder,
    climb: Climb,
    start: datetime,
    fired: set[int],
    armed: int | None,
    *,
    ends: bool,
) -> Iterator[tuple[Step, StepState]]:
    """The steps behind and ahead. Pages at the top that nobody was there to send are left out;
    the next one is always shown, for they have no end, but for a drill's (``ends``)."""
    coming = armed if armed is not None else max(fired, default=-1) + 1
    for number in sorted(fired):
        yield step(ladder, climb, start, number), StepState.DONE
    length = len(outline(ladder, climb, start))
    for number in range(coming, length if ends else max(length, coming + 1)):
        state = StepState.NOW if number == coming else StepState.TODO
        yield step(ladder, climb, start, number), state


class _People:
    """Whom a step calls; asked once for each addressee, not for each repeat.

    But for whoever is on duty: they change from one hour to the next.
    """

    def __init__(self, session: Session, order: Order) -> None:
        self._session, self._order = session, order
        self._known: dict[tuple[Whom, str | None, datetime | None], list[Contact]] = {}

    def called_by(self, at: Step, moment: datetime) -> list[Contact]:
        turns = at.whom in (Whom.ON_DUTY, Whom.DUTY_OFFICER)
        key = (at.whom, at.contact, moment if turns else None)
        if key not in self._known:
            self._known[key] = registry.called_by(self._session, self._order, at, moment)
        return self._known[key]
