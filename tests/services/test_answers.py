"""The provider's verbs, in both databases: acknowledge, preserve, amend, decline, ask."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from liaison.domain.answer import Preservation, Refusal
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import CallOutcome, Ground
from liaison.errors import Invalid, InvalidTransition, LiaisonError, NotFound, Stale
from liaison.models import CallTask, Entry, Message, Order, Report, Timer
from liaison.models.work import CallState, TimerKind, TimerState
from liaison.services import answers, calls, ledger, ledger_check
from tests.world import World

REFUSAL = Refusal(
    (Ground.NO_LONGER_HELD,), "Logs are kept for 48 hours.", preserved_meanwhile=False
)


CLIMBING = select(Timer).where(Timer.state == TimerState.WAITING, Timer.kind == TimerKind.LADDER)
"""The ladder's step that waits."""


def count(world: World, model: Any, *where: Any) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model).where(*where)) or 0


def acknowledge(world: World, order: Order, by: str = "spoc", **more: Any) -> None:
    with world.database.transaction() as session:
        answers.acknowledge(session, world.actor(by), order.name, world.now, **more)


def preserve(world: World, order: Order, days: int = 90, by: str = "program", **more: Any) -> None:
    with world.database.transaction() as session:
        answer = Preservation(days=days)
        answers.preserve(session, world.actor(by), order.name, answer, world.now, **more)


def stored(world: World, order: Order) -> Order:
    with world.database.reading() as session:
        return session.get_one(Order, order.id)


def test_acknowledging_stops_the_first_climb_and_arms_the_clock_to_preserve(world: World) -> None:
    order = world.issue()
    acknowledge(world, order, reference="NOC-8812")
    found = stored(world, order)
    assert (found.state, found.provider_reference) == (OrderState.ACKNOWLEDGED, "NOC-8812")
    assert count(world, CallTask, CallTask.state == CallState.OPEN) == 0
    with world.database.reading() as session:
        timer = session.scalars(CLIMBING).one()
        assert timer.due_at == order.preserve_by


def test_a_late_acknowledgement_still_leaves_the_span_to_preserve(world: World) -> None:
    order = world.issue()
    world.clock.move(hours=10)
    acknowledge(world, order)
    with world.database.reading() as session:
        timer = session.scalars(CLIMBING).one()
        assert timer.due_at == world.now + timedelta(hours=3)


def test_confirming_at_once_acknowledges_too(world: World) -> None:
    order = world.issue()
    preserve(world, order)
    found = stored(world, order)
    assert found.state is OrderState.PRESERVED
    assert found.acknowledged_at == world.now
    waiting = (Timer.state == TimerState.WAITING, Timer.kind == TimerKind.LADDER)
    assert count(world, Timer, *waiting) == 0


def test_an_amendment_moves_the_expiry_there_and_back(world: World) -> None:
    order = world.issue()
    for days in (90, 30, 90):
        preserve(world, order, days)
    with world.database.reading() as session:
        waiting = select(Timer).where(
            Timer.kind == TimerKind.EXPIRY, Timer.state == TimerState.WAITING
        )
        assert session.scalars(waiting).one().due_at == world.now + timedelta(days=90)
    assert count(world, Report) == 3
    assert count(world, Entry, Entry.type == "order.preservation_amended") == 2


def test_declining_ends_the_order_and_its_clocks(world: World) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        answers.decline(session, world.actor("spoc"), order.name, REFUSAL, world.now)
    assert stored(world, order).refusal == {
        "grounds": ["no_longer_held"],
        "explanation": "Logs are kept for 48 hours.",
        "preserved_meanwhile": False,
    }
    of_its_life = Timer.kind != TimerKind.RATIFICATION  # which is due however it ends
    assert count(world, Timer, Timer.state == TimerState.WAITING, of_its_life) == 0
    with pytest.raises(InvalidTransition):
        acknowledge(world, order)


@pytest.mark.parametrize("by", ["norvik_spoc", "norvik_program"])
def test_another_providers_order_does_not_exist(world: World, by: str) -> None:
    order = world.issue()
    for act in (acknowledge, preserve):
        with pytest.raises(NotFound):
            act(world, order, by=by)
    assert stored(world, order).state is OrderState.ISSUED


def test_whoever_read_an_older_version_does_not_act_on_it(world: World) -> None:
    order = world.issue()
    read = order.version
    acknowledge(world, order, version=read)
    with pytest.raises(Stale, match="acknowledged now"):
        preserve(world, order, version=read)


def test_an_acknowledgement_by_phone_needs_somebody_who_was_reached(world: World) -> None:
    order = world.issue()
    with world.database.reading() as session:
        task_id = session.scalars(select(CallTask.id)).one()

    def log(outcome: CallOutcome, *, acknowledged: bool) -> None:
        with world.database.transaction() as session:
            calls.log(
                session,
                world.actor("officer"),
                order.name,
                task_id,
                outcome,
                "Ani at the NOC",
                world.now,
                acknowledged=acknowledged,
            )

    with pytest.raises(Invalid):
        log(CallOutcome.VOICEMAIL, acknowledged=True)
    assert stored(world, order).state is OrderState.ISSUED
    log(CallOutcome.REACHED, acknowledged=True)
    assert stored(world, order).state is OrderState.ACKNOWLEDGED
    with pytest.raises(Stale, match="Anahit Petrosyan has logged"):
        log(CallOutcome.REACHED, acknowledged=False)


def test_a_question_waits_until_the_contact_point_writes(world: World) -> None:
    order = world.issue("03-cgnat-fraud-routine.json")
    with world.database.transaction() as session:
        spoc = world.actor("norvik_spoc")
        answers.ask(session, spoc, order.name, "Source or destination port?", world.now)
    assert stored(world, order).question_open_since == world.now
    with world.database.transaction() as session:
        answers.answer(session, world.actor("officer"), order.name, "Source.", world.now)
    assert stored(world, order).question_open_since is None
    assert count(world, Message, Message.letter == "question") == 1


def test_an_empty_or_endless_message_is_refused(world: World) -> None:
    order = world.issue()
    for text in ("  ", "x" * 10_001):
        with pytest.raises(Invalid), world.database.transaction() as session:
            answers.ask(session, world.actor("spoc"), order.name, text, world.now)


def test_of_two_who_confirm_at_the_same_moment_one_wins(world: World) -> None:
    order = world.issue()
    version = order.version
    gate = threading.Barrier(2)
    outcomes: list[str] = []

    def race(act: Callable[..., None], **more: Any) -> None:
        gate.wait()
        try:
            act(world, order, version=version, **more)
            outcomes.append("done")
        except LiaisonError as refused:
            outcomes.append(type(refused).__name__)

    racers = [
        threading.Thread(target=race, args=(preserve,), kwargs={"by": who})
        for who in ("spoc", "program")
    ]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert sorted(outcomes) == ["Stale", "done"]
    assert count(world, Report) == 1
    with world.database.reading() as session:
        found = ledger_check.verify(session)
        assert not [b for b in found if isinstance(b, ledger_check.Break)]


def test_the_ledger_says_who_acted_from_where_and_with_which_factor(world: World) -> None:
    order = world.issue()
    acknowledge(world, order)
    with world.database.reading() as session:
        ours = session.scalars(select(Entry).where(Entry.type == "order.attributed")).one()
        theirs = session.scalars(select(Entry).where(Entry.type == "order.acknowledged")).one()
        shared = session.scalars(select(Entry).where(Entry.type == "order.issued")).one()
        for entry in (ours, theirs):
            via = (ledger.entry_data(entry) or {})["via"]
            assert (via["factor"], via["address"]) == ("totp", "198.51.100.7")
        assert "via" not in (ledger.entry_data(shared) or {})
        assert theirs.actor == f"person:{world.person('spoc').id}"
