"""The line from issue to the deadline: rungs on it, each with its time and whom it alerts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from liaison.domain.ladder import Climb, Whom
from liaison.domain.lifecycle import OrderState
from liaison.models import Order
from liaison.portal.filters import span
from liaison.queries.ladder import LadderView, StepState, StepView

_NARROWEST = 520
"""Pixels of the line where it is shown at its narrowest; liaison.css hides it on a phone."""

_CHARACTER, _GAP = 8, 12
"""Pixels that a character of a label takes at most, and that stand between two labels."""

_OURS = (Whom.DUTY_OFFICER, Whom.SUPERVISOR)

_Stretch = tuple[float, float]
"""Per cent of the line, from and to."""


@dataclass(frozen=True)
class Mark:
    """A rung on the line; ``x`` in per cent, ``lane`` the line of text its label stands in."""

    x: str
    label: str
    done: bool
    anchor: str = "middle"
    lane: int = 0


@dataclass(frozen=True)
class Line:
    """The line from issue to the deadline; ``now`` in per cent of it."""

    now: str
    marks: list[Mark]
    first: str
    last: str

    @property
    def lanes(self) -> int:
        """How many lines of text stand below it."""
        return max((mark.lane for mark in self.marks), default=0) + 1


def line(
    order: Order, view: LadderView, due: datetime, now: datetime, provider: bool
) -> Line | None:
    """The line of an open order; ``provider``: as its provider sees it, who was alerted alone."""
    start = order.issued_at
    if start is None or due <= start:
        return None
    whole = due - start
    marks = []
    if order.acknowledged_at and order.state is OrderState.ACKNOWLEDGED:
        after = order.acknowledged_at - start
        marks.append(Mark(_percent(after, whole), f"✓ {_after(after)} Acknowledged", True))
    if view.climb is Climb.ACKNOWLEDGE:
        steps = _told(order, view, provider)
        marks += [
            Mark(_percent(step.due_at - start, whole), _words(step, start, provider), _done(step))
            for step in steps
            if timedelta(0) < step.due_at - start < whole
        ]
    first, last = "Sent", f"{span(whole)} due"
    ends = [(0.0, _width(first)), (100 - _width(last), 100.0)]
    return Line(_percent(now - start, whole), _placed(marks, ends), first, last)


def _told(order: Order, view: LadderView, provider: bool) -> list[StepView]:
    # Where somebody has closed the ladder nothing comes of what was planned.
    if provider or order.ladder_closed_at:
        return [step for step in view.steps if _done(step)]
    return [step for step in view.steps if step.state is not StepState.SKIPPED]


def _done(step: StepView) -> bool:
    return step.state is StepState.DONE


def _words(step: StepView, start: datetime, provider: bool) -> str:
    """``✓ 15 min Every SPOC``; who is called at the contact point is not told to the provider."""
    whom = step.step.whom
    name = "The contact point" if provider and whom in _OURS else whom.label
    return f"{'✓ ' if _done(step) else ''}{_after(step.due_at - start)} {name}"


def _after(length: timedelta) -> str:
    seconds = int(length.total_seconds())
    return span(length) if seconds >= 60 else f"{seconds} s"


def _placed(marks: Iterable[Mark], ends: list[_Stretch]) -> list[Mark]:
    """Each label in the first line of text where it covers no other."""
    lanes = [list(ends)]
    placed = []
    for mark in sorted(marks, key=lambda m: float(m.x)):
        lane, anchor, stretch = _place(float(mark.x), _width(mark.label), lanes)
        lanes[lane].append(stretch)
        placed.append(Mark(mark.x, mark.label, mark.done, anchor, lane))
    return placed


def _place(x: float, width: float, lanes: list[list[_Stretch]]) -> tuple[int, str, _Stretch]:
    ways = {
        "middle": (x - width / 2, x + width / 2),
        "start": (x, x + width),
        "end": (x - width, x),
    }
    for lane in count():
        if lane == len(lanes):
            lanes.append([])
        for anchor, (begin, end) in ways.items():
            apart = all(end <= a or begin >= b for a, b in lanes[lane])
            if apart and begin >= 0 and end <= 100:
                return lane, anchor, (begin, end)
        if not lanes[lane]:  # wider than the line itself
            return lane, "start", ways["start"]
    raise AssertionError


def _width(text: str) -> float:
    return (len(text) * _CHARACTER + _GAP) / _NARROWEST * 100


def _percent(part: timedelta, whole: timedelta) -> str:
    return f"{min(max(part / whole, 0.0), 1.0) * 100:.1f}"
