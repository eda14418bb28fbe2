"""Drills: planned, begun, put off, broken off, ended; and never mistaken for the real thing."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from liaison.documents.order_json import fingerprint
from liaison.domain.actors import CLOCK
from liaison.domain.answer import Refusal
from liaison.domain.drills import is_night
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import DrillState, Ground, TargetType, Urgency
from liaison.errors import FieldError, Forbidden, Invalid, NotFound, StaleFactor
from liaison.models import (
    CallTask,
    Contact,
    Drill,
    Entry,
    Memorandum,
    Message,
    Order,
    OrderReview,
    Timer,
)
from liaison.models.work import CallState, TimerKind, TimerState
from liaison.queries import feed
from liaison.queries.ladder import ladder_of
from liaison.queries.queue import emergencies_running, queue
from liaison.queries.queue_views import View
from liaison.queries.views import order_content, order_view
from liaison.services import (
    answers,
    drill_calendar,
    drills,
    ledger_orders,
    orders,
    people,
    serving,
    timers,
)
from liaison.services.organisations import AlreadyDone
from liaison.worker.timers import HANDLERS
from tests.drills import BASE, SOON, ask_for, begin, every, look, order_of, plan, seen
from tests.services.test_queries import climb, names
from tests.world import World

HOUR = timedelta(hours=1)


def refused(world: World, **wish: object) -> list[FieldError]:
    given = {"provider": "Meridian Telecom", "at": world.now + 2 * HOUR, **wish}
    with pytest.raises(Invalid) as caught:
        plan(world, **given)  # type: ignore[arg-type]
    return caught.value.errors


def last_entry(world: World, type_: str) -> Entry:
    with world.database.reading() as session:
        return session.scalars(
            select(Entry).where(Entry.type == type_).order_by(Entry.seq.desc()).limit(1)
        ).one()


# Planning by hand


def test_a_supervisor_plans_a_drill_and_the_log_says_so(world: World) -> None:
    drill = plan(world, world.now + 2 * HOUR)
    assert (drill.state, drill.slot, drill.order_id) == (DrillState.PLANNED, None, None)
    assert drill.planned_by == "Mariam Grigoryan, National 24/7 Contact Point"
    entry = last_entry(world, "portal.drill_planned")
    assert '"provider":"Meridian Telecom"' in (entry.data or "")
    assert look(world) == 0, "its time has not come"


@pytest.mark.parametrize("who", ["officer", "auditor", "administrator", "spoc"])
def test_nobody_else_plans_or_cancels(world: World, who: str) -> None:
    drill = plan(world, world.now + 2 * HOUR)
    with pytest.raises(Forbidden):
        plan(world, world.now + 2 * HOUR, by=who)
    with world.database.writing() as session, pytest.raises(Forbidden):
        drills.cancel(session, world.actor(who), drill.id, "No.", world.now)


def test_planning_takes_a_fresh_factor(world: World) -> None:
    wish = drills.Wish(world.register.providers["Meridian Telecom"], "emergency", None, False)
    with world.database.writing() as session, pytest.raises(StaleFactor):
        drills.plan(session, world.actor("supervisor", fresh=False), wish, world.now)


def test_every_fault_is_told_at_once(world: World) -> None:
    faults = refused(world, at=world.now + timedelta(minutes=4), urgency="soon", announced=True)
    assert [fault.pointer for fault in faults] == ["/urgency", "/planned_at", "/announced"]
    assert refused(world, at=world.now + timedelta(days=400))[0].pointer == "/planned_at"
    assert refused(world, at=None, announced=True)[0].pointer == "/announced"


def test_no_drill_after_the_memorandum(world: World) -> None:
    with world.database.transaction() as session:
        for memorandum in session.scalars(select(Memorandum)):
            memorandum.in_force_to = date(2026, 11, 30)
    plan(world, world.now + timedelta(days=6))
    (fault,) = refused(world, at=world.now + timedelta(days=8))
    assert fault.pointer == "/provider"
    assert "2026-12-01" in fault.detail


def test_a_provider_that_is_not_there(world: World) -> None:
    wish = drills.Wish(uuid4(), "emergency", None, False)
    with world.database.writing() as session, pytest.raises(NotFound):
        drills.plan(session, world.actor("supervisor"), wish, world.now)


def test_another_authoritys_drill_and_an_absent_one_are_alike(world: World) -> None:
    drill = plan(world, world.now + 2 * HOUR)
    foreign = replace(world.actor("supervisor"), authority_id=world.register.authorities["NL"])
    for name in (drill.id, uuid4()):
        with world.database.writing() as session, pytest.raises(NotFound):
            drills.cancel(session, foreign, name, "Not ours.", world.now)


def test_a_planned_one_is_taken_back(world: World) -> None:
    drill = plan(world, world.now + 2 * HOUR)
    with world.database.writing() as session, pytest.raises(Invalid):
        drills.cancel(session, world.actor("supervisor"), drill.id, "  ", world.now)
    with world.database.transaction() as session:
        drills.cancel(session, world.actor("supervisor"), drill.id, "A holiday.", world.now)
    with world.database.writing() as session, pytest.raises(AlreadyDone):
        drills.cancel(session, world.actor("supervisor"), drill.id, "Again.", world.now)
    world.clock.move(hours=3)
    assert look(world) == 0
    now = seen(world, drill)
    assert (now.state, now.why, now.order_id) == (DrillState.CANCELLED, "A holiday.", None)


# The order of a drill


def test_a_drill_is_an_order_that_says_test_everywhere(world: World) -> None:
    order = begin(world)
    assert order.test
    assert order.ref == "CP-TEST-2026-0001"
    assert order.state is OrderState.ISSUED
    for text in (order.offence, order.facts, order.necessity, order.emergency_ground):
        assert text is not None
        assert text.startswith("TEST")
    assert "TEST" in order.investigating_authority["case_number"]
    (target,) = order.targets
    assert (target.type, target.value) == (TargetType.IP_ADDRESS, "192.0.2.1")
    assert order.duration_days == 1
    assert order.officer_id is None
    assert order.acknowledge_by == world.now + HOUR
    assert order.terms is not None
    with world.database.reading() as session:
        stored = session.get_one(Order, order.id)
        assert fingerprint(order_content(stored)) == order.sha256
        assert order_view(stored)["test"] is True
        calls = session.scalars(select(CallTask)).all()
    assert [call.why[:4] for call in calls] == ["TEST"]
    assert '"test":true' in (last_entry(world, "order.issued").data or "")


def test_a_drill_asks_only_for_what_the_memorandum_covers(world: World) -> None:
    with world.database.transaction() as session:
        for memorandum in session.scalars(select(Memorandum)):
            covered = {"target_types": ["phone"], "categories": ["content"]}
            memorandum.terms = {**memorandum.terms, **covered}
    (target,) = begin(world).targets
    assert (target.type, target.data) == (TargetType.PHONE, ["content"])


def test_real_refs_stay_without_gaps(world: World) -> None:
    first = world.issue("03-cgnat-fraud-routine.json")
    drill = begin(world)
    second = world.issue("03-cgnat-fraud-routine.json")
    assert [o.ref for o in (first, drill, second)] == [
        "CP-2026-0001",
        "CP-TEST-2026-0001",
        "CP-2026-0002",
    ]


def test_a_real_order_says_that_it_is_none_and_keeps_its_fingerprint(world: World) -> None:
    order = world.issue()
    assert "test" not in order_content(order)
    assert order_view(order)["test"] is False
    assert '"test"' not in (last_entry(world, "order.issued").data or "")


def test_the_ledger_has_what_a_drill_needs(world: World) -> None:
    world.preserve(begin(world), days=1)
    with world.database.reading() as session:
        assert list(ledger_orders.missing(session)) == []


def test_it_is_acknowledged_then_preserved_and_the_drill_has_ended(world: World) -> None:
    drill = plan(world)
    look(world)
    order = order_of(world, drill)
    world.clock.move(minutes=7)
    world.acknowledge(order)
    assert seen(world, drill).state is DrillState.RUNNING
    world.clock.move(minutes=7)
    world.preserve(order, days=1)
    ended = seen(world, drill)
    assert (ended.state, ended.ended_at, ended.why) == (DrillState.ENDED, world.now, None)
    with world.database.reading() as session:
        timer = session.scalars(select(Timer).where(Timer.kind == TimerKind.DRILL_END)).one()
    assert timer.state is TimerState.CANCELLED


def test_declining_ends_it_too(world: World) -> None:
    drill = plan(world)
    look(world)
    refusal = Refusal((Ground.NOT_STORED,), "Not ours.", preserved_meanwhile=False)
    with world.database.transaction() as session:
        name = order_of(world, drill).name
        answers.decline(session, world.actor("spoc"), name, refusal, world.now)
    assert seen(world, drill).state is DrillState.ENDED


def fire(world: World) -> None:
    """All timers that are due, of any kind."""
    while True:
        with world.database.transaction() as session:
            timer = timers.claim(session, world.now)
            if timer is None:
                return
            timers.fire(session, timer, HANDLERS[timer.kind], world.now)


def test_unanswered_it_ends_by_itself_after_a_day(world: World) -> None:
    drill = plan(world)
    look(world)
    begun = world.now
    for _ in range(24 * 4 + 1):
        fire(world)
        world.clock.move(minutes=15)
    ended = seen(world, drill)
    assert (ended.state, ended.why) == (DrillState.ENDED, "The drill ended unanswered.")
    assert ended.ended_at == begun + timedelta(hours=24)
    order = order_of(world, drill)
    assert order.state is OrderState.WITHDRAWN
    with world.database.reading() as session:
        pages = session.scalars(select(Message).where(Message.letter == "supervisor_page")).all()
        waiting = session.scalars(select(CallTask).where(CallTask.state == CallState.OPEN)).all()
        assert list(ledger_orders.missing(session)) == []
    assert len(pages) == 1, "a drill pages the supervisor once, not for ever"
    assert waiting == []


def test_at_the_top_the_ladder_of_a_drill_is_over(world: World) -> None:
    order = begin(world)
    world.clock.move(hours=3)
    climb(world)
    with world.database.reading() as session:
        view = ladder_of(session, session.get_one(Order, order.id))
    assert [step.state.value for step in view.steps] == ["done"] * 5
    assert view.next_step is None


def test_an_urgent_drill_is_given_its_whole_time(world: World) -> None:
    begin(world, urgency="routine")
    with world.database.reading() as session:
        timer = session.scalars(select(Timer).where(Timer.kind == TimerKind.DRILL_END)).one()
    assert timer.due_at == world.now + timedelta(days=5)


def test_a_running_one_is_broken_off_by_the_supervisor(world: World) -> None:
    drill = plan(world)
    look(world)
    with world.database.transaction() as session:
        drills.cancel(session, world.actor("supervisor"), drill.id, "Enough.", world.now)
    now, order = seen(world, drill), order_of(world, drill)
    assert (now.state, now.why) == (DrillState.CANCELLED, "Enough.")
    assert (order.state, order.withdrawal) == (OrderState.WITHDRAWN, "Enough.")


def test_withdrawn_like_any_order_the_drill_is_cancelled(world: World) -> None:
    drill = plan(world)
    look(world)
    with world.database.transaction() as session:
        name = order_of(world, drill).name
        orders.withdraw(session, world.actor("officer"), name, "A mistake.", world.now)
    assert seen(world, drill).state is DrillState.CANCELLED


# Beside real emergencies


def test_none_begins_while_a_real_emergency_is_open(world: World) -> None:
    real = world.issue(provider="Norvik Mobile")  # elsewhere, but by the same people
    drill = plan(world)
    look(world)
    waits = seen(world, drill)
    assert waits.state is DrillState.PLANNED
    assert waits.planned_at == world.now + 6 * HOUR
    assert (waits.put_off, waits.why) == (
        1,
        "A real emergency is open: no drill begins meanwhile.",
    )
    world.preserve(real, by="norvik_spoc")
    world.clock.move(hours=6)
    look(world)
    assert seen(world, drill).state is DrillState.RUNNING


def test_another_authoritys_emergency_there_puts_it_off_too(world: World) -> None:
    world.issue(by="foreign_officer")
    drill = plan(world)
    look(world)
    assert seen(world, drill).put_off == 1


def test_another_authoritys_emergency_elsewhere_does_not(world: World) -> None:
    world.issue(by="foreign_officer", provider="Norvik Mobile")
    drill = plan(world)
    look(world)
    assert seen(world, drill).state is DrillState.RUNNING


def test_a_routine_order_and_another_drill(world: World) -> None:
    world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    first, second = plan(world), plan(world)
    look(world)
    assert seen(world, first).state is DrillState.RUNNING
    assert seen(world, second).why == "Another drill is running there."


@pytest.mark.parametrize("by", ["officer", "foreign_officer"])
def test_a_real_emergency_breaks_the_drill_off(world: World, by: str) -> None:
    drill = plan(world)
    elsewhere = plan(world, provider="Norvik Mobile")
    look(world)
    world.clock.move(minutes=5)
    real = world.issue(by=by)
    assert real.state is OrderState.ISSUED
    broken, order = seen(world, drill), order_of(world, drill)
    assert (broken.state, broken.ended_at) == (DrillState.CANCELLED, world.now)
    said = {
        "officer": "A real emergency came: the drill is broken off.",
        "foreign_officer": "The drill could not go on: it is broken off.",
    }
    assert broken.why == order.withdrawal == said[by], "another authority's is not told of"
    assert order.state is OrderState.WITHDRAWN
    assert seen(world, elsewhere).state is DrillState.RUNNING
    with world.database.reading() as session:
        found = session.scalars(
            select(Entry.type)
            .where(Entry.stream == f"provider:{real.provider_id}")
            .order_by(Entry.seq)
        ).all()
        open_calls = session.scalars(
            select(CallTask.order_id).where(CallTask.state == CallState.OPEN)
        ).all()
    assert found == ["order.issued", "order.withdrawn", "order.issued"]
    assert order.id not in open_calls


def test_a_routine_order_breaks_nothing_off(world: World) -> None:
    drill = plan(world)
    look(world)
    world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    assert seen(world, drill).state is DrillState.RUNNING


def test_an_emergency_that_fails_to_be_issued_breaks_nothing_off(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill = plan(world)
    look(world)
    draft = world.draft()

    def killed(*_given: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(serving, "_tell", killed)
    with pytest.raises(RuntimeError), world.database.transaction() as session:
        orders.issue(session, world.actor("officer"), draft.name, None, world.now)
    assert seen(world, drill).state is DrillState.RUNNING


# Never counted


def test_a_drill_is_found_but_never_counted_among_real_orders(world: World) -> None:
    drill = begin(world)
    world.clock.move(hours=2)  # it is late by now
    routine = world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    with world.database.reading() as session:
        for who in ("officer", "spoc"):
            actor = world.actor(who)
            found = queue(session, actor, world.now)
            assert names(found) == [routine.name, drill.name]
            assert set(found.counts.values()) == {0}
            assert emergencies_running(session, actor) == 0
            for view in (View.EMERGENCIES, View.OVERDUE, View.TODAY):
                assert names(queue(session, actor, world.now, view=view)) == []
            assert names(queue(session, actor, world.now, view="drills")) == [drill.name]
            assert names(queue(session, actor, world.now, text="test-2026")) == [drill.name]
        assert feed.emergency_open(session, world.actor("program")), "a program polls as for one"


def test_a_real_emergency_stands_before_a_late_drill(world: World) -> None:
    drill = begin(world, provider="Norvik Mobile")
    world.clock.move(hours=2)
    real = world.issue()
    with world.database.reading() as session:
        found = queue(session, world.actor("officer"), world.now)
    assert names(found) == [real.name, drill.name]
    assert found.counts[View.EMERGENCIES] == 1
    assert found.counts[View.OVERDUE] == 0


def test_a_drill_kept_or_asked_about_is_not_counted(world: World) -> None:
    order = begin(world)
    with world.database.transaction() as session:
        answers.ask(session, world.actor("spoc"), order.name, "Is it a drill?", world.now)
    world.preserve(order, days=1)
    with world.database.reading() as session:
        found = queue(session, world.actor("officer"), world.now)
    assert set(found.counts.values()) == {0}
    assert names(found) == [order.name]


def test_a_disabled_persons_drill_is_not_reviewed(world: World) -> None:
    order = begin(world)
    with world.database.transaction() as session:
        answers.answer(session, world.actor("officer"), order.name, "A drill.", world.now)
    with world.database.transaction() as session:
        officer = world.person("officer").id
        people.disable(session, world.actor("administrator"), officer, "Left.", world.now)
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(OrderReview)) == 0


# By itself


def test_the_memorandums_drills_are_planned_once(world: World) -> None:
    world.clock.set(datetime(2026, 1, 1, 0, 30, tzinfo=UTC))
    ask_for(world, 4)
    assert look(world) == 4
    assert look(world) == 0
    planned = every(world)
    assert [drill.slot and drill.slot.rsplit(":", 2)[1:] for drill in planned] == [
        ["2026", str(number)] for number in (1, 2, 3, 4)
    ]
    assert [drill.announced for drill in planned] == [False, True, False, True]
    assert [drill.urgency for drill in planned].count(Urgency.EMERGENCY) == 3
    assert 1 <= sum(is_night(drill.planned_at, "Asia/Yerevan") for drill in planned) <= 3
    assert {drill.planned_by for drill in planned} == {CLOCK.name}


def test_in_the_middle_of_a_year_only_what_is_left_of_it(world: World) -> None:
    ask_for(world, 4)  # 23 November: the last of four quarters
    look(world)
    (only,) = every(world)
    assert only.slot is not None
    assert only.slot.endswith(":2026:4")
    assert world.now < only.planned_at


def test_once_a_year_is_through_the_next_is_planned(world: World) -> None:
    ask_for(world, 2)
    look(world)
    (last,) = every(world)
    world.clock.set(last.planned_at + 2 * HOUR)
    with world.database.transaction() as session:
        session.get_one(Drill, last.id).state = DrillState.ENDED
    look(world)
    assert [(d.slot or "").rsplit(":", 2)[1:] for d in every(world)[1:]] == [
        ["2027", "1"],
        ["2027", "2"],
    ]


def test_a_memorandum_that_asks_for_none(world: World) -> None:
    assert look(world) == 0
    assert every(world) == []


def newer(world: World, number: int, begins: date) -> Memorandum:
    """A second version between the two, with so many drills."""
    with world.database.transaction() as session:
        old = session.scalars(
            select(Memorandum).where(
                Memorandum.reference == "MoU-CP-Meridian", Memorandum.version == 1
            )
        ).one()
        fresh = Memorandum(
            authority_id=old.authority_id,
            provider_id=old.provider_id,
            reference=old.reference,
            version=2,
            signed_on=begins,
            in_force_from=begins,
            terms={**old.terms, "drills_a_year": number},
        )
        session.add(fresh)
        session.flush()
        return fresh


def test_a_new_version_takes_over_what_is_planned(world: World) -> None:
    world.clock.set(datetime(2026, 1, 1, 0, 30, tzinfo=UTC))
    ask_for(world, 4)
    look(world)
    before = every(world)
    fresh = newer(world, 2, date(2026, 1, 3))
    world.clock.move(days=3)
    look(world)
    after = [d for d in every(world) if d.planned_at > world.now]
    assert {d.memorandum_id for d in after} == {fresh.id}
    asked = {(d.slot or "")[-1]: d.state for d in after}
    assert asked["4"] is asked["3"] is DrillState.CANCELLED
    assert asked["2"] is DrillState.PLANNED
    assert len(every(world)) == len(before), "nobody is asked for the same drill twice"
    assert look(world) == 0


def test_a_drill_after_the_memorandums_end_is_cancelled(world: World) -> None:
    drill = plan(world, world.now + timedelta(days=3))
    with world.database.transaction() as session:
        for memorandum in session.scalars(select(Memorandum)):
            memorandum.in_force_to = world.now.date()
    world.clock.move(days=3)
    look(world)
    now = seen(world, drill)
    assert (now.state, now.why) == (
        DrillState.CANCELLED,
        "No memorandum with the provider is in force.",
    )


def test_the_provider_is_told_of_an_announced_one_a_day_before(world: World) -> None:
    drill = plan(world, world.now + timedelta(hours=30), announced=True)
    quiet = plan(world, world.now + timedelta(hours=30), provider="Norvik Mobile")
    assert look(world) == 0
    world.clock.move(hours=6)
    assert look(world) == 1
    with world.database.reading() as session:
        letters = session.scalars(select(Message)).all()
    assert sorted(letter.address for letter in letters) == [
        "deputy@meridian.example",
        "spoc@meridian.example",
    ]
    assert {letter.letter for letter in letters} == {"register/drill_announced"}
    assert letters[0].params["link"] == f"{BASE}/drills"
    assert seen(world, drill).announced_at == world.now
    assert seen(world, quiet).announced_at is None


def test_one_that_could_not_be_announced_in_time_waits_a_day(world: World) -> None:
    drill = plan(world, world.now + timedelta(hours=30), announced=True)
    world.clock.move(hours=30)  # no worker ran
    look(world)
    waits = seen(world, drill)
    assert waits.state is DrillState.PLANNED
    assert waits.planned_at == world.now + timedelta(hours=24)
    assert waits.announced_at == world.now


def test_a_missed_hour_comes_again_another_day(world: World) -> None:
    drill = plan(world, world.now + 3 * HOUR)
    at = drill.planned_at
    world.clock.move(hours=3, days=2, minutes=61)
    look(world)
    waits = seen(world, drill)
    assert waits.planned_at == at + timedelta(days=3)
    assert waits.put_off == 1
    world.clock.set(waits.planned_at + timedelta(minutes=50))
    look(world)
    assert seen(world, drill).state is DrillState.RUNNING


def test_a_broken_one_does_not_stand_in_the_way(world: World) -> None:
    broken = plan(world, provider="Harbour Cable")
    with world.database.transaction() as session:
        memorandum = session.get_one(Memorandum, broken.memorandum_id)
        memorandum.terms = {"drills_a_year": 0}
    whole = plan(world)
    look(world)
    assert seen(world, broken).why == "It could not begin (KeyError)."
    assert seen(world, whole).state is DrillState.RUNNING


def test_a_ladder_that_reaches_nobody_begins_no_drill(world: World) -> None:
    drill = plan(world)
    with world.database.transaction() as session:
        for contact in session.scalars(select(Contact).where(Contact.authority_id.is_not(None))):
            contact.removed_at = world.now
    look(world)
    now = seen(world, drill)
    assert now.state is DrillState.CANCELLED
    assert "reach nobody" in (now.why or "")


def test_two_workers_begin_it_once(world: World) -> None:
    ask_for(world, 4)
    drill = plan(world)
    ready, done, failed = threading.Barrier(4), [], []

    def work() -> None:
        ready.wait()
        try:
            for _ in range(3):
                with world.database.transaction() as session:
                    done.append(drill_calendar.run(session, world.now, BASE))
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    now = seen(world, drill)
    assert (now.state, now.put_off, now.planned_at) == (DrillState.RUNNING, 0, world.now)
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 1
        assert session.scalar(select(func.count()).select_from(Drill)) == 2
        issued = select(func.count()).select_from(Entry).where(Entry.type == "order.issued")
        assert session.scalar(issued) == 1


def test_killed_on_the_way_it_begins_whole_or_not_at_all(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill = plan(world)

    class Killed(BaseException):
        """The machine goes down: nothing of ours gets to handle it."""

    def killed(*_given: object) -> None:
        raise Killed

    for module, name in ((serving, "_tell"), (timers, "plan")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, killed)
            with pytest.raises(Killed):
                look(world)
        assert seen(world, drill).state is DrillState.PLANNED
        with world.database.reading() as session:
            for table in (Order, Message, CallTask, Timer):
                assert session.scalar(select(func.count()).select_from(table)) == 0
    look(world)
    assert order_of(world, drill).ref == "CP-TEST-2026-0001"


def test_an_emergency_and_a_drill_at_one_moment_see_each_other(world: World) -> None:
    """Whoever comes second sees the first: the drill waits, or is broken off."""
    draft, drill = world.draft(), plan(world, world.now + SOON)
    world.clock.move(minutes=10)
    actor, ready = world.actor("officer"), threading.Barrier(2)

    def issue() -> None:
        ready.wait()
        with world.database.transaction() as session:
            orders.issue(session, actor, draft.name, None, world.now)

    other = threading.Thread(target=issue)
    other.start()
    ready.wait()
    look(world)
    other.join()
    now = seen(world, drill)
    assert world.order(draft.name).state is OrderState.ISSUED
    assert now.put_off == 1 or now.state is DrillState.CANCELLED
