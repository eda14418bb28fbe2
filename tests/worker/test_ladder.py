"""An emergency that is left alone, and how people stop it."""

from __future__ import annotations

import pytest

from liaison.models import Database
from liaison.services import escalation
from liaison.worker import Done, Work, run_once
from tests.mail import RecordingSender
from tests.worker.looking import entries, messages, open_calls, waiting
from tests.world import World

SPOC = "spoc@meridian.example"
DEPUTY = "deputy@meridian.example"
FALLBACK = "fallback@meridian.example"
DUTY = "duty@police.example"
SUPERVISOR = "supervisor@police.example"

SPOC_PHONE, FALLBACK_PHONE = "+37410000200", "+37410000203"
DUTY_PHONE, SUPERVISOR_PHONE = "+37410000101", "+37410000102"

CLIMB: tuple[tuple[int, list[str], list[str]], ...] = (
    # minutes on, whom the mails go to, whom a call was opened for
    (0, [SPOC], [SPOC_PHONE]),
    (15, [SPOC, DEPUTY], []),
    (15, [FALLBACK], [FALLBACK_PHONE]),
    (15, [DUTY], [DUTY_PHONE]),
    (15, [SUPERVISOR], [SUPERVISOR_PHONE]),
    (15, [SUPERVISOR], []),
    (15, [SUPERVISOR], []),
)


def test_each_rung_calls_its_people_once(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    calls: list[str] = []
    for minutes, mailed, called in CLIMB:
        world.clock.move(minutes=minutes)
        sender.sent.clear()
        assert run_once(work) == Done(fired=1, sent=len(mailed))
        assert sorted(sender.addresses) == sorted(mailed)
        calls += called
        assert open_calls(database, order) == calls
        assert run_once(work) == Done(), "the same minute twice must send nothing twice"
    assert len(entries(database, order, "order.escalated")) == len(CLIMB)
    keys = [m.idem for m in messages(database, order)]
    assert len(keys) == len(set(keys)) == sum(len(mailed) for _, mailed, _ in CLIMB)


def test_a_minute_before_the_rung_nobody_is_called(
    work: Work, world: World, sender: RecordingSender
) -> None:
    world.issue()
    run_once(work)
    sender.sent.clear()
    world.clock.move(minutes=14, seconds=59)
    assert run_once(work) == Done()
    assert sender.sent == []


def test_rungs_that_a_stopped_worker_missed_all_call_but_pages_do_not_pile_up(
    work: Work, world: World, sender: RecordingSender
) -> None:
    world.ratify(world.issue())
    world.clock.move(hours=12)
    run_once(work)
    assert sorted(sender.addresses) == sorted([SPOC, SPOC, DEPUTY, FALLBACK, DUTY, SUPERVISOR])
    sender.sent.clear()
    world.clock.move(minutes=15)
    run_once(work)
    assert sender.addresses == [SUPERVISOR]


def test_acknowledging_stops_it(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    run_once(work)
    world.clock.move(minutes=15)
    run_once(work)
    world.clock.move(minutes=1)
    world.acknowledge(order)
    run_once(work)
    sender.sent.clear()
    world.clock.move(hours=2)
    assert run_once(work) == Done()
    assert sender.sent == []
    assert open_calls(database, order) == []


def test_acknowledging_takes_back_what_was_not_sent(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    assert len(waiting(database, order)) == 1
    world.clock.move(minutes=1)
    world.acknowledge(order)
    run_once(work)
    assert SPOC not in sender.addresses, "nobody is asked for what they have done"


def test_an_acknowledged_order_climbs_again_when_the_time_to_preserve_runs_out(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    world.clock.move(minutes=10)
    world.acknowledge(order)
    run_once(work)
    sender.sent.clear()
    world.clock.move(hours=3, minutes=49)
    assert run_once(work) == Done()
    world.clock.move(minutes=1)
    assert run_once(work) == Done(fired=1, sent=1)
    assert sender.addresses == [SPOC]
    assert "confirmation of preservation" in sender.sent[0].subject
    world.clock.move(minutes=15)
    run_once(work)
    assert sorted(sender.addresses) == sorted([SPOC, SPOC, DEPUTY])
    world.preserve(order)
    run_once(work)
    sender.sent.clear()
    world.clock.move(hours=3)
    assert run_once(work) == Done()
    assert open_calls(database, order) == []


@pytest.mark.parametrize("hours", [1, 30])
def test_at_the_top_only_a_person_ends_it(
    work: Work, world: World, database: Database, sender: RecordingSender, hours: int
) -> None:
    order = world.ratify(world.issue())
    world.clock.move(hours=hours)
    run_once(work)
    sender.sent.clear()
    for _ in range(3):
        world.clock.move(minutes=15)
        run_once(work)
    assert sender.addresses == [SUPERVISOR] * 3
    with database.transaction() as session:
        escalation.close(
            session, world.actor("supervisor"), order.name, "I drive there myself.", world.now
        )
    world.clock.move(hours=5)
    assert run_once(work) == Done()
    assert sender.addresses == [SUPERVISOR] * 3


def test_closing_the_first_climb_does_not_silence_the_second(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    run_once(work)
    with database.transaction() as session:
        escalation.close(session, world.actor("supervisor"), order.name, "By phone.", world.now)
    world.clock.move(minutes=10)
    world.acknowledge(order)
    world.clock.move(hours=4)
    sender.sent.clear()
    run_once(work)
    assert SPOC in sender.addresses


def test_the_date_that_was_promised_passes(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    world.preserve(order, days=30)
    run_once(work)
    world.clock.move(days=29, hours=23)
    run_once(work)  # the reminders before it
    assert run_once(work) == Done()
    world.clock.move(hours=1)
    sender.sent.clear()
    assert run_once(work) == Done(fired=1, sent=2)
    assert world.order(order.name).state == "expired"
    assert sorted(sender.addresses) == [DUTY, SPOC]


def test_no_letter_carries_case_data(work: Work, world: World, sender: RecordingSender) -> None:
    order = world.issue()
    world.clock.move(hours=2)
    run_once(work)
    world.acknowledge(order)
    world.preserve(order)
    run_once(work)
    assert {one.address for one in sender.sent} >= {SPOC, FALLBACK, DUTY, SUPERVISOR}
    said = "\n".join(one.subject + one.text + one.html for one in sender.sent).lower()
    for secret in ("198.51.100", "51820", "abduction", "child", "12-year-old", "mp-2026-0231"):
        assert secret not in said
