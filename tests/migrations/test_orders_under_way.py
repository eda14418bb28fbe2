"""Orders under way when the portal is upgraded or taken back: nobody is forgotten."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from liaison.domain.vocabulary import Urgency
from liaison.errors import Forbidden
from liaison.models import Database, Message, Order, OrderWriter, Timer
from liaison.models.work import MessageState, TimerKind, TimerState
from liaison.services import answer_clock, doubts, escalation, ledger, orders, schema
from liaison.services.vault import Vault
from tests import register
from tests.keeping import release, with_terms
from tests.threads import answer, ask, routine
from tests.world import START, MovableClock, World

DRAFT = "03-cgnat-fraud-routine.json"


@pytest.fixture
def upgraded(empty_database: Database, vault: Vault) -> World:
    """A portal that can be taken back to the older schema and upgraded again."""
    schema.migrate(empty_database)
    with empty_database.transaction() as session:
        built = register.build(session, vault, START)
    return World(empty_database, MovableClock(), vault, built)


def down_and_up(world: World) -> None:
    """What the older schema knows is all that is left for the upgrade."""
    schema.take_back(world.database, "0003")
    schema.migrate(world.database)


def waiting(world: World, kind: TimerKind) -> list[Timer]:
    """The timers of one kind that wait, the next one first."""
    with world.database.reading() as session:
        found = sa.select(Timer).where(Timer.kind == kind, Timer.state == TimerState.WAITING)
        return list(session.scalars(found.order_by(Timer.due_at)))


def set_terms(world: World, order: Order, **changes: Any) -> None:
    """The terms an order was issued under, changed."""
    with world.database.transaction() as session:
        row = session.get_one(Order, order.id)
        row.terms = {**(row.terms or {}), **changes}


def test_a_question_that_was_open_is_owed_an_answer_in_time(upgraded: World) -> None:
    order = routine(upgraded)
    upgraded.clock.move(minutes=7)
    first, asked = ask(upgraded, order), upgraded.now
    upgraded.clock.move(minutes=1)
    ask(upgraded, order, "And the port?")
    before = [(t.key, t.due_at, t.payload) for t in waiting(upgraded, TimerKind.ANSWER)]
    down_and_up(upgraded)
    (timer,) = waiting(upgraded, TimerKind.ANSWER)
    assert [(timer.key, timer.due_at, timer.payload)] == before
    found = upgraded.order(order.name)
    with upgraded.database.reading() as session:
        term = escalation.terms_of(session.get_one(Order, order.id)).answer
    assert timer.payload == {"question": str(first.id)}
    assert found.answer_by == timer.due_at == asked + term


def test_after_the_upgrade_another_question_is_taken_and_the_late_answer_told(
    upgraded: World,
) -> None:
    order = routine(upgraded)
    ask(upgraded, order)
    down_and_up(upgraded)
    upgraded.clock.move(minutes=5)
    ask(upgraded, order, "And the port?")
    (timer,) = waiting(upgraded, TimerKind.ANSWER)
    upgraded.clock.set(timer.due_at)
    with upgraded.database.transaction() as session:
        row, due = session.get_one(Order, order.id), session.get_one(Timer, timer.id)
        answer_clock.late(session, due, row, upgraded.now)
    with upgraded.database.reading() as session:
        assert "answer_late" in session.scalars(sa.select(Message.letter)).all()
    answer(upgraded, order)
    assert upgraded.order(order.name).answer_by is None


def test_what_was_withdrawn_or_answered_before_gets_no_clock(upgraded: World) -> None:
    withdrawn, answered = routine(upgraded), routine(upgraded)
    for order in (withdrawn, answered):
        ask(upgraded, order)
    answer(upgraded, answered)
    with upgraded.database.transaction() as session:
        orders.withdraw(session, upgraded.actor("officer"), withdrawn.name, "Done.", upgraded.now)
    down_and_up(upgraded)
    assert waiting(upgraded, TimerKind.ANSWER) == []
    assert upgraded.order(withdrawn.name).answer_by is None
    ask(upgraded, withdrawn, "Are you sure?")
    assert upgraded.order(withdrawn.name).answer_by is not None


@pytest.mark.parametrize("acknowledged", [False, True])
def test_a_ladder_that_a_question_held_goes_on_in_the_older_portal(
    upgraded: World, acknowledged: bool
) -> None:
    with_terms(upgraded, clock_stops=True)
    order = routine(upgraded)
    assert order.urgency is Urgency.ROUTINE
    ask(upgraded, order)
    if acknowledged:
        upgraded.clock.move(minutes=3)
        upgraded.acknowledge(order)
    assert waiting(upgraded, TimerKind.LADDER) == []
    down_and_up(upgraded)
    (timer,) = waiting(upgraded, TimerKind.LADDER)
    assert timer.done_at is None
    assert timer.payload["climb"] == 1 + acknowledged


def test_a_ladder_that_a_person_closed_stays_closed(upgraded: World) -> None:
    with_terms(upgraded, clock_stops=True)
    order = routine(upgraded)
    ask(upgraded, order)
    with upgraded.database.transaction() as session:
        actor = upgraded.actor("officer")
        escalation.close(session, actor, order.name, "We talk to them.", upgraded.now)
    down_and_up(upgraded)
    assert waiting(upgraded, TimerKind.LADDER) == []


def test_letters_that_the_older_portal_cannot_write_are_not_left_to_it(upgraded: World) -> None:
    order = upgraded.issue(letters=True)
    with upgraded.database.transaction() as session:
        doubts.raise_(session, upgraded.actor("spoc"), order.name, "Odd.", None, upgraded.now)
    ask(upgraded, order)
    schema.take_back(upgraded.database, "0003")
    rows = sa.text("SELECT letter, state, wanted FROM message")
    with upgraded.database.reading() as session:
        found = {(letter, state) for letter, state, _ in session.execute(rows)}
        wanted = {row[2] for row in session.execute(rows)}
    cancelled = {letter for letter, state in found if state == MessageState.CANCELLED}
    queued = {letter for letter, state in found if state == MessageState.QUEUED}
    assert {"order_doubted", "ratify_wanted"} <= cancelled
    assert "question" in queued
    assert not cancelled & queued
    assert wanted <= {"until_acknowledged", "until_preserved", "always"}
    schema.migrate(upgraded.database)


def test_whoever_changed_an_older_draft_counts_as_its_writer(upgraded: World) -> None:
    draft = upgraded.draft(DRAFT)
    upgraded.clock.move(minutes=5)
    with upgraded.database.transaction() as session:
        actor, data = upgraded.actor("supervisor"), upgraded.data(DRAFT, facts="Other facts.")
        orders.edit(session, actor, draft.name, data, draft.version, upgraded.now)
    with upgraded.database.reading() as session:
        rows = sa.select(OrderWriter.person_id, OrderWriter.at).where(
            OrderWriter.order_id == draft.id
        )
        before = {tuple(row) for row in session.execute(rows)}
    assert len(before) == 2
    down_and_up(upgraded)
    with upgraded.database.reading() as session:
        assert {tuple(row) for row in session.execute(rows)} == before
    submitted = upgraded.submit(upgraded.order(draft.name))
    with pytest.raises(Forbidden):
        upgraded.authorise(submitted, by="supervisor")
    upgraded.authorise(submitted, by="second_officer")


def test_a_writer_that_is_no_person_is_nobody(upgraded: World) -> None:
    draft = upgraded.draft(DRAFT)
    with upgraded.database.transaction() as session:
        # As an import leaves it, and one whose person is not there.
        for actor in ("program:import", "person:00000000-0000-7000-8000-000000000000", "person:x"):
            told = {"order": str(draft.id)}
            record = ledger.Record("portal", "order.edited", actor, told, draft.id)
            ledger.record(session, upgraded.now, record)
    down_and_up(upgraded)
    with upgraded.database.reading() as session:
        assert session.scalars(sa.select(OrderWriter.person_id)).all() == [
            upgraded.person("officer").id
        ]


def test_only_what_is_under_way_will_owe_a_disposal(upgraded: World) -> None:
    issued = routine(upgraded)
    acknowledged = upgraded.acknowledge(routine(upgraded))
    preserved = upgraded.preserve(routine(upgraded))
    drill = routine(upgraded)
    with upgraded.database.transaction() as session:
        session.get_one(Order, drill.id).test = True
    ended = upgraded.preserve(routine(upgraded))
    release(upgraded, ended)
    for order in (issued, acknowledged, preserved, drill, ended):
        set_terms(upgraded, order, disposal_confirmation=True)
    down_and_up(upgraded)
    wanted = {order.id for order in (issued, acknowledged, preserved)}
    with upgraded.database.reading() as session:
        assert set(session.scalars(sa.select(Order.id).where(Order.disposal_wanted))) == wanted
        owing = sa.select(Order.waits_provider).where(Order.id == ended.id)
        assert session.scalar(owing) == 0
