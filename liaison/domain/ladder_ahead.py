"""What is still to come of a climb, once a step has called or is about to.

Here the hours of a provider meet what people do by hand: whoever was called before they opened
lets nobody wait for the opening any more.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from liaison.domain.ladder import (
    Climb,
    Hours,
    Ladder,
    Place,
    Step,
    comes,
    is_there,
    length,
    step,
)


def behind(
    ladder: Ladder, climb: Climb, start: datetime, came: Step, place: Place, hours: Hours
) -> tuple[timedelta, Place]:
    """Where a climb stands once the step ``came`` has called, at its ``due_at``.

    And by how much the climb has moved by it: where no rung is left, the first page at the top
    comes ``page_every`` after the last rung, whenever that one called.
    """
    left = set(place.left) - {came.number}
    before = place.before
    if is_there(came, hours):
        before = (came.number, came.waits) if came.waits > timedelta(0) else None
    after = Place(left, before, came.due_at)
    if left or came.at_top:
        return timedelta(0), after
    page = step(ladder, climb, start, length(ladder), hours, after)
    return came.due_at + ladder.page_every - page.due_at, after


def ahead(
    ladder: Ladder, climb: Climb, start: datetime, coming: Step, place: Place, hours: Hours | None
) -> list[Step]:
    """The step that comes next, at its ``due_at``; those behind it; the first page at the top."""
    if coming.at_top:
        return [coming]
    left, moved = sorted(set(place.left) - {coming.number}), timedelta(0)
    if hours is not None:
        moved, place = behind(ladder, climb, start, coming, place, hours)
    rest = sorted((step(ladder, climb, start, n, hours, place) for n in left), key=comes)
    top = step(ladder, climb, start + moved, length(ladder), hours, place)
    return [coming, *rest, top]
