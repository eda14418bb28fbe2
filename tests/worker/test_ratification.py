"""An emergency that nobody ratifies: both sides see it, the supervisor is called until one does."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from liaison.domain.vocabulary import Function
from liaison.models import CallTask, Contact, Database, Order, Timer
from liaison.models.work import TimerKind, TimerState, Wanted
from liaison.services import orders
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.worker.looking import entries, messages, open_calls
from tests.world import World

SUPERVISOR = "+37410000102"
OVERDUE = "ratification_overdue"


def ratify_timers(database: Database, order: Order) -> list[object]:
    with database.reading() as session:
        query = select(Timer.due_at).where(
            Timer.order_id == order.id,
            Timer.kind == TimerKind.RATIFICATION,
            Timer.state == TimerState.WAITING,
        )
        return list(session.scalars(query))


def pages(database: Database, order: Order) -> list[str]:
    """To whom it was said that nobody has ratified it."""
    return [m.address for m in messages(database, order) if m.letter == OVERDUE]


def answered(world: World) -> Order:
    """An emergency that its provider has answered: only the ratification is open."""
    return world.preserve(world.issue())


def test_late_ratification_pages_the_supervisor_every_hour_until_somebody_ratifies(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = answered(world)
    due = world.now + timedelta(hours=12)
    assert ratify_timers(database, order) == [due]
    world.clock.set(due - timedelta(seconds=1))
    run_once(work)
    assert pages(database, order) == []
    world.clock.set(due)
    run_once(work)
    assert pages(database, order) == ["supervisor@police.example"]
    assert SUPERVISOR in open_calls(database, order)
    for hours in (1, 2):
        world.clock.set(due + timedelta(hours=hours))
        run_once(work)
        assert len(pages(database, order)) == hours + 1
    assert open_calls(database, order).count(SUPERVISOR) == 1, "one open call is enough"
    assert len(entries(database, order, "order.ratification_overdue")) == 1
    assert len(entries(database, order, "order.ratification_paged")) == 2
    late = [m for m in sender.sent if "a second person must act" in m.subject]
    assert len(late) == 3
    assert "24 Nov 2026, 00:00 UTC" in late[0].text
    assert "child" not in late[0].text.lower()

    world.ratify(order, by="second_officer")
    assert ratify_timers(database, order) == []
    assert SUPERVISOR not in open_calls(database, order)
    (told,) = [e for e in entries(database, order, "order.ratified") if "late" in e]
    assert told["late"] is True
    world.clock.move(hours=5)
    run_once(work)
    assert len(pages(database, order)) == 3


def test_a_worker_that_stood_still_pages_once_not_for_every_hour(
    work: Work, world: World, database: Database
) -> None:
    order = answered(world)
    world.clock.move(hours=12 + 7, minutes=30)
    run_once(work)
    assert len(pages(database, order)) == 1
    assert ratify_timers(database, order) == [world.now + timedelta(minutes=30)]


def test_ratified_in_time_nobody_is_paged(work: Work, world: World, database: Database) -> None:
    order = answered(world)
    world.ratify(order)
    world.clock.move(hours=30)
    run_once(work)
    assert pages(database, order) == []
    assert entries(database, order, "order.ratification_overdue") == []


def test_what_is_withdrawn_is_not_paged_for(work: Work, world: World, database: Database) -> None:
    before, after = world.issue(), world.issue()
    with database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), before.name, "A mistake.", world.now)
    world.clock.move(hours=12)
    run_once(work)
    assert pages(database, before) == []
    assert len(pages(database, after)) == 1
    with database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), after.name, "A mistake.", world.now)
    assert open_calls(database, after) == []
    world.clock.move(hours=3)
    run_once(work)
    assert len(pages(database, after)) == 1


def test_without_a_supervisor_the_duty_officer_is_called(
    work: Work, world: World, database: Database
) -> None:
    order = answered(world)
    with database.transaction() as session:
        session.execute(
            update(Contact)
            .where(Contact.function == Function.SUPERVISOR)
            .values(removed_at=world.now)
        )
    world.clock.move(hours=12)
    run_once(work)
    assert pages(database, order) == ["duty@police.example"]


def test_our_people_hear_of_it_however_soon_it_is_ratified(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue(letters=True)
    world.ratify(order)
    for _ in range(3):
        run_once(work)
    told = {m.address for m in sender.sent if "must be ratified" in m.subject}
    assert told == {"duty@police.example", "supervisor@police.example"}
    assert not [m for m in messages(database, order) if m.letter == "unratified_withdrawn"]


def test_what_is_withdrawn_unratified_is_told_to_the_supervisor(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    """A hijacked account issues, the provider looks, the account withdraws: ours must hear."""
    ratified = world.ratify(world.issue())
    forged = world.issue(letters=True)
    with database.transaction() as session:
        for order in (forged, ratified):
            orders.withdraw(session, world.actor("officer"), order.name, "A mistake.", world.now)
    for _ in range(4):
        run_once(work)
    told = [m for m in sender.sent if str(forged.ref) in m.subject]
    wanted = {m.address for m in told if "must be ratified" in m.subject}
    assert wanted == {"duty@police.example", "supervisor@police.example"}
    gone = [m.address for m in told if "withdrawn before anybody ratified" in m.subject]
    assert gone == ["supervisor@police.example"]
    assert not [m for m in messages(database, ratified) if m.letter == "unratified_withdrawn"]


def test_the_call_for_the_providers_answer_and_that_for_ratifying_do_not_end_each_other(
    work: Work, world: World, database: Database
) -> None:
    """The top of the ladder calls the supervisor, too: two reasons, two calls."""
    order = world.issue()
    world.clock.move(hours=12)
    for _ in range(60):
        run_once(work)
    with database.reading() as session:
        calls = session.query(CallTask).where(CallTask.phone == SUPERVISOR).all()
        wanted = {call.wanted for call in calls if call.state.value == "open"}
    assert wanted == {Wanted.UNTIL_ACKNOWLEDGED, Wanted.UNTIL_RATIFIED}
    world.ratify(order)
    assert open_calls(database, order).count(SUPERVISOR) == 1
