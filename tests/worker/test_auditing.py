"""The auditor: whatever becomes of a timer, a ladder that should move does."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, event, insert, select, text, update

from liaison.models import Database, Entry, Order, Timer
from liaison.models.base import new_id
from liaison.models.work import TimerKind, TimerState
from liaison.queries import unplanned
from liaison.services import auditing, escalation, ladder_holds
from liaison.worker import Work, run_once, watch
from tests.mail import RecordingSender
from tests.many_orders import fill
from tests.worker.looking import entries, messages, open_calls, waiting
from tests.world import World


def lose(database: Database, order: Order, kind: TimerKind = TimerKind.LADDER) -> None:
    """A hand in the database, or a fault of ours: what was planned is gone."""
    with database.transaction() as session:
        session.execute(
            delete(Timer).where(
                Timer.order_id == order.id,
                Timer.kind == kind,
                Timer.state == TimerState.WAITING,
            )
        )


def steps(database: Database, order: Order) -> list[int]:
    return [t.payload["step"] for t in waiting(database, order) if t.kind is TimerKind.LADDER]


def test_a_lost_step_is_set_again_and_our_people_are_told(
    world: World, database: Database, work: Work, sender: RecordingSender
) -> None:
    order = world.issue()
    run_once(work)
    world.clock.move(minutes=15)
    run_once(work)
    assert steps(database, order) == [2]
    lose(database, order)
    watch.audit(work)
    assert steps(database, order) == [2]
    assert order.issued_at is not None
    assert waiting(database, order)[0].due_at == order.issued_at + timedelta(minutes=30)
    (entry,) = entries(database, order, "order.ladder_mended")
    assert entry["step"] == 2
    told = [m.address for m in messages(database, order) if m.letter == "ladder_mended"]
    assert sorted(told) == ["duty@police.example", "supervisor@police.example"]
    assert {"+37410000101", "+37410000102"} <= set(open_calls(database, order))
    watch.audit(work)
    assert len(entries(database, order, "order.ladder_mended")) == 1
    world.clock.move(minutes=15)
    run_once(work)
    assert len(entries(database, order, "order.escalated")) == 3


@pytest.mark.one_database
def test_a_provider_learns_nothing_of_it(world: World, database: Database, work: Work) -> None:
    order = world.issue()
    lose(database, order)
    watch.audit(work)
    with database.reading() as session:
        streams = session.scalars(select(Entry.stream).where(Entry.type == "order.ladder_mended"))
        assert [s.partition(":")[0] for s in streams] == ["authority"]


@pytest.mark.one_database
@pytest.mark.parametrize("state", [TimerState.CANCELLED, TimerState.FIRED])
def test_a_step_that_only_says_it_is_done_is_set_again(
    world: World, database: Database, work: Work, state: TimerState
) -> None:
    order = world.issue()
    with database.transaction() as session:
        session.execute(
            update(Timer)
            .where(Timer.order_id == order.id, Timer.kind == TimerKind.LADDER)
            .values(state=state, done_at=world.now)
        )
    watch.audit(work)
    assert steps(database, order) == [0 if state is TimerState.CANCELLED else 1]


def test_late_pages_at_the_top_go_on_once(
    world: World, database: Database, work: Work, sender: RecordingSender
) -> None:
    order = world.issue()
    for _ in range(6):
        run_once(work)
        world.clock.move(minutes=15)
    at = steps(database, order)
    lose(database, order)
    world.clock.move(hours=5)
    run_once(work)
    run_once(work)
    (after,) = steps(database, order)
    assert after > at[0] + 15, "those that nobody was there to send are passed over"
    pages = [m for m in messages(database, order) if m.letter == "supervisor_page"]
    assert len(pages) <= 4


def test_the_second_climb_is_set_again(world: World, database: Database, work: Work) -> None:
    order = world.issue()
    world.acknowledge(order)
    lose(database, order)
    watch.audit(work)
    (timer,) = (t for t in waiting(database, order) if t.kind is TimerKind.LADDER)
    assert timer.payload["climb"] == 2
    assert timer.due_at == order.preserve_by


@pytest.mark.one_database
def test_whoever_holds_closed_or_answered_is_left_alone(
    world: World, database: Database, work: Work
) -> None:
    closed, paused, stopped, answered = (world.issue() for _ in range(4))
    with database.transaction() as session:
        escalation.close(session, world.actor("supervisor"), closed.name, "by phone", world.now)
        session.execute(
            update(Order).where(Order.id == paused.id).values(ladder_paused_at=world.now)
        )
        session.execute(
            update(Order).where(Order.id == stopped.id).values(clock_stopped_at=world.now)
        )
    world.preserve(world.acknowledge(answered))
    for order in (closed, paused, stopped, answered):
        lose(database, order)
    watch.audit(work)
    for order in (closed, paused, stopped, answered):
        assert steps(database, order) == []
        assert entries(database, order, "order.ladder_mended") == []


def test_a_drill_that_has_called_everybody_is_left_alone(
    world: World, database: Database, work: Work, sender: RecordingSender
) -> None:
    order = world.issue()
    with database.transaction() as session:
        session.execute(update(Order).where(Order.id == order.id).values(test=True))
    for _ in range(5):
        run_once(work)
        world.clock.move(minutes=15)
    run_once(work)
    assert steps(database, order) == []
    assert entries(database, order, "order.ladder_mended") == []
    with database.reading() as session:
        assert unplanned.without_step(session) == [order.id]


@pytest.mark.one_database
def test_terms_that_cannot_be_read_stop_no_other_and_are_told_once(
    world: World, database: Database, work: Work, sender: RecordingSender
) -> None:
    broken, sound = world.issue(), world.issue()
    lose(database, broken)
    lose(database, sound)
    with database.transaction() as session:
        session.execute(update(Order).where(Order.id == broken.id).values(terms={"a": 1}))
    watch.audit(work)
    watch.audit(work)
    assert steps(database, sound) == [0]
    told = [m for m in messages(database, broken) if m.letter == "timer_failed"]
    assert len(told) == 2
    assert len(open_calls(database, broken)) >= 2


@pytest.mark.one_database
def test_whatever_fails_with_one_order_stops_no_other(
    world: World, database: Database, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, sound = world.issue(mla={"intended": False}), world.issue(mla={"intended": False})
    mend, plan = auditing.mend_ladder, auditing.mend_expiry

    def fail_for_one(verb: Any) -> Any:
        def act(session: Any, order_id: Any, now: Any) -> Any:
            if order_id == broken.id:
                raise RuntimeError("a row that nobody can read")
            return verb(session, order_id, now)

        return act

    for name, verb in ("mend_ladder", mend), ("mend_expiry", plan):
        monkeypatch.setattr(auditing, name, fail_for_one(verb))
    monkeypatch.setattr(auditing, "tell_unmended", fail_for_one(auditing.tell_unmended))
    lose(database, broken)
    lose(database, sound)
    watch.audit(work)
    assert steps(database, sound) == [0]
    for order in (broken, sound):
        world.preserve(world.acknowledge(order), days=90)
        lose(database, order, TimerKind.EXPIRY)
    world.clock.move(days=80)
    with pytest.raises(RuntimeError):
        watch.audit(work)
    assert len(entries(database, sound, "order.plan_mended")) == 1


@pytest.mark.one_database
def test_a_clock_that_was_set_back_hides_no_step_that_came(
    world: World, database: Database, work: Work
) -> None:
    order = world.issue()
    run_once(work)
    world.clock.move(minutes=30)
    run_once(work)
    assert steps(database, order) == [3]
    with database.transaction() as session:
        for timer in session.scalars(select(Timer).where(Timer.order_id == order.id)):
            if timer.state is TimerState.FIRED and timer.payload.get("step") == 0:
                timer.done_at = world.now + timedelta(hours=1)
    lose(database, order)
    watch.audit(work)
    assert steps(database, order) == [3]


@pytest.mark.one_database
def test_a_step_that_cannot_be_set_again_is_told_of(
    world: World, database: Database, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.issue()
    lose(database, order)
    monkeypatch.setattr(escalation, "arm", lambda *_given, **_more: None)
    watch.audit(work)
    assert [m.letter for m in messages(database, order)].count("timer_failed") == 2


def test_two_auditors_mend_once(world: World, database: Database, work: Work) -> None:
    order = world.issue()
    lose(database, order)
    with database.reading() as session:
        found = unplanned.without_step(session)
    with database.transaction() as session:
        assert auditing.mend_ladder(session, found[0], world.now)
    with database.transaction() as session:
        assert not auditing.mend_ladder(session, found[0], world.now)


def test_an_acknowledgement_between_look_and_lock_wins(
    world: World, database: Database, work: Work
) -> None:
    order = world.issue()
    lose(database, order)
    with database.reading() as session:
        found = unplanned.without_step(session)
    world.acknowledge(order)
    with database.transaction() as session:
        assert not auditing.mend_ladder(session, found[0], world.now)
    assert [t.payload["climb"] for t in waiting(database, order) if t.kind is TimerKind.LADDER] == [
        2
    ]


def test_an_expiry_that_nobody_planned_is_planned(
    world: World, database: Database, work: Work, sender: RecordingSender
) -> None:
    order = world.issue(mla={"intended": False})
    world.preserve(world.acknowledge(order), days=90)
    lose(database, order, TimerKind.EXPIRY)
    watch.audit(work)
    assert TimerKind.EXPIRY not in [t.kind for t in waiting(database, order)], "far away yet"
    world.clock.move(days=80)
    watch.audit(work)
    assert TimerKind.EXPIRY in [t.kind for t in waiting(database, order)]
    assert len(entries(database, order, "order.plan_mended")) == 1
    watch.audit(work)
    assert len(entries(database, order, "order.plan_mended")) == 1
    world.clock.move(days=11)
    run_once(work)
    assert world.order(order.name).state.value == "expired"


def many_wait(world: World) -> None:
    """A thousand orders, most of them over, and a timer of each that waits for years."""
    fill(world, 1000)
    with world.database.transaction() as session:
        ids = session.scalars(select(Order.id)).all()
        rows = [
            {
                "id": new_id(),
                "kind": TimerKind.EXPIRY,
                "key": f"far:{id_}",
                "order_id": id_,
                "due_at": world.now + timedelta(days=3000),
                "state": TimerState.WAITING,
                "attempts": 0,
                "payload": {},
            }
            for id_ in ids
        ]
        session.execute(insert(Timer), rows)
        session.execute(text("ANALYZE"))


@pytest.mark.one_database  # PostgreSQL plans by what it has counted: so little tells nothing
def test_the_auditor_s_work_is_that_of_open_orders(world: World, database: Database) -> None:
    world.issue()
    many_wait(world)
    plans: list[str] = []

    def explain(cursor: Any, sql: str, given: Any) -> None:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", given)
        plans.append("\n".join(str(row) for row in cursor.fetchall()))

    def look(connection: Any, _cursor: Any, sql: str, given: Any, *_rest: Any) -> None:
        if "preservation_order" in sql:
            explain(connection.connection.cursor(), sql, given)

    event.listen(database.engine, "before_cursor_execute", look)
    try:
        with database.reading() as session:
            unplanned.without_step(session)
            unplanned.without_expiry(session, world.now)
    finally:
        event.remove(database.engine, "before_cursor_execute", look)
    assert len(plans) >= 4, "two questions of each authority"
    for plan in plans:
        assert "ix_order_" in plan, plan
        assert "ix_timer_order" in plan, "never all that waits"


@pytest.mark.one_database
def test_nothing_is_written_while_all_is_well(
    world: World, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.issue()

    def refuse() -> None:
        raise AssertionError("a look that finds nothing begins no writing transaction")

    monkeypatch.setattr(type(world.database), "transaction", lambda _self: refuse())
    assert watch.audit(work) is False
    assert watch.watch(work) is False


def held(world: World, order: Order, **until: float) -> None:
    """Somebody speaks with the provider, and holds the ladder meanwhile."""
    with world.database.transaction() as session:
        officer, end = world.actor("officer"), world.now + timedelta(**until)
        ladder_holds.pause(session, officer, order.name, end, "I speak with them.", world.now)


def test_a_pause_whose_end_was_lost_ends_all_the_same_and_people_are_called(
    world: World, database: Database, work: Work
) -> None:
    order = world.issue()
    run_once(work)
    held(world, order, minutes=20)
    lose(database, order, TimerKind.PAUSE_END)
    world.clock.move(minutes=20)
    watch.audit(work)
    assert steps(database, order) == [], "the worker has a minute to end it as planned"
    world.clock.move(minutes=1)
    watch.audit(work)
    assert steps(database, order) == [1]
    assert len(entries(database, order, "order.ladder_resumed")) == 1
    (entry,) = entries(database, order, "order.ladder_mended")
    assert entry["paused_until"].endswith("Z")
    told = [m.address for m in messages(database, order) if m.letter == "ladder_mended"]
    assert sorted(told) == ["duty@police.example", "supervisor@police.example"]
    run_once(work)
    assert len(entries(database, order, "order.escalated")) == 2
    watch.audit(work)
    assert len(entries(database, order, "order.ladder_mended")) == 1


@pytest.mark.one_database
def test_a_pause_that_lasts_or_is_about_to_end_is_left_alone(
    world: World, database: Database, work: Work
) -> None:
    lasting, ending, closed = (world.issue() for _ in range(3))
    for order in (lasting, ending, closed):
        held(world, order, minutes=30)
    lose(database, lasting, TimerKind.PAUSE_END)
    lose(database, closed, TimerKind.PAUSE_END)
    world.clock.move(minutes=29)
    watch.audit(work)
    world.acknowledge(closed)
    world.preserve(closed)
    world.clock.move(minutes=30)
    with database.transaction() as session:
        assert unplanned.pauses_that_last(session, world.now) == [lasting.id]
        assert not auditing.mend_pause(session, ending.id, world.now)
    assert entries(database, lasting, "order.ladder_mended") == []


@pytest.mark.one_database
def test_where_a_pause_cannot_be_ended_people_are_told_to_act(
    world: World, database: Database, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.issue()
    held(world, order, minutes=5)
    lose(database, order, TimerKind.PAUSE_END)
    world.clock.move(minutes=10)

    def fail(*_given: object) -> None:
        raise RuntimeError("a ladder that cannot be read")

    monkeypatch.setattr(ladder_holds, "end", fail)
    watch.audit(work)
    told = [m.address for m in messages(database, order) if m.letter == "timer_failed"]
    assert sorted(told) == ["duty@police.example", "supervisor@police.example"]
