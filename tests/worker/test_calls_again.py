"""A call that brought nothing is opened again, until somebody answers the order."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from liaison.domain.vocabulary import CallOutcome, Function
from liaison.errors import Stale
from liaison.models import CallTask, Contact, Entry, Message, Order, Timer
from liaison.models.work import CallState, TimerKind, TimerState, Wanted
from liaison.services import call_tasks, calls, calls_again, escalation, orders
from liaison.worker import Work
from liaison.worker.timers import fire_one
from tests.world import World

EMERGENCY, URGENT = "01-emergency-missing-child.json", "05-names-from-everywhere.json"
ROUTINE = "03-cgnat-fraud-routine.json"
SPOC, DEPUTY = "+37410000200", "+37410000201"


def open_calls(world: World, order: Order) -> dict[str, UUID]:
    """Whom to call now: number and task."""
    with world.database.reading() as session:
        query = select(CallTask.phone, CallTask.id).where(
            CallTask.order_id == order.id, CallTask.state == CallState.OPEN
        )
        rows = session.execute(query.order_by(CallTask.id))
        return {row.phone: row.id for row in rows}


def log(
    world: World,
    order: Order,
    outcome: CallOutcome,
    phone: str = SPOC,
    *,
    acknowledged: bool = False,
    by: str = "officer",
) -> UUID:
    """Somebody has called this number."""
    task = open_calls(world, order)[phone]
    with world.database.transaction() as session:
        calls.log(
            session,
            world.actor(by),
            order.name,
            task,
            outcome,
            "",
            world.now,
            acknowledged=acknowledged,
        )
    return task


def again_at(world: World, order: Order) -> list[datetime]:
    """When calls are opened again."""
    with world.database.reading() as session:
        waiting = select(Timer.due_at).where(
            Timer.order_id == order.id,
            Timer.kind == TimerKind.CALL_AGAIN,
            Timer.state == TimerState.WAITING,
        )
        return list(session.scalars(waiting.order_by(Timer.due_at)))


def fire(work: Work) -> None:
    while fire_one(work):
        pass


def alone(world: World, order: Order) -> None:
    """The ladder keeps still: what is opened is opened by the call before."""
    with world.database.transaction() as session:
        session.execute(
            update(Timer)
            .where(Timer.order_id == order.id, Timer.kind == TimerKind.LADDER)
            .values(due_at=world.now + timedelta(days=300))
        )


def called(world: World, file: str = EMERGENCY) -> Order:
    """An order whose SPOC is to be called, and whose ladder keeps still."""
    order = world.issue(file, provider="Meridian Telecom")
    if file != EMERGENCY:
        with world.database.transaction() as session:
            spoc = session.scalars(select(Contact).where(Contact.phone == SPOC)).one()
            stored = session.get_one(Order, order.id)
            wanted = Wanted.UNTIL_ACKNOWLEDGED
            call_tasks.open_task(session, stored, spoc, "Call.", "test", wanted, world.now)
    alone(world, order)
    return order


@pytest.mark.parametrize(
    ("file", "outcome", "minutes"),
    [
        (EMERGENCY, CallOutcome.NO_ANSWER, 5),
        (EMERGENCY, CallOutcome.REACHED, 15),
        (URGENT, CallOutcome.VOICEMAIL, 30),
        (ROUTINE, CallOutcome.REACHED, 24 * 60),
    ],
)
def test_a_call_that_brought_nothing_comes_back(
    world: World, work: Work, file: str, outcome: CallOutcome, minutes: int
) -> None:
    order = called(world, file)
    first = log(world, order, outcome)
    assert not open_calls(world, order)
    world.clock.move(minutes=minutes, seconds=-1)
    fire(work)
    assert not open_calls(world, order), "not before its time"
    world.clock.move(seconds=1)
    fire(work)
    (task,) = open_calls(world, order).values()
    with world.database.reading() as session:
        found = session.get_one(CallTask, task)
        assert (found.follows_id, found.phone) == (first, SPOC)
        assert found.why.startswith(calls_again.SINCE[outcome])
        told = session.scalars(
            select(Entry).where(Entry.order_id == order.id, Entry.type == "order.call_reopened")
        ).one()
        assert told.stream == f"authority:{order.authority_id}", "a provider reads nothing of it"
    log(world, order, CallOutcome.NO_ANSWER)
    assert len(again_at(world, order)) == 1
    world.acknowledge(order)
    assert not again_at(world, order), "an answered order asks for no call"


def test_the_reason_does_not_grow(world: World, work: Work) -> None:
    order = called(world)
    for outcome in (CallOutcome.NO_ANSWER, CallOutcome.VOICEMAIL, CallOutcome.REACHED):
        log(world, order, outcome)
        world.clock.move(minutes=15)
        fire(work)
    with world.database.reading() as session:
        why = session.get_one(CallTask, open_calls(world, order)[SPOC]).why
    assert why.startswith("They were reached, and nothing has come of it. An emergency")
    assert why.count("last call") == 0


@pytest.mark.parametrize("how", ["acknowledged", "withdrawn", "closed", "by phone"])
def test_whoever_ends_the_wait_takes_the_call_back(world: World, work: Work, how: str) -> None:
    order = called(world)
    log(world, order, CallOutcome.NO_ANSWER)
    assert again_at(world, order) == [world.now + timedelta(minutes=5)]
    if how == "acknowledged":
        world.acknowledge(order)
    elif how == "by phone":
        world.clock.move(minutes=5)
        fire(work)
        log(world, order, CallOutcome.REACHED, acknowledged=True)
    else:
        with world.database.transaction() as session:
            officer, now = world.actor("officer"), world.now
            if how == "closed":
                escalation.close(session, officer, order.name, "I call them myself.", now)
            else:
                orders.withdraw(session, officer, order.name, "False alarm.", now)
    assert not again_at(world, order)
    world.clock.move(hours=1)
    fire(work)
    assert SPOC not in open_calls(world, order)


def test_who_has_taken_over_is_not_asked_to_call_again(world: World) -> None:
    order = called(world)
    with world.database.transaction() as session:
        escalation.close(session, world.actor("officer"), order.name, "I do it.", world.now)
    log(world, order, CallOutcome.NO_ANSWER)
    assert not again_at(world, order)


def test_a_colleague_who_was_reached_knows(world: World) -> None:
    order = called(world)
    with world.database.transaction() as session:
        task = session.scalars(select(CallTask)).one()
        ours = select(Contact).where(
            Contact.authority_id == order.authority_id, Contact.function == Function.DUTY_OFFICER
        )
        task.contact_id = session.scalars(ours).one().id
    log(world, order, CallOutcome.REACHED)
    assert not again_at(world, order)


def test_the_ladder_and_the_call_again_open_one_call(world: World, work: Work) -> None:
    order = world.issue()
    log(world, order, CallOutcome.NO_ANSWER)
    fire(work)  # the first rung calls the SPOC at once
    assert list(open_calls(world, order)) == [SPOC]
    world.clock.move(minutes=5)
    fire(work)
    assert list(open_calls(world, order)) == [SPOC]
    log(world, order, CallOutcome.NO_ANSWER)
    world.clock.move(minutes=5)
    fire(work)
    with world.database.reading() as session:
        count = select(func.count()).where(
            CallTask.order_id == order.id, CallTask.state == CallState.OPEN
        )
        assert session.scalar(count) == 1


def test_a_held_ladder_calls_nobody_and_forgets_nothing(world: World, work: Work) -> None:
    order = called(world)
    log(world, order, CallOutcome.NO_ANSWER)
    with world.database.transaction() as session:
        stored = session.get_one(Order, order.id)
        stored.ladder_paused_at = world.now
        stored.ladder_paused_until = world.now + timedelta(minutes=7)
    world.clock.move(minutes=5)
    fire(work)
    assert not open_calls(world, order)
    world.clock.move(minutes=5)
    fire(work)
    assert list(open_calls(world, order)) == [SPOC]


def test_after_twenty_a_call_stays_open_instead_of_multiplying(world: World, work: Work) -> None:
    order = called(world)
    for _ in range(calls_again.IN_A_ROW + 5):
        log(world, order, CallOutcome.NO_ANSWER)
        world.clock.move(minutes=5)
        fire(work)
    assert list(open_calls(world, order)) == [SPOC]
    with world.database.reading() as session:
        tasks = session.scalars(select(CallTask).where(CallTask.order_id == order.id)).all()
        logged = select(func.count()).where(Entry.type == "order.call_logged")
        assert session.scalar(logged) == calls_again.IN_A_ROW + 5, "each is on record"
    assert len(tasks) == calls_again.IN_A_ROW + 1
    world.acknowledge(order)
    assert not open_calls(world, order)


def test_a_drill_calls_everybody_once(world: World) -> None:
    order = called(world)
    with world.database.transaction() as session:
        session.execute(update(Order).where(Order.id == order.id).values(test=True))
    log(world, order, CallOutcome.NO_ANSWER)
    assert not again_at(world, order)


def test_a_wrong_number_is_marked_told_and_passed_over(world: World, work: Work) -> None:
    order = called(world)
    log(world, order, CallOutcome.WRONG_NUMBER)
    (phone,) = open_calls(world, order)
    assert phone == DEPUTY, "the next one is called at once"
    with world.database.reading() as session:
        spoc = session.scalars(select(Contact).where(Contact.phone == SPOC)).one()
        assert (spoc.wrong_number_at, spoc.phone_verified_at) == (world.now, None)
        letters = session.scalars(
            select(Message.address).where(Message.letter == "register/contact_wrong_number")
        ).all()
    for who in ("provider_administrator", "administrator"):
        assert world.person(who).email in letters
    assert len(letters) == len(set(letters)), "nobody is told twice"
    # The rung that names the SPOC calls nobody there; an order issued now begins elsewhere.
    assert SPOC not in open_calls(world, world.issue())
    world.clock.move(hours=2)
    fire(work)
    assert SPOC not in open_calls(world, order)


def test_a_number_that_was_changed_meanwhile_is_not_marked(world: World) -> None:
    order = called(world)
    with world.database.transaction() as session:
        spoc = session.scalars(select(Contact).where(Contact.phone == SPOC)).one()
        spoc.phone = "+37410000299"
    log(world, order, CallOutcome.WRONG_NUMBER)
    with world.database.reading() as session:
        spoc = session.scalars(select(Contact).where(Contact.phone == "+37410000299")).one()
        assert spoc.wrong_number_at is None
        assert spoc.phone_verified_at is not None
    # The call was to an old number: the new one is called.
    assert list(open_calls(world, order)) == ["+37410000299"]


def test_two_people_log_the_same_call_and_one_is_told(world: World, work: Work) -> None:
    order = called(world)
    task = log(world, order, CallOutcome.NO_ANSWER)
    second, reached = world.actor("second_officer"), CallOutcome.REACHED
    with world.database.transaction() as session, pytest.raises(Stale):
        calls.log(session, second, order.name, task, reached, "", world.now)
    assert len(again_at(world, order)) == 1
