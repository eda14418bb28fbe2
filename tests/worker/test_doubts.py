"""A provider doubts an order: who is alarmed, who may vouch, and what ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from liaison.domain import doubt as rule
from liaison.domain.lifecycle import OrderState
from liaison.errors import Forbidden, Invalid, InvalidTransition, NotFound, Stale
from liaison.models import Database, Order
from liaison.models.work import TimerKind
from liaison.queries import registry
from liaison.queries.doubting import numbers
from liaison.queries.views import order_view
from liaison.services import doubts
from liaison.services.ledger_orders import missing
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.worker.doubting import (
    DUTY,
    DUTY_PHONE,
    SUPERVISOR,
    SUPERVISOR_PHONE,
    WHY,
    alarms,
    doubt,
    waiting_doubts,
)
from tests.worker.looking import entries, open_calls, waiting
from tests.world import START, World

# What the provider does


def test_a_doubt_keeps_the_data_and_changes_nothing_else(world: World, database: Database) -> None:
    order = world.issue()
    after = doubt(world, order)
    assert after.doubt_open_since == world.now
    assert after.state is OrderState.ISSUED, "it is no acknowledgement"
    assert (after.acknowledge_by, after.preserve_by) == (order.acknowledge_by, order.preserve_by)
    assert after.acknowledged_at is None
    ladder = [t for t in waiting(database, order) if t.kind is TimerKind.LADDER]
    assert len(ladder) == 1, "the provider's own ladder goes on"
    (told,) = entries(database, order, "order.doubted")
    assert (told["reason"], told["kept_provisionally"]) == (WHY, True)
    assert after.version > order.version
    with database.reading() as session:
        view = order_view(session.get_one(Order, order.id))
        assert list(missing(session)) == []
    assert view["doubt"] == {"since": "2026-11-23T12:00:00Z", "reason": WHY, "vouches": 0}


def test_one_doubt_at_a_time(world: World, database: Database) -> None:
    order = doubt(world, world.issue())
    with pytest.raises(InvalidTransition, match="doubted already"):
        doubt(world, order, by="program")
    assert len(entries(database, order, "order.doubted")) == 1


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 2001, "a\x00b"])
def test_a_doubt_needs_a_reason_that_can_be_kept(world: World, reason: str) -> None:
    order = world.issue()
    with pytest.raises(Invalid) as refused:
        doubt(world, order, reason=reason)
    assert [e.pointer for e in refused.value.errors] == ["/reason"]
    assert world.order(order.name).doubt_open_since is None


@pytest.mark.parametrize("who", ["norvik_spoc", "norvik_program"])
def test_another_provider_cannot_doubt_what_it_does_not_know(world: World, who: str) -> None:
    order = world.issue()
    with world.database.transaction() as session, pytest.raises(NotFound):
        doubts.raise_(session, world.actor(who), order.name, WHY, None, world.now)


@pytest.mark.parametrize("who", ["officer", "supervisor", "auditor"])
def test_the_contact_point_doubts_nothing(world: World, who: str) -> None:
    order = world.issue()
    with world.database.transaction() as session, pytest.raises(Forbidden):
        doubts.raise_(session, world.actor(who), order.name, WHY, None, world.now)


def test_a_doubt_about_an_older_version_says_what_happened(world: World) -> None:
    order = world.issue()
    world.acknowledge(order)
    with world.database.transaction() as session, pytest.raises(Stale):
        doubts.raise_(session, world.actor("spoc"), order.name, WHY, order.version, world.now)


def test_what_was_preserved_can_be_doubted_too(world: World, database: Database) -> None:
    order = world.issue()
    world.preserve(order)
    assert doubt(world, order).state is OrderState.PRESERVED
    assert len(waiting_doubts(database, order)) == 1


def test_the_numbers_to_call_are_those_of_the_register(world: World, database: Database) -> None:
    forged = {"name": "A. Forger", "phone": "+37499666666", "email": "x@police.example"}
    forged |= {"function": "Duty officer"}
    order = world.issue(confirmation_contact=forged)
    with database.reading() as session:
        found = numbers(session, session.get_one(Order, order.id), world.now)
    assert [n.phone for n in found] == [DUTY_PHONE, SUPERVISOR_PHONE, "+37410000100"]
    assert [n.verified for n in found] == [True, True, False]


# The contact point's own ladder


def test_the_ladder_climbs_at_0_15_30_45_minutes(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    world.acknowledge(order)
    run_once(work)
    world.clock.move(minutes=20)
    run_once(work)
    doubt(world, order)
    calls: list[str] = []
    for minutes, mailed, called in (
        (0, DUTY, [DUTY_PHONE]),
        (15, SUPERVISOR, [SUPERVISOR_PHONE]),
        (15, SUPERVISOR, []),
        (15, SUPERVISOR, []),
    ):
        world.clock.move(minutes=minutes)
        sender.sent.clear()
        run_once(work)
        assert alarms(sender) == [mailed]
        calls += called
        assert open_calls(database, order) == calls
        run_once(work)
        assert len(alarms(sender)) == 1, "the same minute twice must send nothing twice"
    climbed = entries(database, order, "order.doubt_escalated")
    assert [told["whom"] for told in climbed] == ["duty_officer"] + ["supervisor"] * 3


def test_a_minute_before_nobody_is_alarmed(
    work: Work, world: World, sender: RecordingSender
) -> None:
    order = world.issue()
    world.preserve(order)
    doubt(world, order)
    run_once(work)
    sender.sent.clear()
    world.clock.move(minutes=14, seconds=59)
    run_once(work)
    assert alarms(sender) == []


def test_pages_that_a_stopped_worker_missed_are_passed_over(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    world.preserve(order)
    doubt(world, order)
    world.clock.move(hours=10)
    for _ in range(5):
        run_once(work)
    assert alarms(sender).count(SUPERVISOR) == 2
    (coming,) = waiting_doubts(database, order)
    assert world.now < coming.due_at <= world.now + rule.PAGE_EVERY


def test_a_letter_carries_no_case_data(work: Work, world: World, sender: RecordingSender) -> None:
    order = world.issue()
    doubt(world, order)
    run_once(work)
    (letter,) = [s for s in sender.sent if "doubts order" in s.subject]
    told = str(letter)
    assert str(order.ref) in told
    assert WHY not in told
    assert order.offence not in told


@pytest.mark.parametrize(("after", "late"), [(0, False), (14, False), (15, True)])
def test_lateness_begins_with_the_supervisor(after: int, late: bool) -> None:
    assert rule.is_late(START, START + timedelta(minutes=after)) is late


def test_alarms_that_cannot_be_sent_are_not_silent(
    work: Work, world: World, sender: RecordingSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.issue()
    world.preserve(order)
    doubt(world, order)
    run_once(work)

    def broken(*_given: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(registry, "reached", broken)
    world.clock.move(minutes=15)
    run_once(work)
    world.clock.move(minutes=1)
    run_once(work)
    run_once(work)
    stuck = [s.address for s in sender.sent if "could not" in s.subject or "by hand" in s.subject]
    assert sorted(stuck) == [DUTY, SUPERVISOR]
