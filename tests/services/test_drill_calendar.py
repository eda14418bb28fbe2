"""Drills that plan themselves: versions that change, errors, locks, and who learns of what."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import DrillState, Status
from liaison.models import Authority, Drill, Memorandum, Message, Order, Provider, Timer
from liaison.models.work import TimerKind, TimerState
from liaison.services import drill_calendar, drill_orders, orders
from tests.drills import BASE, ask_for, begin, every, look, plan, seen
from tests.services.test_drills import last_entry, newer
from tests.world import World

HOUR = timedelta(hours=1)
NEW_YEAR = datetime(2026, 1, 1, 0, 30, tzinfo=UTC)
VAGUE = "It could not be held now; it is tried again."


def slots(world: World) -> dict[int, DrillState]:
    """The year's drills by number."""
    return {drill_orders.number(drill): drill.state for drill in every(world) if drill.slot}


def letters(world: World) -> list[str]:
    """The times that were announced, each letter's once."""
    with world.database.reading() as session:
        query = select(Message).where(Message.letter == "register/drill_announced")
        return sorted({message.params["at"] for message in session.scalars(query)})


# Another number


@pytest.mark.parametrize("number", [0, -1])
def test_a_memorandum_that_asks_for_none_any_more(world: World, number: int) -> None:
    world.clock.set(NEW_YEAR)
    ask_for(world, 12)
    look(world)
    newer(world, number, date(2026, 1, 1))
    look(world)
    assert set(slots(world).values()) == {DrillState.CANCELLED}
    assert {drill.why for drill in every(world)} == {"The memorandum asks for fewer drills now."}
    assert look(world) == 0


def test_the_hour_of_a_drill_that_nobody_asks_for_any_more(world: World) -> None:
    """The new version begins in the very moment: nobody planned in between."""
    world.clock.set(NEW_YEAR)
    ask_for(world, 12)
    look(world)
    newer(world, 1, date(2026, 1, 1))
    world.clock.move(days=1)
    for act in (drill_calendar._tell, drill_calendar._begin):
        drill = next(d for d in every(world) if drill_orders.number(d) == 6)
        with world.database.transaction() as session:
            row = session.get_one(Drill, drill.id)
            row.state, row.announced = DrillState.PLANNED, act is drill_calendar._tell
            row.planned_at = world.now + (24 * HOUR if row.announced else timedelta())
            if row.announced:
                drill_calendar._tell(session, row, BASE, world.now)
            else:
                drill_calendar._begin(session, row, world.now)
        assert seen(world, drill).state is DrillState.CANCELLED
        assert seen(world, drill).why == drill_orders.FEWER
    assert letters(world) == []


def test_one_that_asks_for_more_has_the_rest_of_the_year_filled(world: World) -> None:
    world.clock.set(NEW_YEAR)
    ask_for(world, 2)
    look(world)
    newer(world, 12, date(2026, 1, 1))
    look(world)
    assert sorted(slots(world)) == list(range(1, 13))
    assert set(slots(world).values()) == {DrillState.PLANNED}
    assert look(world) == 0


def test_fewer_and_then_more_again(world: World) -> None:
    world.clock.set(NEW_YEAR)
    ask_for(world, 6)
    look(world)
    second = newer(world, 2, date(2026, 1, 1))
    look(world)
    assert list(slots(world).values()).count(DrillState.PLANNED) == 2
    with world.database.transaction() as session:
        session.add(
            Memorandum(
                authority_id=second.authority_id,
                provider_id=second.provider_id,
                reference=second.reference,
                version=3,
                in_force_from=date(2026, 1, 1),
                terms={**second.terms, "drills_a_year": 6},
            )
        )
    look(world)
    assert set(slots(world).values()) == {DrillState.PLANNED}
    assert len(every(world)) == 6
    assert look(world) == 0


def test_more_are_asked_for_when_the_next_year_is_planned_already(world: World) -> None:
    ask_for(world, 2)
    look(world)
    (last,) = every(world)
    world.clock.set(last.planned_at + 2 * HOUR)
    with world.database.transaction() as session:
        session.get_one(Drill, last.id).state = DrillState.ENDED
    look(world)
    newer(world, 6, world.now.date())
    look(world)
    of_next = [d for d in every(world) if (d.slot or "").split(":")[-2] == "2027"]
    assert len(of_next) == 6
    assert look(world) == 0


# In force, and active


def test_none_is_planned_where_the_newest_version_has_ended(world: World) -> None:
    """The older one has no end of its own; it was replaced for good all the same."""
    ask_for(world, 12)
    fresh = newer(world, 12, world.now.date())
    with world.database.transaction() as session:
        session.get_one(Memorandum, fresh.id).in_force_to = world.now.date()
    world.clock.move(days=2)
    assert look(world) == 0
    assert every(world) == []


def test_nobody_is_told_of_a_drill_after_the_memorandums_end(world: World) -> None:
    drill = plan(world, world.now + 30 * HOUR, announced=True)
    with world.database.transaction() as session:
        for memorandum in session.scalars(select(Memorandum)):
            memorandum.in_force_to = world.now.date()
    world.clock.move(hours=6)
    look(world)
    assert (seen(world, drill).state, seen(world, drill).why) == (
        DrillState.CANCELLED,
        "No memorandum with the provider is in force.",
    )
    assert letters(world) == []


@pytest.mark.parametrize(
    ("kind", "name"),
    [(Provider, "Meridian Telecom"), (Authority, "National 24/7 Contact Point")],
)
def test_nobody_is_told_where_a_side_is_suspended(
    world: World, kind: type[Provider] | type[Authority], name: str
) -> None:
    drill = plan(world, world.now + 30 * HOUR, announced=True)
    ask_for(world, 4)
    with world.database.transaction() as session:
        session.execute(update(kind).where(kind.name == name).values(status=Status.SUSPENDED))
    world.clock.move(hours=6)
    look(world)
    assert seen(world, drill).why == f"{name} is suspended in the register."
    assert letters(world) == []
    assert len(every(world)) == 1, "nor is any planned"


# Errors


def test_one_whose_drills_cannot_be_planned_stops_no_other(world: World) -> None:
    ask_for(world, 4)
    ask_for(world, 4, provider="Norvik Mobile")
    with world.database.transaction() as session:
        broken = session.get_one(Provider, world.register.providers["Meridian Telecom"])
        broken.time_zone = "Asia/Nowhere"
    look(world)
    assert {drill.memorandum_id for drill in every(world)} == {named(world, "Norvik Mobile")}


def named(world: World, provider: str) -> Any:
    with world.database.reading() as session:
        return session.scalars(
            select(Memorandum.id).where(
                Memorandum.provider_id == world.register.providers[provider],
                Memorandum.authority_id == world.register.authorities["CP"],
            )
        ).one()


def test_one_that_cannot_begin_or_be_announced_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drills = [plan(world, world.now + 30 * HOUR, announced=True), plan(world)]
    others = [
        plan(world, world.now + 30 * HOUR, announced=True, provider="Norvik Mobile"),
        plan(world, provider="Norvik Mobile"),
    ]
    broken = {drill.id for drill in drills}
    start, told = drill_orders.start, drill_calendar._addressees

    def badly(session: Any, drill: Drill, now: datetime) -> None:
        start(session, drill, now)
        if drill.id in broken:
            raise AttributeError("a secret")

    def deaf(session: Any, drill: Drill) -> Any:
        if drill.id in broken:
            raise AttributeError("a secret")
        return told(session, drill)

    monkeypatch.setattr(drill_orders, "start", badly)
    monkeypatch.setattr(drill_calendar, "_addressees", deaf)
    world.clock.move(minutes=1)
    look(world)
    assert seen(world, drills[1]).why == "It could not begin (AttributeError)."
    assert seen(world, others[1]).state is DrillState.RUNNING
    with world.database.reading() as session:
        assert session.scalars(select(Order.provider_id)).all() == [
            world.register.providers["Norvik Mobile"]
        ], "what was begun of it is undone"
    world.clock.move(hours=5, minutes=59)
    look(world)
    late = seen(world, drills[0])
    assert (late.state, late.put_off) == (DrillState.PLANNED, 1)
    assert late.why == "It could not be announced (AttributeError)."
    assert late.planned_at > world.now + 24 * HOUR
    assert seen(world, others[0]).announced_at == world.now
    said = capsys.readouterr()
    assert "drill not begun" in said.out + said.err
    assert "a secret" not in said.out + said.err


def test_where_the_database_gives_way_the_portion_is_tried_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    drill = plan(world)

    def deadlock(*_given: object) -> None:
        raise OperationalError("…", {}, Exception("deadlock detected"))

    with monkeypatch.context() as patch:
        patch.setattr(drill_orders, "start", deadlock)
        with pytest.raises(OperationalError):
            look(world)
    assert seen(world, drill).put_off == 0
    look(world)
    assert seen(world, drill).state is DrillState.RUNNING


# Locks


@pytest.mark.postgresql_only
def test_an_emergency_is_issued_while_drills_are_planned(world: World) -> None:
    ask_for(world, 12)
    draft, issued = world.draft(), threading.Event()

    def issue() -> None:
        with world.database.transaction() as session:
            orders.issue(session, world.actor("officer"), draft.name, None, world.now)
        issued.set()

    with world.database.transaction() as session:
        assert drill_calendar.run(session, world.now, BASE) > 0
        other = threading.Thread(target=issue)
        other.start()
        in_time = issued.wait(5)
    other.join()
    assert in_time, "the emergency waited for the planner"


@pytest.mark.postgresql_only
def test_a_drill_begins_while_a_new_version_takes_the_others_over(world: World) -> None:
    world.clock.set(NEW_YEAR)
    ask_for(world, 6)
    look(world)
    drill = every(world)[0]
    fresh = newer(world, 6, world.now.date())
    late, meet, said = drill.planned_at + HOUR / 60, threading.Barrier(2), []

    def planner() -> None:
        with world.database.transaction() as session:
            query = drill_calendar._to_plan(world.now, 1).limit(1)
            memorandum = session.scalars(query).one()
            assert memorandum.id == fresh.id
            meet.wait()
            drill_calendar._plan(session, memorandum, world.now)
        said.append("planned")

    def starter() -> None:
        with world.database.transaction() as session:
            query = select(Drill).where(Drill.id == drill.id).with_for_update(of=Drill)
            found = session.scalars(query).one()
            meet.wait()
            drill_calendar._begin(session, found, late)
        said.append("begun")

    threads = [threading.Thread(target=work) for work in (planner, starter)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["begun", "planned"]
    assert seen(world, drill).state is DrillState.RUNNING


# What stands in the way, and what is said of it


def test_another_authoritys_emergency_is_not_read_off_ones_own_drills(world: World) -> None:
    real = world.issue(by="foreign_officer")
    drill = plan(world)
    look(world)
    assert seen(world, drill).why == VAGUE
    assert real.authority_id != world.register.authorities["CP"]
    world.issue(provider="Norvik Mobile")
    world.clock.move(hours=6)
    look(world)
    assert seen(world, drill).why == "A real emergency is open: no drill begins meanwhile."


def test_an_emergency_that_nobody_closes_ends_not_all_drills(world: World) -> None:
    real = world.issue(provider="Norvik Mobile")
    world.clock.move(days=13)
    drill = plan(world)
    look(world)
    assert seen(world, drill).put_off == 1
    world.clock.move(days=2)
    look(world)
    assert seen(world, drill).put_off > 1, "its ladder still calls people"
    with world.database.transaction() as session:
        for timer in session.scalars(
            select(Timer).where(Timer.order_id == real.id, Timer.kind == TimerKind.LADDER)
        ):
            timer.state = TimerState.CANCELLED
    assert world.order(real.name).state is OrderState.ISSUED
    world.clock.set(seen(world, drill).planned_at)
    look(world)
    assert seen(world, drill).state is DrillState.RUNNING


def test_the_log_has_the_hour_of_announced_ones_only(world: World) -> None:
    plan(world, world.now + 30 * HOUR)
    assert "planned_at" not in (last_entry(world, "portal.drill_planned").data or "")
    plan(world, world.now + 30 * HOUR, announced=True)
    assert "planned_at" in (last_entry(world, "portal.drill_planned").data or "")


# Announced anew


def test_an_announced_one_that_is_put_off_is_announced_anew_a_day_before(world: World) -> None:
    drill = plan(world, world.now + 30 * HOUR, announced=True)
    world.clock.move(hours=6)
    look(world)
    real = world.issue()
    world.clock.move(hours=24)
    look(world)
    waits = seen(world, drill)
    assert waits.state is DrillState.PLANNED
    assert waits.planned_at >= world.now + 24 * HOUR
    world.preserve(real)
    world.clock.set(max(waits.planned_at - 24 * HOUR, world.now))
    look(world)
    told = seen(world, drill)
    assert len(letters(world)) == 2
    assert told.announced_at is not None
    assert told.planned_at - told.announced_at >= 24 * HOUR
    world.clock.set(told.planned_at)
    look(world)
    assert seen(world, drill).state is DrillState.RUNNING


@pytest.mark.parametrize("late", [timedelta(seconds=2), timedelta(minutes=50), 10 * HOUR])
def test_between_telling_and_beginning_lies_a_whole_day(world: World, late: timedelta) -> None:
    drill = plan(world, world.now + 30 * HOUR, announced=True)
    world.clock.set(drill.planned_at - 24 * HOUR + late)
    look(world)
    now = seen(world, drill)
    if now.announced_at is None:
        assert now.planned_at == drill.planned_at + timedelta(days=1), "the same hour"
        world.clock.set(now.planned_at - 24 * HOUR)
        look(world)
        now = seen(world, drill)
    assert now.announced_at is not None
    assert now.planned_at - now.announced_at >= 24 * HOUR
    assert len(letters(world)) == 1


def test_a_drill_with_long_terms_ends_after_a_week(world: World) -> None:
    with world.database.transaction() as session:
        for memorandum in session.scalars(select(Memorandum)):
            clocks = {**memorandum.terms["clocks"]}
            clocks["routine"] = {"acknowledge": 60 * 24 * 30, "preserve": 60 * 24 * 60}
            memorandum.terms = {**memorandum.terms, "clocks": clocks}
    begin(world, urgency="routine")
    with world.database.reading() as session:
        timer = session.scalars(select(Timer).where(Timer.kind == TimerKind.DRILL_END)).one()
    assert timer.due_at == world.now + timedelta(days=7)
