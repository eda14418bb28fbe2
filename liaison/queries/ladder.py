"""Who is being called: the ladder of an order as it ran, stands and will go on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from itertools import groupby
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from liaison.domain.ladder import Climb, Ladder, Place, Step, Whom, at, length, step
from liaison.domain.ladder_ahead import ahead
from liaison.domain.lifecycle import OrderState
from liaison.domain.office_hours import Calendar
from liaison.domain.terms import Deadlines, second_climb_start, terms_from_json
from liaison.models import CallTask, Message, Order, Timer
from liaison.models.contact_rows import AnyContact
from liaison.models.work import CallState, MessageState, TimerKind, TimerState, Wanted
from liaison.queries import office_hours, registry
from liaison.services import timers
from liaison.services.reasons import HELD_BY_A_PAUSE

_WANTED = {Climb.ACKNOWLEDGE: Wanted.UNTIL_ACKNOWLEDGED, Climb.PRESERVE: Wanted.UNTIL_PRESERVED}


class StepState(StrEnum):
    """``now`` is the step that comes next, or is late because no worker runs."""

    DONE = "done"
    NOW = "now"
    TODO = "todo"
    SKIPPED = "skipped"
    """Passed over by a person: it calls nobody."""


@dataclass(frozen=True)
class StepView:
    """One rung, with its repeats: who is called, and what came of it so far."""

    step: Step
    people: list[AnyContact]
    state: StepState
    due_at: datetime
    """When it was climbed last, or is climbed next; or was skipped."""
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
class Pause:
    """A person holds the ladder: since when, until when, why, and who."""

    since: datetime
    until: datetime
    reason: str
    by: str


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
    pause: Pause | None = None

    @property
    def coming(self) -> StepView | None:
        """The step that comes next, or would if nobody held or had closed the ladder."""
        return next((s for s in self.steps if s.state is StepState.NOW), None)

    @property
    def ahead(self) -> list[StepView]:
        """The steps that come after it."""
        return [s for s in self.steps if s.state is StepState.TODO]

    @property
    def last(self) -> StepView | None:
        """The rung that stands now: the one that called last."""
        done = [s for s in self.steps if s.state is StepState.DONE]
        return done[-1] if done else None

    @property
    def open_calls(self) -> list[CallTask]:
        """Calls that wait for a person; not what the ladder asks for while it is held."""
        found = [call for call in self.calls if call.state is CallState.OPEN]
        return [c for c in found if not (self.held and c.wanted in HELD_BY_A_PAUSE)]

    @property
    def next_step(self) -> StepView | None:
        """The step that comes next; none while the ladder is held."""
        return None if self.held or self.pause else self.coming


NOTHING_CLIMBS = LadderView(None, [], None, [], [])
"""The ladder where nobody asks for it."""


@dataclass(frozen=True)
class _Work:
    """What was sent and whom to call, for a whole order."""

    messages: list[Message]
    calls: list[CallTask]

    @cached_property
    def _by_step(self) -> dict[str, list[Message]]:
        """The notices by the beginning of their key, which names order, climb and step."""
        found: dict[str, list[Message]] = defaultdict(list)
        for message in self.messages:
            found[":".join(message.idem.split(":", 3)[:3])].append(message)
        return found

    def sent(self, order: Order, climb: Climb, at: Step) -> list[Message]:
        """The notices of one step."""
        return self._by_step.get(f"{order.id}:{int(climb)}:{at.number}", [])


def ladder_of(session: Session, order: Order) -> LadderView:
    """The ladder with real names; the order must be one the asker may see."""
    work = _work(session, order)
    failed = [m for m in work.messages if m.state is MessageState.FAILED]
    running = _running(order)
    if running is None or order.terms is None:
        return LadderView(None, [], None, work.calls, failed)
    climb, start = running
    terms = terms_from_json(order.terms)
    found = _timers(session, order, climb)
    calendar = office_hours.calendar(session, order, terms, start)
    plan = _plan(terms.ladders[order.urgency], climb, start + found.moved, calendar, found)
    if order.ladder_paused_until and found.armed is not None:
        plan = plan.held_until(order.ladder_paused_until, found)
    steps = _steps(session, order, plan, found, work)
    coming = next((s.due_at for s in steps if s.state is StepState.NOW), None)
    held, pause = order.clock_stopped_at is not None, pause_of(session, order)
    next_at = None if held or pause else coming
    stuck = _stuck(session, order)
    return LadderView(climb, steps, next_at, work.calls, failed, stuck, held, pause)


def pause_of(session: Session, order: Order) -> Pause | None:
    """Who holds the ladder, until when and why; None where nobody does."""
    if order.ladder_paused_at is None or order.ladder_paused_until is None:
        return None
    ends = select(Timer.payload).where(
        Timer.order_id == order.id,
        Timer.kind == TimerKind.PAUSE_END,
        Timer.state == TimerState.WAITING,
    )
    by = (session.scalars(ends).first() or {}).get("by", "")
    reason = order.ladder_pause_reason or ""
    return Pause(order.ladder_paused_at, order.ladder_paused_until, reason, by)


def standing(session: Session, order: Order, climb: Climb) -> Timer | None:
    """The step a climb stands before: it waits, or is held; the ones behind it are armed by it.

    None where everybody has been called: so a drill ends. What was skipped is not among them.
    """
    rows = session.scalars(
        select(Timer)
        .where(
            Timer.order_id == order.id,
            Timer.kind == TimerKind.LADDER,
            Timer.state != TimerState.FIRED,
        )
        .execution_options(populate_existing=True)
    )
    ours = (t for t in rows if t.payload.get("climb") == int(climb) and "step" in t.payload)
    return next((t for t in ours if SKIPPED not in t.payload), None)


SKIPPED = "skipped"
"""In the payload of a timer that a person took back: the steps that will never come."""


def moved(timer: Timer) -> timedelta:
    """By how much a climb was moved: later by a pause, earlier by calling ahead.

    The pages at the top also by how late, or early, the last rung called.
    """
    return timedelta(microseconds=int(timer.payload.get("moved", 0)))


def moved_json(moved: timedelta) -> dict[str, Any]:
    """The same for a timer's payload, in microseconds; nothing where it stands as planned."""
    return {"moved": moved // timedelta(microseconds=1)} if moved else {}


def before(timer: Timer) -> tuple[int, timedelta] | None:
    """The last step that called somebody at the provider, and how late (``Place``)."""
    number, late = timer.payload.get("before", (None, 0))
    return None if number is None else (number, timedelta(microseconds=late))


def before_json(before: tuple[int, timedelta] | None) -> dict[str, Any]:
    """The same for a timer's payload; nothing where it keeps nobody waiting."""
    return {"before": [before[0], before[1] // timedelta(microseconds=1)]} if before else {}


def with_moved(timer: Timer, moved: timedelta) -> dict[str, Any]:
    """A timer's payload once its climb was moved by so much in all."""
    return {k: v for k, v in timer.payload.items() if k != "moved"} | moved_json(moved)


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


@dataclass(frozen=True)
class _Plan:
    """A climb as the terms have it; ``calendar`` where it waits for the provider to open."""

    ladder: Ladder
    climb: Climb
    start: datetime
    calendar: Calendar | None
    place: Place

    def step(self, number: int) -> Step:
        """One of its steps."""
        later = number - length(self.ladder)
        if later <= 0:
            return step(self.ladder, self.climb, self.start, number, self.calendar, self.place)
        # Pages at the top have no end, and each is like the one before.
        first, every = self._first_page, self.ladder.page_every
        due_at = first.due_at + later * every
        return replace(first, number=number, repeat=first.repeat + later, due_at=due_at)

    @cached_property
    def _first_page(self) -> Step:
        number = length(self.ladder)
        return step(self.ladder, self.climb, self.start, number, self.calendar, self.place)

    def ahead(self, coming: Step) -> list[Step]:
        """What is to come, this step first."""
        return ahead(self.ladder, self.climb, self.start, coming, self.place, self.calendar)

    def held_until(self, until: datetime, found: _Timers) -> _Plan:
        """As it will be when the pause ends by itself (services/ladder_holds.py)."""
        assert found.due_at is not None
        first = min(self.step(number).due_at for number in self.place.left)
        late = until - max(first, found.due_at)
        place = replace(self.place, not_before=until)
        return replace(self, start=self.start + max(late, timedelta(0)), place=place)


@dataclass(frozen=True)
class _Timers:
    """The steps that were climbed, and when; the step that is armed, and those behind it.

    ``left`` is None where these are all that follow. ``runs``: nobody holds its timer.
    """

    fired: dict[int, datetime]
    skipped: dict[int, datetime]
    armed: int | None = None
    left: list[int] | None = None
    due_at: datetime | None = None
    runs: bool = False
    failed: bool = False
    moved: timedelta = timedelta(0)
    before: tuple[int, timedelta] | None = None


def _timers(session: Session, order: Order, climb: Climb) -> _Timers:
    rows = session.scalars(
        select(Timer).where(
            Timer.order_id == order.id,
            Timer.kind == TimerKind.LADDER,
        )
    ).all()
    # A timer whose payload is broken stands still; the page must be there to say so.
    ours = [t for t in rows if t.payload.get("climb") == int(climb) and "step" in t.payload]
    fired = {t.payload["step"]: t.done_at or t.due_at for t in ours if t.state is TimerState.FIRED}
    skipped = {n: t.done_at or t.due_at for t in ours for n in t.payload.get(SKIPPED, ())}
    ahead = [t for t in ours if t.state is not TimerState.FIRED and SKIPPED not in t.payload]
    armed = min(ahead, key=lambda t: t.due_at, default=None)
    if armed is None:
        return _Timers(fired, skipped)
    return _Timers(
        fired,
        skipped,
        armed=armed.payload["step"],
        left=armed.payload.get("left"),
        due_at=armed.due_at,
        runs=armed.state is TimerState.WAITING,
        failed=armed.attempts > 0,
        moved=moved(armed),
        before=before(armed),
    )


def _steps(
    session: Session, order: Order, plan: _Plan, found: _Timers, work: _Work
) -> list[StepView]:
    """The rungs in time order; neighbours of the same rung are told as one."""
    climb, came = plan.climb, found.skipped | found.fired
    people = _People(session, order)
    states = dict(_states(plan, found, ends=order.test))
    views = []
    for (_, state), group in groupby(states, key=lambda at: (at.rung, states[at])):
        moments = list(group)
        shown = moments[-1] if state is StepState.DONE else moments[0]
        due_at = came.get(shown.number, shown.due_at)
        views.append(
            StepView(
                step=shown,
                people=people.called_by(shown, due_at),
                state=state,
                due_at=due_at,
                times=len(moments),
                # Of pages at the top the last: a page of the portal need not tell a thousand.
                messages=[
                    m
                    for one in ([shown] if shown.at_top else moments)
                    for m in work.sent(order, climb, one)
                ],
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


def _states(plan: _Plan, found: _Timers, *, ends: bool) -> Iterator[tuple[Step, StepState]]:
    """The steps behind and ahead. Pages at the top that nobody was there to send are left out;
    the next one is always shown, for they have no end, but for a drill's (``ends``)."""
    came = found.skipped | found.fired
    for number in sorted(came, key=lambda n: (came[n], n)):
        done = number in found.fired
        yield plan.step(number), StepState.DONE if done else StepState.SKIPPED
    for index, one in enumerate(_ahead(plan, found, ends)):
        yield one, StepState.TODO if index else StepState.NOW


def _ahead(plan: _Plan, found: _Timers, ends: bool) -> list[Step]:
    """The steps that have not come, in the order in which they will."""
    coming = _next_number(plan, found)
    if ends and coming > length(plan.ladder):
        return []
    return plan.ahead(_when(plan.step(coming), plan, found))


def _next_number(plan: _Plan, found: _Timers) -> int:
    if found.armed is not None:
        return found.armed
    if plan.place.left:
        return min(plan.place.left)
    return max(max(found.fired, default=-1) + 1, length(plan.ladder))


def _when(coming: Step, plan: _Plan, found: _Timers) -> Step:
    """Its timer knows best: somebody has called ahead, or found them closed."""
    if not found.runs or found.due_at is None:
        return coming
    if plan.calendar is None or found.failed:
        return at(coming, min(coming.due_at, found.due_at))
    return at(coming, found.due_at)


def _plan(
    ladder: Ladder, climb: Climb, start: datetime, calendar: Calendar | None, found: _Timers
) -> _Plan:
    whole = range(length(ladder))
    if found.armed is None:
        # One with a higher number may have come before one that waited for the provider.
        gone = set(found.fired) | set(found.skipped)
        first = 0 if calendar is not None else max(found.fired, default=-1) + 1
        left = [n for n in whole if n >= first and n not in gone]
    else:
        behind = whole[found.armed + 1 :] if found.left is None else found.left
        left = [found.armed, *behind]
    return _Plan(ladder, climb, start, calendar, Place(left, found.before))


class _People:
    """Whom a step calls; asked once for each addressee, not for each repeat.

    But for whoever is on duty: they change from one hour to the next.
    """

    def __init__(self, session: Session, order: Order) -> None:
        self._session, self._order = session, order
        self._known: dict[tuple[Whom, str | None, datetime | None], list[AnyContact]] = {}

    def called_by(self, at: Step, moment: datetime) -> list[AnyContact]:
        turns = at.whom in (Whom.ON_DUTY, Whom.DUTY_OFFICER)
        key = (at.whom, at.contact, moment if turns else None)
        if key not in self._known:
            self._known[key] = registry.called_by(self._session, self._order, at, moment)
        return self._known[key]
