"""A number that is told to be wrong changes the calls of every order that wait for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID

from sqlalchemy import select, update

from liaison.domain.vocabulary import CallOutcome
from liaison.models import CallTask, Contact, Entry, Order
from liaison.models.work import CallState
from liaison.services import call_tasks, calls, escalation, ladder_holds
from tests.world import World

SPOC, DEPUTY = "+37410000200", "+37410000201"


def open_calls(world: World, order: Order) -> dict[str, CallTask]:
    """Whom to call now, by number."""
    with world.database.reading() as session:
        waiting = select(CallTask).where(
            CallTask.order_id == order.id, CallTask.state == CallState.OPEN
        )
        return {task.phone: task for task in session.scalars(waiting)}


def wrong(world: World, order: Order, task: UUID | None = None, by: str = "officer") -> None:
    """Somebody else answered at the SPOC's number."""
    task = task or open_calls(world, order)[SPOC].id
    with world.database.transaction() as session:
        outcome = CallOutcome.WRONG_NUMBER
        calls.log(session, world.actor(by), order.name, task, outcome, "A bakery.", world.now)


def entries(world: World, order: Order) -> list[str]:
    with world.database.reading() as session:
        told = select(Entry.data).where(
            Entry.order_id == order.id, Entry.type == "order.call_reopened"
        )
        return [data or "" for data in session.scalars(told)]


def test_the_next_one_is_called_about_every_order_that_waits(world: World) -> None:
    told, other = world.issue(), world.issue()
    theirs = open_calls(world, other)[SPOC]
    wrong(world, told)
    for order in (told, other):
        assert list(open_calls(world, order)) == [DEPUTY], order.name
    (instead,) = open_calls(world, other).values()
    assert "is wrong" in instead.why
    assert instead.wanted is theirs.wanted
    with world.database.reading() as session:
        assert session.get_one(CallTask, theirs.id).state is CallState.CANCELLED
    (entry,) = entries(world, other)
    assert "wrong_number" in entry


def test_who_had_dialled_already_can_still_log_it(world: World) -> None:
    told, other = world.issue(), world.issue()
    task = open_calls(world, other)[SPOC].id
    wrong(world, told)
    wrong(world, other, task)
    assert list(open_calls(world, other)) == [DEPUTY], "nobody is called twice for it"


def test_a_ladder_that_a_person_holds_calls_nobody_instead(world: World) -> None:
    told, paused, closed = world.issue(), world.issue(), world.issue()
    officer = world.actor("officer")
    with world.database.transaction() as session:
        until = world.now + timedelta(minutes=20)
        ladder_holds.pause(session, officer, paused.name, until, "I drive there.", world.now)
        escalation.close(session, officer, closed.name, "I drive there.", world.now)
    before = [list(open_calls(world, order)) for order in (paused, closed)]
    wrong(world, told)
    assert [list(open_calls(world, order)) for order in (paused, closed)] == before
    wrong(world, paused)
    assert not open_calls(world, paused), "the pause puts the next call off"


def test_where_nobody_else_has_a_number_the_call_stays(world: World) -> None:
    told, other = world.issue(), world.issue()
    with world.database.transaction() as session:
        session.execute(update(Contact).where(Contact.phone != SPOC).values(phone_verified_at=None))
    wrong(world, told)
    assert list(open_calls(world, other)) == [SPOC], "better a doubtful line than none"


def test_a_drills_call_says_once_that_it_is_one(world: World) -> None:
    told, drill = world.issue(), world.issue()
    with world.database.transaction() as session:
        session.execute(update(Order).where(Order.id == drill.id).values(test=True))
        its_call = update(CallTask).where(CallTask.order_id == drill.id)
        session.execute(its_call.values(why=call_tasks.DRILL + CallTask.why))
    wrong(world, told)
    (instead,) = open_calls(world, drill).values()
    assert instead.phone == DEPUTY
    assert instead.why.count("TEST, a drill") == 1


def test_who_log_it_at_once_do_not_wait_for_each_other(world: World) -> None:
    who = ("officer", "second_officer", "supervisor")
    orders = [world.issue(), world.issue(), world.issue()]
    tasks = [open_calls(world, order)[SPOC].id for order in orders]
    begun = Barrier(len(orders))

    def one(place: int) -> None:
        begun.wait(10)
        wrong(world, orders[place], tasks[place], who[place])

    with ThreadPoolExecutor(len(orders)) as pool:
        list(pool.map(one, range(len(orders))))
    for order in orders:
        assert list(open_calls(world, order)) == [DEPUTY], order.name


def test_whoever_speaks_with_the_right_person_meanwhile_can_log_their_word(world: World) -> None:
    """Somebody logs a wrong number on another order, by mistake, in the middle of the call."""
    told, other = world.issue(), world.issue()
    task = open_calls(world, other)[SPOC].id
    wrong(world, told)
    with world.database.transaction() as session:
        calls.log(
            session,
            world.actor("supervisor"),
            other.name,
            task,
            CallOutcome.REACHED,
            "She has it.",
            world.now,
            acknowledged=True,
        )
    with world.database.reading() as session:
        assert session.get_one(Order, other.id).acknowledged_at is not None


def test_where_nobody_else_has_a_number_the_line_stays(world: World) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        others = update(Contact).where(Contact.phone != SPOC)
        session.execute(others.values(phone_verified_at=None))
    wrong(world, order)
    assert list(open_calls(world, order)) == [SPOC], "a doubtful line before none"
