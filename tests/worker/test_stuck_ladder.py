"""A ladder that cannot move: our people are told, act by hand, and everybody can see it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from liaison import checks
from liaison.domain.vocabulary import CallOutcome
from liaison.models import CallTask, Database, Order, Timer
from liaison.models.work import CallState, TimerKind, TimerState, Wanted
from liaison.queries import lag
from liaison.services import calls, stuck
from liaison.settings import Settings
from liaison.worker import Work, run_once
from liaison.worker.timers import HANDLERS, fire_one
from tests.mail import RecordingSender
from tests.threads import answer, ask, routine
from tests.worker.looking import messages, open_calls, waiting
from tests.world import World

OFFICER, SUPERVISOR = "+37410000101", "+37410000102"


def poison(_s: Session, _t: Timer, _o: Order, _now: datetime) -> None:
    raise ValueError("poison")


POISONED = {**HANDLERS, TimerKind.LADDER: poison}


def fail(work: Work, world: World, database: Database, order: Order, times: int) -> None:
    """The order's ladder fails so often, each time when it is due."""
    for _ in range(times):
        (timer,) = waiting(database, order)
        world.clock.set(max(timer.due_at, world.now))
        assert fire_one(work, POISONED) == 1


def test_our_people_are_called_and_written_to_after_the_second_failure(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    before = open_calls(database, order)
    fail(work, world, database, order, 1)
    assert open_calls(database, order) == before, "once may be a lost connection"
    assert messages(database, order) == []
    fail(work, world, database, order, 1)
    assert set(open_calls(database, order)) - set(before) == {OFFICER, SUPERVISOR}
    fail(work, world, database, order, 3)
    assert len(open_calls(database, order)) == len(before) + 2
    run_once(work)
    told = [one for one in sender.sent if "could not move" in one.subject]
    assert [one.address for one in told] == ["duty@police.example", "supervisor@police.example"]
    for one in told:
        assert f"The ladder of order {order.name} could not move; act by hand." in one.text
        assert "Meridian" in one.text
        assert "child" not in one.text.lower(), "no case data"


def test_they_are_told_again_while_it_stands_still(
    work: Work, world: World, database: Database
) -> None:
    order = world.issue()
    fail(work, world, database, order, 2)
    since = world.now
    with database.transaction() as session:
        task = session.scalars(select(CallTask).where(CallTask.phone == OFFICER)).one()
        actor = world.actor("officer")
        calls.log(session, actor, order.name, task.id, CallOutcome.NO_ANSWER, "", world.now)
    assert OFFICER not in open_calls(database, order)
    while len(messages(database, order)) == 2:
        fail(work, world, database, order, 1)
    assert timedelta(minutes=30) < world.now - since < timedelta(minutes=90)
    assert OFFICER in open_calls(database, order)


def test_whatever_fails_in_telling_the_timer_is_put_off(
    work: Work, world: World, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.issue()

    def fails(_session: Session, _timer: object, _now: datetime) -> int:
        raise RuntimeError

    monkeypatch.setattr(stuck, "tell", fails)
    fail(work, world, database, order, 3)
    (timer,) = waiting(database, order)
    assert timer.attempts == 3
    assert timer.due_at > world.now


def test_a_broken_payload_is_told_and_the_page_still_opens(
    work: Work,
    world: World,
    database: Database,
    client: FlaskClient,
    settings: Settings,
) -> None:
    order = world.issue()
    run_once(work)
    with database.transaction() as session:
        session.execute(
            update(Timer).where(Timer.state == TimerState.WAITING).values(payload={"climb": 1})
        )
    world.clock.move(minutes=15)
    for _ in range(2):
        run_once(work)
        world.clock.move(seconds=6)
    said = f"The ladder could not move at {_hm(world.now - timedelta(seconds=6))} UTC"
    world.sign_in(client, "officer")
    page = client.get(f"/orders/{order.name}").text
    assert said in page
    assert "it is tried again at" in page
    worker = next(f for f in checks.run(settings, database, world.clock) if f.name == "worker")
    assert not worker.ok
    assert order.name in worker.detail
    assert client.get("/readyz").status_code == 200, "one order must not take the portal away"
    theirs = client.application.test_client()
    world.sign_in(theirs, "spoc")
    page = theirs.get(f"/orders/{order.name}").text
    assert "Escalation ladder" in page
    assert "could not move" not in page


def test_an_answer_takes_the_calls_back(work: Work, world: World, database: Database) -> None:
    order = world.issue()
    fail(work, world, database, order, 2)
    (stuck_one,) = waiting(database, order)
    world.acknowledge(order)
    assert open_calls(database, order) == []
    with database.transaction() as session:
        assert stuck.tell(session, stuck_one.id, world.now) == 0, "its timer was cancelled"
    assert open_calls(database, order) == []


def test_in_the_second_climb_they_are_wanted_until_it_is_preserved(
    work: Work, world: World, database: Database
) -> None:
    order = world.issue()
    world.acknowledge(order)
    fail(work, world, database, order, 2)
    with database.reading() as session:
        wanted = session.scalars(
            select(CallTask.wanted).where(
                CallTask.phone == OFFICER, CallTask.state == CallState.OPEN
            )
        ).all()
    assert wanted == [Wanted.UNTIL_PRESERVED]


def _hm(moment: datetime) -> str:
    return moment.strftime("%H:%M")


def _told_of(work: Work, world: World, order: Order, kind: TimerKind) -> None:
    """A timer of this kind fails twice, when it is due."""
    timer = _of_kind(world, order, kind)
    for _ in range(2):
        world.clock.set(max(_of_kind(world, order, kind).due_at, world.now))
        for _ in range(20):
            if fire_one(work, {**HANDLERS, kind: poison}) == 0:
                break
    assert _of_kind(world, order, kind).id == timer.id


def _of_kind(world: World, order: Order, kind: TimerKind) -> Timer:
    with world.database.reading() as session:
        return session.scalars(
            select(Timer).where(
                Timer.order_id == order.id,
                Timer.kind == kind,
                Timer.state == TimerState.WAITING,
            )
        ).one()


def _calls_wanted(world: World, order: Order, wanted: Wanted) -> list[str]:
    with world.database.reading() as session:
        return sorted(
            session.scalars(
                select(CallTask.phone).where(
                    CallTask.order_id == order.id,
                    CallTask.wanted == wanted,
                    CallTask.state == CallState.OPEN,
                )
            )
        )


def test_a_ratification_that_cannot_be_asked_for_calls_our_people(
    work: Work, world: World, sender: RecordingSender
) -> None:
    order = world.issue()
    world.acknowledge(order)
    _told_of(work, world, order, TimerKind.RATIFICATION)
    assert _calls_wanted(world, order, Wanted.UNTIL_RATIFIED) == [OFFICER, SUPERVISOR]
    run_once(work)
    texts = [one.text for one in sender.sent if "the portal failed" in one.subject]
    assert len(texts) == 2
    assert "nobody is called to ratify" in texts[0]
    world.ratify(world.order(order.name))
    assert _calls_wanted(world, order, Wanted.UNTIL_RATIFIED) == []


def test_an_answer_that_nobody_is_reminded_of_calls_our_people(work: Work, world: World) -> None:
    order = routine(world)
    ask(world, order)
    _told_of(work, world, order, TimerKind.ANSWER)
    assert _calls_wanted(world, order, Wanted.UNTIL_ANSWERED) == [OFFICER, SUPERVISOR]
    answer(world, order)
    assert _calls_wanted(world, order, Wanted.UNTIL_ANSWERED) == []


def test_the_check_names_every_order_of_which_a_timer_fails(work: Work, world: World) -> None:
    """An expiry calls nobody, and must not stand still unseen."""
    order = world.preserve(routine(world), days=1)
    world.clock.move(days=2)
    broken = {**HANDLERS, TimerKind.EXPIRY: poison}
    for _ in range(3):
        while fire_one(work, broken):
            pass
        world.clock.move(minutes=1)
    with world.database.reading() as session:
        assert lag.stuck(session, world.now) == [order.name]
