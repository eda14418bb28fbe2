"""The queue, the ladder and the timeline: who needs a person, who is called, what happened."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from liaison.domain.vocabulary import CallOutcome
from liaison.models import CallTask, Database, Order
from liaison.queries import queue as queue_module
from liaison.queries.ladder import LadderView, StepState, ladder_of
from liaison.queries.queue import Queue, queue
from liaison.queries.queue_views import View
from liaison.queries.timeline import Item, for_order
from liaison.services import answers, calls, orders, timers
from liaison.worker.timers import HANDLERS
from tests.world import World

ROUTINE = "03-cgnat-fraud-routine.json"
URGENT = "02-foreign-ransomware-hosting.json"


def look(world: World, who: str = "officer", **asked: object) -> Queue:
    with world.database.reading() as session:
        return queue(session, world.actor(who), world.now, **asked)  # type: ignore[arg-type]


def names(found: Queue) -> list[str]:
    return [row.order.name for row in found.rows]


def climb(world: World) -> None:
    """Fires all that is due: steps of ladders, and calls that reached nobody."""
    while True:
        with world.database.transaction() as session:
            timer = timers.claim(session, world.now)
            if timer is None:
                return
            timers.fire(session, timer, HANDLERS[timer.kind], world.now)


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        statements.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield statements
    event.remove(database.engine, "before_cursor_execute", note)


def test_what_needs_a_person_comes_first(world: World) -> None:
    overdue = world.issue(URGENT)
    world.clock.move(hours=9)
    routine = world.issue(ROUTINE)
    urgent = world.issue(URGENT)
    emergency = world.issue()
    kept = world.preserve(world.issue("05-names-from-everywhere.json"), days=60)
    draft = world.draft(ROUTINE)
    gone = world.issue("06-hostile-text.json")
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), gone.name, "Solved.", world.now)

    found = look(world)

    assert names(found) == [o.name for o in (emergency, overdue, urgent, routine, draft, kept)]
    assert [row.overdue for row in found.rows] == [False, True, False, False, False, False]
    assert found.counts == {
        View.EMERGENCIES: 1,
        View.OVERDUE: 1,
        View.TODAY: 1,  # the emergency; the urgent one is due tomorrow at 05:00
        View.QUESTIONS: 0,
        View.EXPIRING: 0,
    }
    assert names(look(world, view="closed")) == [gone.name]
    assert names(look(world, view="overdue")) == [overdue.name]
    assert names(look(world, view="drafts")) == [draft.name]
    assert names(look(world, view="no such view")) == names(found)
    assert len(look(world, view="all").rows) == 7


def test_each_row_says_who_is_waited_for(world: World) -> None:
    emergency = world.issue()
    issued = world.issue(ROUTINE)
    acknowledged = world.acknowledge(world.issue(URGENT), by="sevan_spoc")
    asked = world.issue("08-emergency-threat-foreign.json")
    world.acknowledge(asked, by="norvik_spoc")
    with world.database.transaction() as session:
        answers.ask(session, world.actor("norvik_spoc"), asked.name, "Which cell?", world.now)

    words = {row.order.name: row.waiting_for for row in look(world).rows}

    assert words == {
        emergency.name: "You: phone SPOC at meridian.example",
        issued.name: "Provider: acknowledgement",
        acknowledged.name: "Provider: preservation",
        asked.name: "You: answer",
    }
    assert names(look(world, view="questions")) == [asked.name]
    theirs = {row.order.name: row.waiting_for for row in look(world, "norvik_spoc").rows}
    assert theirs == {asked.name: "Contact point: answer", issued.name: "You: acknowledge"}


def test_the_first_target_stands_for_all(world: World) -> None:
    world.issue("07-botnet-240-targets.json")
    (row,) = look(world).rows
    assert row.target == "198.51.100.1"
    assert row.more_targets == 239
    assert row.last_type == "order.issued"


def test_nobody_sees_what_is_not_theirs(world: World) -> None:
    meridian = world.issue()
    norvik = world.issue(ROUTINE)
    world.draft()
    assert names(look(world, "spoc")) == [meridian.name]
    assert names(look(world, "norvik_spoc", view="all")) == [norvik.name]
    for stranger in ("foreign_officer", "administrator", "provider_administrator"):
        assert look(world, stranger, view="all").rows == []
        assert set(look(world, stranger).counts.values()) == {0}


def test_orders_are_found_in_any_spelling(world: World) -> None:
    emergency = world.issue()
    routine = world.issue(ROUTINE)
    for text in ("198.51.100.024", emergency.name.lower(), "MP-2026-0231", "meridian"):
        assert names(look(world, text=text)) == [emergency.name], text
    assert names(look(world, text="+374 91 000118")) == [routine.name]
    assert names(look(world, text="%")) == []
    assert names(look(world, "norvik_spoc", text="198.51.100.24")) == []


def test_the_number_of_queries_does_not_grow_with_the_queue(world: World) -> None:
    world.issue()
    with counted(world.database) as few:
        look(world)
    for _ in range(6):
        world.issue(ROUTINE)
    with counted(world.database) as many:
        assert len(look(world).rows) == 7
    assert len(many) == len(few)


def test_a_long_queue_is_read_page_by_page(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue_module, "PAGE", 2)
    for _ in range(3):
        world.issue(ROUTINE)
    first, second = look(world), look(world, page=2)
    assert (len(first.rows), first.has_more) == (2, True)
    assert (len(second.rows), second.has_more) == (1, False)
    assert not set(names(first)) & set(names(second))


def test_the_ladder_tells_who_was_called_and_who_is_next(world: World) -> None:
    order = world.issue()
    climb(world)
    with world.database.transaction() as session:
        task = session.query(CallTask).one()
        calls.log(
            session,
            world.actor("officer"),
            order.name,
            task.id,
            CallOutcome.NO_ANSWER,
            "",
            world.now,
        )
    world.clock.move(minutes=16)
    climb(world)
    view = seen_ladder(world, order)

    assert [step.state for step in view.steps] == [
        StepState.DONE,
        StepState.DONE,
        StepState.NOW,
        StepState.TODO,
        StepState.TODO,
    ]
    assert [p.name for p in view.steps[1].people] == [
        "SPOC at meridian.example",
        "Deputy SPOC at meridian.example",
    ]
    outcomes = [[call.outcome for call in step.calls] for step in view.steps[:2]]
    assert outcomes == [[CallOutcome.NO_ANSWER], [None]], "nobody answered, so it is open again"
    assert len(view.steps[1].messages) == 2
    assert view.next_step is not None
    assert view.next_step.step.whom.value == "fallback"
    assert view.next_at == view.next_step.due_at
    assert [call.outcome for call in view.open_calls] == [None]


def test_above_the_top_the_next_page_is_always_shown(world: World) -> None:
    order = world.issue()
    for _ in range(5):
        world.clock.move(minutes=16)
        climb(world)
    view = seen_ladder(world, order)
    assert view.steps[-2].step.at_top
    assert view.steps[-2].times == 2
    assert view.steps[-1].state is StepState.NOW
    assert view.steps[-1].due_at > world.now


def test_after_the_acknowledgement_the_second_climb_is_shown(world: World) -> None:
    order = world.acknowledge(world.issue())
    view = seen_ladder(world, order)
    assert view.next_at == order.preserve_by
    assert seen_ladder(world, world.preserve(order)).steps == []


def seen_ladder(world: World, order: Order) -> LadderView:
    with world.database.reading() as session:
        return ladder_of(session, session.get_one(Order, order.id))


def history(world: World, order: Order, who: str) -> list[Item]:
    with world.database.reading() as session:
        return for_order(session, world.actor(who), session.get_one(Order, order.id))


def test_the_provider_reads_the_shared_entries_only(world: World) -> None:
    order = world.acknowledge(world.issue())
    ours, theirs = history(world, order, "officer"), history(world, order, "spoc")
    assert [item.type for item in theirs] == ["order.acknowledged", "order.issued"]
    assert [item.type for item in ours if item.own] == ["order.drafted"]
    assert all(item.via is None for item in theirs if item.type == "order.issued")
    (issued,) = [item for item in ours if item.type == "order.issued"]
    assert issued.via is not None
    assert issued.via["factor"] == "totp"
    assert issued.who == "Anahit Petrosyan"
