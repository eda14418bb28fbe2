"""A routine order waits for the provider to open, over a weekend and the holidays before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from liaison.models import Order, Timer
from liaison.queries.ladder import StepState, ladder_of
from liaison.worker import Work, run_once
from tests.keeping import with_terms
from tests.threads import answer, ask, routine
from tests.worker.looking import entries, waiting
from tests.world import World

WEDNESDAY = datetime(2026, 12, 30, 10, tzinfo=UTC)
"""14:00 in Yerevan. New Year's Eve and two days of New Year, then a Sunday, follow."""

MONDAY = datetime(2027, 1, 4, 5, tzinfo=UTC)
"""09:00 in Yerevan."""

HOURS = [{"days": [0, 1, 2, 3, 4], "opens": "09:00", "closes": "18:00"}]
OURS = datetime(2027, 1, 1, 10, tzinfo=UTC)
"""When two days are over: our duty officer's rung."""


def closed(world: World, **more: Any) -> Order:
    """An order under terms with office hours and holidays, issued on the last day before them."""
    with_terms(world, office_hours=HOURS, observes_holidays=True, **more)
    world.clock.set(WEDNESDAY)
    return routine(world)


def climbed(world: World, order: Order) -> list[str]:
    """Whom the ladder has called, in that order."""
    return [told["whom"] for told in entries(world.database, order, "order.escalated")]


def armed(world: World, order: Order) -> Timer:
    """The one step that is to come."""
    (timer,) = [t for t in waiting(world.database, order) if t.key.startswith(f"{order.id}:ladder")]
    return timer


def test_people_there_are_called_when_they_open_and_ours_when_the_ladder_says(
    work: Work, world: World
) -> None:
    order = closed(world)
    assert order.acknowledge_by == WEDNESDAY + timedelta(days=2), "deadlines do not wait"
    run_once(work)
    shown(world, order)
    world.clock.set(OURS - timedelta(minutes=1))
    run_once(work)
    assert climbed(world, order) == []
    world.clock.set(OURS)
    run_once(work)
    assert climbed(world, order) == ["duty_officer"]
    # Neither the supervisor nor anybody there is called before they open.
    assert armed(world, order).due_at == MONDAY
    world.clock.set(MONDAY - timedelta(seconds=1))
    run_once(work)
    assert climbed(world, order) == ["duty_officer"]
    for minutes, whom in ((0, "on_duty"), (15, "every_spoc"), (30, "fallback")):
        world.clock.set(MONDAY + timedelta(minutes=minutes))
        run_once(work)
        assert climbed(world, order)[-1] == whom
        assert armed(world, order).due_at == MONDAY + timedelta(minutes=minutes + 15)
    world.clock.set(MONDAY + timedelta(minutes=45))
    run_once(work)
    assert climbed(world, order) == [
        "duty_officer",
        "on_duty",
        "every_spoc",
        "fallback",
        "supervisor",
    ]


def shown(world: World, order: Order) -> None:
    """The order's page names the steps in the order in which they come, and who waits."""
    with world.database.reading() as session:
        view = ladder_of(session, session.get_one(Order, order.id))
    assert [(s.step.whom.value, s.due_at, bool(s.step.waits)) for s in view.steps] == [
        ("duty_officer", OURS, False),
        ("on_duty", MONDAY, True),
        ("every_spoc", MONDAY + timedelta(minutes=15), True),
        ("fallback", MONDAY + timedelta(minutes=30), True),
        ("supervisor", MONDAY + timedelta(minutes=45), False),
    ]
    assert [s.state for s in view.steps] == [StepState.NOW, *[StepState.TODO] * 4]


def test_an_acknowledgement_before_they_open_stops_all_of_it(work: Work, world: World) -> None:
    order = closed(world)
    world.clock.set(OURS)
    run_once(work)
    world.acknowledge(order)
    world.clock.set(MONDAY + timedelta(hours=1))
    run_once(work)
    assert climbed(world, order) == ["duty_officer"]
    # The second climb waits as the first did: the time to preserve ended on the Monday, 14:00.
    assert order.preserve_by == datetime(2027, 1, 4, 10, tzinfo=UTC)
    assert armed(world, order).due_at == order.preserve_by


def test_a_pause_that_lasts_beyond_the_opening_calls_people_there_first(
    work: Work, world: World
) -> None:
    """Our duty officer was next; once the clock goes on, those who are open again come before."""
    order = closed(world, clock_stops=True)
    run_once(work)
    assert armed(world, order).payload["step"] == 3
    world.clock.set(WEDNESDAY + timedelta(hours=1))
    ask(world, order)
    world.clock.move(days=5)
    answer(world, order)
    due = WEDNESDAY + timedelta(days=6)
    assert (armed(world, order).payload["step"], armed(world, order).due_at) == (0, due)
    for _ in range(5):
        world.clock.set(armed(world, order).due_at)
        run_once(work)
    # Tuesday 5 January, 14:00; the 6th is a holiday.
    assert climbed(world, order) == [
        "on_duty",
        "duty_officer",
        "every_spoc",
        "fallback",
        "supervisor",
    ]
