"""A question stops the clock of a routine order; the answer lets it go on, later by the pause."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from liaison.documents.order_json import fingerprint
from liaison.domain.ladder import Climb
from liaison.domain.scorecard import Figures, Share
from liaison.models import Message, Order, Provider, Timer
from liaison.models.work import MessageState, TimerKind, TimerState
from liaison.portal.orders.deadline import clocks_meanwhile
from liaison.queries.ladder import ladder_of
from liaison.queries.queue import is_overdue
from liaison.queries.scorecard import scorecards
from liaison.queries.views import order_content, order_view
from liaison.services import due_messages, escalation, ledger_check
from liaison.services import orders as verbs
from liaison.worker import Work, run_once
from tests.keeping import with_terms
from tests.mail import RecordingSender
from tests.threads import answer, ask, routine
from tests.world import START, World

HOUR = timedelta(hours=1)


@pytest.fixture
def stopping(world: World) -> World:
    """Meridian's memorandum says that a question stops the clock."""
    with_terms(world, clock_stops=True)
    return world


def due(order: Order) -> tuple[datetime, datetime, datetime]:
    """When an order was issued, is to be acknowledged, is to be preserved."""
    assert order.issued_at is not None
    assert order.acknowledge_by is not None
    assert order.preserve_by is not None
    return order.issued_at, order.acknowledge_by, order.preserve_by


def armed(world: World, order: Order) -> list[tuple[int, int, datetime]]:
    """The ladder's timers that wait: climb, step, due."""
    with world.database.reading() as session:
        rows = session.scalars(
            select(Timer).where(
                Timer.order_id == order.id,
                Timer.kind == TimerKind.LADDER,
                Timer.state == TimerState.WAITING,
            )
        ).all()
        return [(t.payload["climb"], t.payload["step"], t.due_at) for t in rows]


def test_both_deadlines_move_by_the_pause_and_what_was_served_stays(stopping: World) -> None:
    order = routine(stopping)
    stopping.clock.move(hours=3)
    ask(stopping, order)
    stopped = stopping.order(order.name)
    assert stopped.clock_stopped_at == stopping.now
    assert stopped.acknowledge_by == order.acknowledge_by
    stopping.clock.move(hours=5, microseconds=999_999)
    answer(stopping, order)
    found = stopping.order(order.name)
    assert (found.clock_stopped_at, found.clock_stopped_for) == (None, 5 * 3600)
    assert found.acknowledge_by == due(order)[1] + 5 * HOUR
    assert found.preserve_by == due(order)[2] + 5 * HOUR
    with stopping.database.reading() as session:
        now = session.get_one(Order, order.id)
        assert fingerprint(order_content(now)) == order.sha256
        assert order_content(now)["acknowledge_by"] < order_view(now)["acknowledge_by"]


def test_while_it_is_stopped_nobody_is_called_and_nothing_is_late(
    stopping: World, work: Work, sender: RecordingSender
) -> None:
    order = routine(stopping)
    run_once(work)
    stopping.clock.move(hours=23)
    ask(stopping, order)
    run_once(work)
    sender.sent.clear()
    assert armed(stopping, order) == []
    stopping.clock.move(days=10)
    run_once(work)
    assert not [s for s in sender.addresses if "meridian" in s]
    stopped = stopping.order(order.name)
    assert not is_overdue(stopped, stopping.now)
    with stopping.database.reading() as session:
        view = order_view(session.get_one(Order, order.id))
        assert view["clock_stopped_since"] is not None
        ladder = ladder_of(session, session.get_one(Order, order.id))
        assert ladder.held
        assert ladder.next_step is None
        assert ladder.open_calls == []


def test_it_goes_on_where_it_was_and_every_later_step_fits(
    stopping: World, work: Work, sender: RecordingSender
) -> None:
    order = routine(stopping)
    stopping.clock.move(hours=20)
    run_once(work)
    ask(stopping, order)
    stopping.clock.move(hours=30)
    answer(stopping, order)
    assert armed(stopping, order) == [(1, 0, due(order)[0] + 54 * HOUR)]
    run_once(work)
    sender.sent.clear()
    stopping.clock.move(hours=3, minutes=59)
    run_once(work)
    assert sender.addresses == []
    stopping.clock.move(minutes=1)
    run_once(work)
    assert sender.addresses == ["spoc@meridian.example"]
    # The next rung: 36 hours after issue, and the pause.
    assert armed(stopping, order) == [(1, 1, due(order)[0] + 66 * HOUR)]


def test_a_notice_that_waits_is_held_and_then_names_the_later_deadline(
    stopping: World, work: Work, sender: RecordingSender
) -> None:
    order = routine(stopping)
    ask(stopping, order)
    run_once(work)
    assert "spoc@meridian.example" not in sender.addresses
    with stopping.database.reading() as session:
        assert due_messages.is_due(session, stopping.now) is False
    stopping.clock.move(hours=2)
    answer(stopping, order)
    with stopping.database.reading() as session:
        row = session.scalars(
            select(Message).where(Message.order_id == order.id, Message.letter == "order_issued")
        ).one()
        assert row.state is MessageState.QUEUED
        assert datetime.fromisoformat(row.params["due"]) == due(order)[1] + 2 * HOUR
    run_once(work)
    assert sender.addresses.count("spoc@meridian.example") == 2  # the order, and the answer


def test_acknowledging_meanwhile_keeps_the_clock_to_preserve_stopped(stopping: World) -> None:
    order = routine(stopping)
    stopping.clock.move(hours=1)
    ask(stopping, order)
    stopping.clock.move(hours=4)
    stopping.acknowledge(order)
    assert armed(stopping, order) == []
    assert stopping.order(order.name).clock_stopped_at is not None
    stopping.clock.move(hours=6)
    answer(stopping, order)
    assert armed(stopping, order) == [(2, 0, due(order)[2] + 10 * HOUR)]


def test_question_after_question_does_not_keep_an_order_from_falling_due(
    stopping: World,
) -> None:
    order = routine(stopping)
    issued, acknowledge_by, preserve_by = due(order)
    for number in range(8):
        ask(stopping, order, f"Question {number}?")
        stopping.clock.move(hours=20)
        answer(stopping, order, f"Answer {number}.")
        stopping.clock.move(seconds=1)
    found = stopping.order(order.name)
    # Five days to preserve: six pauses of twenty hours are as much, and no seventh stops it.
    assert preserve_by - issued == 6 * 20 * HOUR
    assert found.clock_stopped_for == 6 * 20 * 3600
    assert found.acknowledge_by == acknowledge_by + 6 * 20 * HOUR
    ask(stopping, order, "One more?")
    now = stopping.order(order.name)
    assert (now.clock_stopped_at, now.question_open_since) == (None, stopping.now)
    assert "another one does not stop it" in clocks_meanwhile(now, stopping.now)
    stopping.clock.move(days=2)
    assert is_overdue(stopping.order(order.name), stopping.now)


def test_whoever_is_late_silences_nothing_by_a_question(
    stopping: World, work: Work, sender: RecordingSender
) -> None:
    order = routine(stopping)
    stopping.clock.set(due(order)[1] + timedelta(seconds=1))
    for _ in range(8):
        run_once(work)
    before = armed(stopping, order)
    sender.sent.clear()
    ask(stopping, order)
    late = stopping.order(order.name)
    assert (late.clock_stopped_at, late.question_open_since) == (None, stopping.now)
    assert is_overdue(late, stopping.now)
    assert armed(stopping, order) == before != []
    stopping.clock.move(days=2)
    for _ in range(8):
        run_once(work)
    assert "supervisor@police.example" in sender.addresses, "the ladder climbs on"
    answer(stopping, order)
    assert stopping.order(order.name).acknowledge_by == due(order)[1]


def test_a_question_at_the_last_moment_still_stops_the_clock(stopping: World) -> None:
    order = routine(stopping)
    stopping.clock.set(due(order)[1])
    ask(stopping, order)
    assert stopping.order(order.name).clock_stopped_at == stopping.now


def test_after_a_late_acknowledgement_a_question_leaves_the_whole_span(stopping: World) -> None:
    order = routine(stopping)
    span = due(order)[2] - due(order)[1]
    ask(stopping, order)
    stopping.clock.move(hours=1)
    answer(stopping, order)
    stopping.clock.move(days=3)
    late = stopping.acknowledge(order).acknowledged_at
    assert late is not None
    ask(stopping, order, "And now?")
    stopping.clock.move(hours=7)
    answer(stopping, order, "Still the first.")
    assert armed(stopping, order) == [(2, 0, late + span + 7 * HOUR)]


@pytest.mark.parametrize("end", ["preserve", "withdraw"])
def test_what_ends_it_while_stopped_counts_the_pause(stopping: World, end: str) -> None:
    order = routine(stopping)
    ask(stopping, order)
    stopping.clock.move(days=9)
    if end == "preserve":
        stopping.preserve(order)
    else:
        with stopping.database.transaction() as session:
            officer = stopping.actor("officer")
            verbs.withdraw(session, officer, order.name, "Not needed.", stopping.now)
    found = stopping.order(order.name)
    assert found.clock_stopped_at is None
    assert found.preserve_by == due(order)[2] + timedelta(days=9)
    answer(stopping, order)
    assert stopping.order(order.name).preserve_by == found.preserve_by
    assert armed(stopping, order) == []


def test_who_closed_the_ladder_while_it_was_held_is_not_called_again(stopping: World) -> None:
    order = routine(stopping)
    ask(stopping, order)
    with stopping.database.transaction() as session:
        escalation.close(session, stopping.actor("officer"), order.name, "I call.", stopping.now)
    stopping.clock.move(hours=1)
    answer(stopping, order)
    assert armed(stopping, order) == []


@pytest.mark.parametrize(
    ("urgency", "stops"), [("emergency", True), ("urgent", True), ("routine", False)]
)
def test_no_other_order_is_stopped(world: World, urgency: str, stops: bool) -> None:
    with_terms(world, clock_stops=stops)
    ground: dict[str, Any] = {} if urgency == "emergency" else {"emergency_ground": None}
    order = routine(world) if urgency == "routine" else world.issue(urgency=urgency, **ground)
    before = armed(world, order)
    ask(world, order)
    world.clock.move(hours=1)
    answer(world, order)
    found = world.order(order.name)
    assert (found.clock_stopped_at, found.clock_stopped_for) == (None, 0)
    assert (found.acknowledge_by, found.preserve_by) == (order.acknowledge_by, order.preserve_by)
    assert armed(world, order) == before


def test_a_remark_stops_nothing(stopping: World) -> None:
    order = routine(stopping)
    ask(stopping, order, question=False)
    found = stopping.order(order.name)
    assert (found.clock_stopped_at, found.question_open_since, found.answer_by) == (None,) * 3


@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    # A smaller example is not worth the database's time.
    phases=[Phase.explicit, Phase.generate],
)
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from(["ask", "answer", "acknowledge"]),
            st.integers(min_value=0, max_value=200_000_000),
        ),
        max_size=9,
    )
)
def test_the_deadlines_are_the_first_ones_and_all_pauses(
    stopping: World, acts: list[tuple[str, int]]
) -> None:
    stopping.clock.set(START)
    order = routine(stopping)
    pauses, since, told = timedelta(0), None, False
    for number, (act, milliseconds) in enumerate(acts):
        stopping.clock.move(milliseconds=milliseconds)
        if act == "ask":
            ask(stopping, order, f"Question {number}?")
            in_time = stopping.now <= due(order)[2 if told else 1] + pauses
            spent = pauses >= due(order)[2] - due(order)[0]
            since = since or (stopping.now if in_time and not spent else None)
        elif act == "answer":
            answer(stopping, order, f"Answer {number}.")
            if since is not None:
                pauses += timedelta(seconds=(stopping.now - since) // timedelta(seconds=1))
            since = None
        elif not told:
            stopping.acknowledge(order)
            told = True
    found = stopping.order(order.name)
    assert found.clock_stopped_at == since
    assert found.acknowledge_by == due(order)[1] + pauses
    assert found.preserve_by == due(order)[2] + pauses
    climb = Climb.PRESERVE if told else Climb.ACKNOWLEDGE
    held = since is not None
    assert [c for c, _, _ in armed(stopping, order)] == ([] if held else [int(climb)])
    with stopping.database.writing() as session:
        assert fingerprint(order_content(session.get_one(Order, order.id))) == order.sha256
        found_breaks = [
            b for b in ledger_check.verify(session) if isinstance(b, ledger_check.Break)
        ]
        assert found_breaks == []


def test_whatever_fails_between_leaves_everything_as_it_was(
    stopping: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = routine(stopping)
    before = armed(stopping, order)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("liaison.services.thread.ledger.record", broken)
    with pytest.raises(RuntimeError):
        ask(stopping, order)
    monkeypatch.undo()
    found = stopping.order(order.name)
    assert (found.clock_stopped_at, found.answer_by, found.thread) == (None, None, [])
    assert armed(stopping, order) == before


def test_the_scorecard_counts_no_lateness_while_it_is_stopped(stopping: World) -> None:
    order = routine(stopping)
    ask(stopping, order)
    stopping.clock.move(days=9)

    def real() -> Figures:
        with stopping.database.reading() as session:
            meridian = session.get_one(Provider, order.provider_id)
            officer = stopping.actor("officer")
            (card,) = scorecards(session, officer, meridian, 12, stopping.now)
            return card.real

    assert real().judged == 0
    stopping.acknowledge(order)
    found = real()
    assert (found.in_time, found.kept_in_time) == (Share(1, 1), Share(0, 0))
