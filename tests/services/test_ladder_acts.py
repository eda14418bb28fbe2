"""A ladder in people's hands: called ahead, skipped, paused, closed, opened again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from liaison.domain.answer import Refusal
from liaison.domain.vocabulary import CallOutcome, Ground, Urgency
from liaison.errors import Invalid, InvalidTransition, Stale
from liaison.models import CallTask, Database, Entry, Message, Order, Timer
from liaison.models.work import CallState, MessageState, TimerKind, TimerState
from liaison.queries.ladder import LadderView, StepState, ladder_of
from liaison.services import (
    answers,
    calls,
    claims,
    escalation,
    ladder_holds,
    ladder_moves,
    ledger_orders,
    orders,
    undelivered,
)
from liaison.services.ledger import entry_data
from liaison.settings import Settings
from liaison.worker import Work, run_once
from liaison.worker.messages import claim, send
from liaison.worker.timers import HANDLERS, fire_one
from tests.keeping import with_terms
from tests.mail import RecordingSender
from tests.threads import answer, ask, routine
from tests.world import START, MovableClock, World

SPOC, DEPUTY = "spoc@meridian.example", "deputy@meridian.example"
FALLBACK = "fallback@meridian.example"
DUTY, SUPERVISOR = "duty@police.example", "supervisor@police.example"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def work(
    settings: Settings,
    world: World,
    database: Database,
    clock: MovableClock,
    sender: RecordingSender,
) -> Work:
    return Work(settings, database, clock, sender, name="worker-1")


def do(world: World, verb: Callable[..., Any], order: Order, *given: Any, by: str) -> None:
    with world.database.transaction() as session:
        verb(session, world.actor(by), order.name, *given, world.now)


def escalate(world: World, order: Order, number: int, *, by: str = "officer") -> None:
    do(world, ladder_moves.escalate, order, number, "The child is in danger.", by=by)


def skip(world: World, order: Order, number: int, to: int, *, by: str = "officer") -> None:
    do(world, ladder_moves.skip, order, number, to, "They are all on leave.", by=by)


def pause(world: World, order: Order, minutes: float, *, by: str = "officer") -> None:
    until = world.now + timedelta(minutes=minutes)
    do(world, ladder_holds.pause, order, until, "I speak with them.", by=by)


def go_on(world: World, order: Order, *, by: str = "officer") -> None:
    do(world, ladder_holds.go_on, order, by=by)


def close(world: World, order: Order, *, by: str = "supervisor") -> None:
    do(world, escalation.close, order, "I drive there.", by=by)


def reopen(world: World, order: Order, *, by: str = "officer") -> None:
    do(world, ladder_holds.reopen, order, "The wrong order.", by=by)


def waiting(world: World, order: Order, kind: TimerKind = TimerKind.LADDER) -> list[Timer]:
    with world.database.reading() as session:
        query = select(Timer).where(
            Timer.order_id == order.id,
            Timer.kind == kind,
            Timer.state == TimerState.WAITING,
        )
        return list(session.scalars(query))


def armed(world: World, order: Order) -> list[tuple[int, datetime]]:
    """The step that waits, and its time."""
    return [(timer.payload["step"], timer.due_at) for timer in waiting(world, order)]


def view(world: World, order: Order) -> LadderView:
    with world.database.reading() as session:
        return ladder_of(session, session.get_one(Order, order.id))


def told(world: World, order: Order, type_: str) -> list[dict[str, Any]]:
    """What the contact point's own entries of a type say; the provider has none of them."""
    with world.database.reading() as session:
        query = select(Entry).where(Entry.order_id == order.id, Entry.type == type_)
        found = list(session.scalars(query.order_by(Entry.seq)))
        assert all(entry.stream == f"authority:{order.authority_id}" for entry in found)
        return [entry_data(entry) or {} for entry in found]


def at(minutes: float) -> datetime:
    return START + minutes * MINUTE


# Escalate now


def test_the_next_step_comes_at_once_and_all_behind_it_earlier(
    world: World, work: Work, sender: RecordingSender
) -> None:
    order = world.issue()
    run_once(work)
    assert armed(world, order) == [(1, at(15))]
    world.clock.move(minutes=5)
    sender.sent.clear()
    escalate(world, order, 1)
    assert world.order(order.name).version == order.version, "the provider's order is the same"
    run_once(work)
    assert sorted(sender.addresses) == sorted([SPOC, DEPUTY])
    assert armed(world, order) == [(2, at(20))], "ten minutes earlier than planned"
    world.clock.set(at(20))
    run_once(work)
    assert armed(world, order) == [(3, at(35))]
    world.clock.set(at(35))
    run_once(work)
    assert armed(world, order) == [(4, at(50))]
    (entry,) = told(world, order, "order.ladder_hastened")
    assert (entry["step"], entry["whom"], entry["reason"]) == (
        1,
        "every_spoc",
        "The child is in danger.",
    )
    assert entry["by"]["name"] == world.person("officer").name


def test_a_second_click_does_nothing_and_whoever_was_overtaken_is_told(
    world: World, work: Work
) -> None:
    order = world.issue()
    run_once(work)
    world.clock.move(minutes=1)
    for _ in range(2):
        escalate(world, order, 1)
    with pytest.raises(Stale, match="Somebody else"):
        escalate(world, order, 1, by="supervisor")
    run_once(work)
    escalate(world, order, 1)  # sent once more, when it has fired
    with pytest.raises(Stale, match="has moved"):
        escalate(world, order, 1, by="supervisor")
    with pytest.raises(Stale, match="has moved"):
        skip(world, order, 1, 3, by="supervisor")
    assert len(told(world, order, "order.ladder_hastened")) == 1
    assert [number for number, _ in armed(world, order)] == [2]


def test_a_step_that_is_late_is_made_no_later(world: World, work: Work) -> None:
    order = world.issue()
    run_once(work)
    world.clock.move(minutes=25)  # no worker runs
    escalate(world, order, 1)
    assert armed(world, order) == [(1, at(15))]
    run_once(work)
    assert armed(world, order) == [(2, at(30))]


def test_a_step_that_fails_can_be_asked_for_again(world: World, work: Work) -> None:
    order = world.issue()
    run_once(work)
    escalate(world, order, 1)

    def poison(*_: object) -> None:
        raise ValueError("poison")

    assert fire_one(work, {**HANDLERS, TimerKind.LADDER: poison}) == 1
    ((_, due),) = armed(world, order)
    assert due > world.now
    escalate(world, order, 1)
    assert armed(world, order) == [(1, world.now)]


# Skip


def test_what_is_skipped_never_calls_and_the_rest_keeps_its_distances(
    world: World, work: Work, sender: RecordingSender
) -> None:
    order = world.issue()
    run_once(work)
    world.clock.move(minutes=5)
    sender.sent.clear()
    skip(world, order, 1, 3)
    for _ in range(2):
        skip(world, order, 1, 3)  # a second click
    run_once(work)
    assert sender.addresses == [DUTY]
    assert armed(world, order) == [(4, at(20))]
    shown = view(world, order)
    assert [(s.step.number, s.state) for s in shown.steps] == [
        (0, StepState.DONE),
        (1, StepState.SKIPPED),
        (2, StepState.SKIPPED),
        (3, StepState.DONE),
        (4, StepState.NOW),
    ]
    world.clock.move(hours=1)
    run_once(work)
    assert set(sender.addresses) == {DUTY, SUPERVISOR}
    (entry,) = told(world, order, "order.ladder_skipped")
    assert [one["whom"] for one in entry["skipped"]] == ["every_spoc", "fallback"]
    assert (entry["step"], entry["whom"]) == (3, "duty_officer")


@pytest.mark.parametrize("to", [0, 1, 5, 99])
def test_only_forward_and_only_to_a_rung_there_is(world: World, work: Work, to: int) -> None:
    order = world.issue()
    run_once(work)
    with pytest.raises(Invalid):
        skip(world, order, 1, to)
    assert armed(world, order) == [(1, at(15))]


def test_to_the_top_at_once(world: World, work: Work, sender: RecordingSender) -> None:
    order = world.issue()
    run_once(work)
    sender.sent.clear()
    skip(world, order, 1, 4)
    for _ in range(3):
        run_once(work)
        world.clock.move(minutes=15)
    assert sender.addresses == [SUPERVISOR] * 3
    with pytest.raises(Invalid):
        skip(world, order, 7, 8)


# Pause


def test_while_it_is_paused_nobody_is_called_and_then_it_goes_on(
    world: World, work: Work, sender: RecordingSender
) -> None:
    order = world.issue()
    run_once(work)
    world.clock.move(minutes=5)
    pause(world, order, 40)
    sender.sent.clear()
    for _ in range(3):
        world.clock.move(minutes=13)
        run_once(work)
    assert (sender.addresses, armed(world, order)) == ([], [])
    shown = view(world, order)
    assert shown.pause is not None
    assert (shown.pause.by, shown.pause.until) == (world.person("officer").name, at(45))
    assert (shown.next_step, shown.next_at) == (None, None)
    assert [s.due_at for s in shown.steps[1:]] == [at(45), at(60), at(75), at(90)]
    due = world.order(order.name).acknowledge_by
    world.clock.set(at(45))
    run_once(work)
    assert sorted(sender.addresses) == sorted([SPOC, DEPUTY]), "one step, not the three missed"
    assert armed(world, order) == [(2, at(60))]
    after = world.order(order.name)
    assert (after.ladder_paused_at, after.version) == (None, order.version)
    assert (after.acknowledge_by, order.acknowledge_by) == (due, due), "the clocks run on"
    assert [e["by"]["name"] for e in told(world, order, "order.ladder_resumed")] != []


def test_a_pause_after_a_step_that_was_called_ahead_gives_back_what_was_gained(
    world: World, work: Work
) -> None:
    order = world.issue()
    run_once(work)
    escalate(world, order, 1)  # fifteen minutes ahead
    run_once(work)
    assert armed(world, order) == [(2, at(15))]
    pause(world, order, 30)  # fifteen minutes late
    world.clock.move(minutes=30)
    run_once(work)
    assert armed(world, order) == [(3, at(45))], "the distances stay"


def test_what_was_not_due_yet_comes_when_it_was_planned(world: World, work: Work) -> None:
    order = world.issue()
    run_once(work)
    pause(world, order, 10)
    world.clock.move(minutes=4)
    go_on(world, order)
    assert armed(world, order) == [(1, at(15))]
    assert waiting(world, order, TimerKind.PAUSE_END) == []
    with pytest.raises(InvalidTransition, match="not paused"):
        go_on(world, order)
    pause(world, order, 10)  # at the same moment of a clock that stands
    assert len(waiting(world, order, TimerKind.PAUSE_END)) == 1
    world.clock.move(minutes=10)
    run_once(work)
    assert armed(world, order) == [(1, at(15))]


def test_a_page_that_has_not_left_waits_for_the_end(
    world: World, work: Work, sender: RecordingSender
) -> None:
    order = world.issue()
    while fire_one(work):
        pass
    pause(world, order, 30)
    run_once(work)
    assert SPOC not in sender.addresses
    world.clock.move(minutes=30)
    run_once(work)
    assert SPOC in sender.addresses


@pytest.mark.parametrize("urgency", ["emergency", "urgent"])
def test_a_pause_needs_a_reason_and_an_end_that_is_not_far(world: World, urgency: str) -> None:
    file = "01-emergency-missing-child.json" if urgency == "emergency" else None
    order = world.issue(file) if file else world.issue("05-names-from-everywhere.json")
    longest = 60 if order.urgency is Urgency.EMERGENCY else 24 * 60
    for minutes in (0, -1, longest + 0.01):
        with pytest.raises(Invalid) as refused:
            pause(world, order, minutes)
        assert refused.value.errors[0].pointer == "/until"
    with pytest.raises(Invalid) as refused:
        do(world, ladder_holds.pause, order, at(10), "  ", by="officer")
    assert refused.value.errors[0].pointer == "/reason"
    pause(world, order, longest)
    with pytest.raises(InvalidTransition, match="until"):
        pause(world, order, 5, by="supervisor")
    with pytest.raises(InvalidTransition, match="paused"):
        escalate(world, order, 0)
    with pytest.raises(InvalidTransition, match="paused"):
        skip(world, order, 0, 1)


def test_of_the_pages_at_the_top_that_were_missed_one_comes(
    world: World, work: Work, sender: RecordingSender
) -> None:
    order = world.ratify(world.issue())
    world.clock.move(minutes=61)
    run_once(work)
    assert armed(world, order) == [(5, at(75))]
    pause(world, order, 60)
    sender.sent.clear()
    world.clock.move(minutes=60)
    run_once(work)
    assert sender.addresses == [SUPERVISOR]
    assert armed(world, order) == [(6, at(136))], "fifteen minutes after it, on and on"
    world.clock.set(at(136))
    run_once(work)
    assert sender.addresses == [SUPERVISOR] * 2


def _decline(world: World, order: Order) -> None:
    refusal = Refusal((Ground.OVERBROAD,), "Too wide.", False)
    do(world, answers.decline, order, refusal, by="spoc")


ENDS: dict[str, Callable[[World, Order], object]] = {
    "acknowledge": lambda w, o: w.acknowledge(o),
    "preserve": lambda w, o: w.preserve(o),
    "decline": _decline,
    "withdraw": lambda w, o: do(w, orders.withdraw, o, "Found.", by="officer"),
    "close": lambda w, o: close(w, o),
}


@pytest.mark.parametrize("end", ENDS)
def test_whatever_ends_the_waiting_ends_the_pause(
    world: World, work: Work, sender: RecordingSender, end: str
) -> None:
    order = world.ratify(world.issue())
    while fire_one(work):
        pass
    pause(world, order, 30)
    world.clock.move(minutes=5)
    ENDS[end](world, order)
    after = world.order(order.name)
    assert (after.ladder_paused_at, after.ladder_paused_until, after.ladder_pause_reason) == (
        None,
        None,
        None,
    )
    assert waiting(world, order, TimerKind.PAUSE_END) == []
    world.clock.move(minutes=90)
    sender.sent.clear()
    run_once(work)
    assert not {SPOC, DEPUTY, FALLBACK} & set(sender.addresses) or end == "withdraw"
    assert told(world, order, "order.ladder_resumed") == []
    with world.database.reading() as session:
        assert list(ledger_orders.missing(session)) == []


def test_a_question_and_a_pause_together_hold_it_until_both_are_over(world: World) -> None:
    with_terms(world, clock_stops=True)
    hour = timedelta(hours=1)
    # The first rung comes 24 hours after issue. The question stops the clock from the 2nd hour
    # to the 6th; the pause ends before its answer, or after it.
    for ends, expected in ((4, 28), (10, 28), (23, 28)):
        order = routine(world)
        start = world.now
        world.clock.move(hours=1)
        pause(world, order, (ends - 1) * 60)
        world.clock.move(hours=1)
        ask(world, order)
        if ends < 6:
            world.clock.move(hours=ends - 2)
            go_on(world, order)
            assert armed(world, order) == [], "the clock is still stopped"
            world.clock.set(start + 6 * hour)
            answer(world, order)
        else:
            world.clock.move(hours=4)
            answer(world, order)
            assert armed(world, order) == [], "it is still paused"
            world.clock.set(start + ends * hour)
            go_on(world, order)
        assert armed(world, order) == [(0, start + expected * hour)], ends


def test_what_a_pause_missed_before_a_question_comes_when_the_clock_goes_on(
    world: World, work: Work
) -> None:
    with_terms(world, clock_stops=True)
    order = routine(world)
    world.clock.move(hours=23)
    pause(world, order, 10 * 60)
    world.clock.move(hours=5)  # the rung at 24 h was missed by four hours
    ask(world, order)
    world.clock.move(hours=1)
    go_on(world, order)
    world.clock.move(hours=1)
    answer(world, order)
    assert armed(world, order) == [(0, world.now)]
    run_once(work)
    assert armed(world, order) == [(1, world.now + timedelta(hours=12))]


# Close, and open again


def test_closed_by_mistake_it_is_opened_again_with_a_reason(
    world: World, work: Work, sender: RecordingSender
) -> None:
    order = world.issue()
    run_once(work)
    with pytest.raises(InvalidTransition, match="is open"):
        reopen(world, order)
    close(world, order)
    with pytest.raises(InvalidTransition, match="closed"):
        escalate(world, order, 1)
    with pytest.raises(InvalidTransition, match="closed"):
        skip(world, order, 1, 2)
    with pytest.raises(InvalidTransition, match="closed"):
        pause(world, order, 5)
    world.clock.move(minutes=20)
    with pytest.raises(Invalid):
        do(world, ladder_holds.reopen, order, " ", by="officer")
    sender.sent.clear()
    run_once(work)
    assert sender.addresses == []
    reopen(world, order)
    assert world.order(order.name).ladder_closed_at is None
    run_once(work)
    assert sorted(sender.addresses) == sorted([SPOC, DEPUTY])
    assert armed(world, order) == [(2, at(35))]
    assert len(told(world, order, "order.ladder_reopened")) == 1


def test_after_a_pause_a_skip_and_a_reopening_the_top_pages_until_a_person_closes(
    world: World, work: Work, sender: RecordingSender
) -> None:
    order = world.ratify(world.issue())
    run_once(work)
    pause(world, order, 30)
    world.clock.move(minutes=10)
    go_on(world, order)
    skip(world, order, 1, 3)
    run_once(work)
    close(world, order)
    reopen(world, order)
    sender.sent.clear()
    for _ in range(5):
        world.clock.move(minutes=15)
        run_once(work)
    assert sender.addresses == [SUPERVISOR] * 5
    close(world, order)
    world.clock.move(hours=5)
    run_once(work)
    assert sender.addresses == [SUPERVISOR] * 5


# The second climb


def test_the_second_climb_is_moved_like_the_first(
    world: World, work: Work, sender: RecordingSender
) -> None:
    order = world.ratify(world.issue())
    run_once(work)
    skip(world, order, 1, 2)  # of the first climb: it says nothing of the second
    world.clock.move(minutes=10)
    world.acknowledge(order)
    ((number, due),) = armed(world, order)
    assert (number, due) == (0, at(240))
    sender.sent.clear()
    pause(world, order, 30)
    world.clock.move(minutes=5)
    go_on(world, order)
    escalate(world, order, 0)
    run_once(work)
    assert SPOC in sender.addresses
    letter = next(one for one in sender.sent if one.address == SPOC)
    assert "time to preserve ends on" in letter.text, "it has not ended: nobody is late"
    assert armed(world, order) == [(1, at(30))]
    skip(world, order, 1, 3)
    run_once(work)
    assert armed(world, order) == [(4, at(30))]
    shown = view(world, order)
    assert [s.state for s in shown.steps] == [
        StepState.DONE,
        StepState.SKIPPED,
        StepState.SKIPPED,
        StepState.DONE,
        StepState.NOW,
    ]
    world.preserve(order)
    assert armed(world, order) == []


# No page about an order that is closed, paused or acknowledged


@pytest.mark.parametrize("held", ["pause", "close", "acknowledge", "question"])
@pytest.mark.parametrize("when", ["before the claim", "after it"])
def test_a_page_that_is_under_way_does_not_leave(
    world: World, work: Work, sender: RecordingSender, held: str, when: str
) -> None:
    with_terms(world, clock_stops=True)
    order = routine(world)
    run_once(work)
    world.clock.move(hours=24)
    assert fire_one(work) == 1
    sender.sent.clear()
    batch = claim(work) if when == "after it" else []
    assert (SPOC in [one.address for one in batch]) == (when == "after it")
    acts: dict[str, Callable[[], object]] = {
        "pause": lambda: pause(world, order, 60),
        "close": lambda: close(world, order),
        "acknowledge": lambda: world.acknowledge(order),
        "question": lambda: ask(world, order),
    }
    acts[held]()
    for one in batch:
        send(work, one)
    assert SPOC not in sender.addresses
    assert not [one for one in claim(work) if one.address == SPOC], "nothing is claimed anew"
    waits = held in ("pause", "question")
    with world.database.reading() as session:
        page = session.scalars(
            select(Message).where(Message.order_id == order.id, Message.letter == "escalation")
        ).one()
        wanted = MessageState.QUEUED if waits else MessageState.CANCELLED
        assert (page.state, page.attempts) == (wanted, 0 if waits or not batch else 1)
    if held == "pause":
        go_on(world, order)
        run_once(work)
        assert SPOC in sender.addresses


def test_a_claim_that_the_end_of_a_pause_overtakes_is_not_lost(world: World, work: Work) -> None:
    order = world.issue()
    while fire_one(work):
        pass
    batch = [one for one in claim(work) if one.address == SPOC]
    pause(world, order, 5)
    with world.database.reading() as session:
        assert not claims.still_wanted(session, batch[0], world.now)
    go_on(world, order)  # between the look and the giving back
    with world.database.transaction() as session:
        assert claims.drop(session, batch[0], world.now)
    assert [one.address for one in claim(work) if one.address == SPOC] == [SPOC]


def test_where_the_end_of_a_pause_fails_our_people_are_told(
    world: World, work: Work, sender: RecordingSender
) -> None:
    order = world.issue()
    run_once(work)
    pause(world, order, 10)
    sender.sent.clear()

    def poison(*_: object) -> None:
        raise ValueError("poison")

    for _ in range(2):
        (timer,) = waiting(world, order, TimerKind.PAUSE_END)
        world.clock.set(max(timer.due_at, world.now))
        assert fire_one(work, {**HANDLERS, TimerKind.PAUSE_END: poison}) == 1
    run_once(work)
    assert {DUTY, SUPERVISOR} <= set(sender.addresses)
    assert "paused does not go on" in sender.sent[0].text


def test_the_ledger_says_that_it_is_held(world: World) -> None:
    order = world.issue()
    pause(world, order, 10)
    with world.database.transaction() as session:
        assert list(ledger_orders.missing(session)) == []
        query = select(func.count()).where(Entry.type == "order.ladder_paused")
        assert session.scalar(query) == 1
        stored = session.get_one(Order, order.id)
        stored.ladder_closed_at = world.now  # by hand, without a word
        session.flush()
        assert [one.reason for one in ledger_orders.missing(session)] == [
            "its order.ladder_closed is missing"
        ]
        session.rollback()


def came_back(world: World, order: Order) -> None:
    """A notice that had left is reported as undelivered."""
    with world.database.transaction() as session:
        sent = Message.order_id == order.id, Message.state == MessageState.SENT
        message = session.scalars(select(Message).where(*sent).order_by(Message.id)).first()
        assert message is not None
        message.state = MessageState.FAILED
        undelivered.tell(session, message, world.now)


def undelivered_calls(world: World, order: Order) -> int:
    with world.database.reading() as session:
        ours = CallTask.order_id == order.id, CallTask.why.contains("could not be delivered")
        return session.scalar(select(func.count()).select_from(CallTask).where(*ours)) or 0


def test_a_failure_that_is_reported_while_the_ladder_is_held_calls_nobody_until_it_goes_on(
    world: World, work: Work
) -> None:
    order = routine(world)
    run_once(work)
    pause(world, order, 30)
    came_back(world, order)
    assert undelivered_calls(world, order) == 0
    assert len(told(world, order, "order.delivery_failed")) == 1, "it stands in the record"
    go_on(world, order)
    assert undelivered_calls(world, order) == 1
    pause(world, order, 30)
    go_on(world, order)
    assert undelivered_calls(world, order) == 1


def test_a_failure_that_is_reported_once_a_person_took_over_calls_nobody(
    world: World, work: Work
) -> None:
    order = routine(world)
    run_once(work)
    close(world, order)
    came_back(world, order)
    run_once(work)
    assert undelivered_calls(world, order) == 0
    reopen(world, order)
    assert undelivered_calls(world, order) == 1


def test_a_call_that_was_to_be_made_again_is_when_the_ladder_is_opened_again(
    world: World, work: Work
) -> None:
    order = world.issue(provider="Meridian Telecom")
    run_once(work)
    with world.database.transaction() as session:
        open_ = CallTask.order_id == order.id, CallTask.state == CallState.OPEN
        task = session.scalars(select(CallTask).where(*open_)).first()
        assert task is not None
        calls.log(
            session,
            world.actor("officer"),
            order.name,
            task.id,
            CallOutcome.NO_ANSWER,
            "",
            world.now,
        )
    (before,) = waiting(world, order, TimerKind.CALL_AGAIN)
    world.clock.move(minutes=1)
    close(world, order)
    assert waiting(world, order, TimerKind.CALL_AGAIN) == []
    world.clock.move(minutes=1)
    reopen(world, order)
    (after,) = waiting(world, order, TimerKind.CALL_AGAIN)
    assert after.due_at == before.due_at
