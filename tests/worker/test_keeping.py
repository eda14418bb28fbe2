"""Dates that come near: who is written to, at which minute, and when nobody is any more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from liaison.models import Database, Order, Person, Timer
from liaison.services import keeping, timers
from liaison.worker import Work, run_once
from liaison.worker.timers import HANDLERS
from tests.keeping import (
    DAY,
    ask,
    dispose,
    extend,
    must_wait,
    planned,
    record_mla,
    release,
)
from tests.mail import RecordingSender
from tests.worker.looking import entries, messages
from tests.world import World

OFFICER, DUTY = "a.petrosyan@police.example", "duty@police.example"
SUPERVISOR, SPOC = "supervisor@police.example", "spoc@meridian.example"


def served(world: World, **changes: Any) -> Order:
    """A routine order to Meridian: two people stand behind it, nobody has to ratify it."""
    return world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom", **changes)


def settled(work: Work, sender: RecordingSender) -> None:
    """Everything that is due has been done; what was sent before is forgotten."""
    run_once(work)
    sender.sent.clear()


def sent(work: Work, sender: RecordingSender) -> dict[str, list[str]]:
    """What leaves now: addresses by the subject's last words."""
    sender.sent.clear()
    run_once(work)
    found: dict[str, list[str]] = {}
    for letter in sender.sent:
        if not letter.subject.startswith("Order "):
            continue  # of the register: contacts grow stale meanwhile
        found.setdefault(letter.subject.partition(": ")[2], []).append(letter.address)
    return {subject: sorted(addresses) for subject, addresses in found.items()}


def test_the_right_people_at_the_right_minute(
    work: Work, world: World, sender: RecordingSender
) -> None:
    order = world.preserve(served(world, mla={"intended": False}))
    until = world.now + 90 * DAY
    settled(work, sender)
    for days, people in ((14, [OFFICER, DUTY]), (7, [OFFICER, DUTY])):
        world.clock.set(until - days * DAY - timedelta(minutes=1))
        assert sent(work, sender) == {}
        world.clock.move(minutes=1)
        assert sent(work, sender) == {f"the data are kept for {days} more days": people}
        assert planned(world, order) == must_wait(world, order)
    world.clock.set(until - 2 * DAY - timedelta(minutes=1))
    assert sent(work, sender) == {}
    world.clock.move(minutes=1)
    assert sent(work, sender) == {
        "the data are kept for 2 more days": [OFFICER, DUTY, SUPERVISOR],
        "your promise ends in 2 days": [SPOC],
    }
    world.clock.set(until - timedelta(minutes=1))
    assert sent(work, sender) == {}
    world.clock.move(minutes=1)
    assert sent(work, sender) == {
        "the preservation has ended": [DUTY],
        "you need not keep the data any longer": [SPOC],
    }
    assert world.order(order.name).state == "expired"


def test_a_letter_says_what_can_be_done_and_carries_no_case_data(
    work: Work, world: World, sender: RecordingSender
) -> None:
    order = world.preserve(served(world))
    settled(work, sender)
    world.clock.move(days=76)
    sent(work, sender)
    letter = next(
        one for one in sender.sent if one.address == OFFICER and "kept for" in one.subject
    )
    for act in ("extension", "mla", "release"):
        assert f"http://localhost/orders/{order.name}/{act}" in letter.text
    for target in order.targets:
        assert target.value not in letter.text
    assert order.offence not in letter.text


def test_an_amended_date_moves_the_reminders(
    work: Work, world: World, sender: RecordingSender
) -> None:
    order = world.preserve(served(world, mla={"intended": False}), days=20)
    settled(work, sender)
    world.clock.move(days=5)
    world.preserve(order, days=60)
    settled(work, sender)
    world.clock.move(days=1)  # fourteen days before the date that is no longer promised
    assert sent(work, sender) == {}
    world.clock.move(days=45)
    assert sent(work, sender) == {"the data are kept for 14 more days": [OFFICER, DUTY]}


def test_an_extension_moves_them_too_and_takes_back_what_was_not_sent(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.preserve(served(world, mla={"intended": False}))
    settled(work, sender)
    world.clock.move(days=76)
    ask(world, order, days=30)
    settled(work, sender)
    world.clock.move(days=7)
    with database.transaction() as session:
        timer = timers.claim(session, world.now)
        assert timer is not None
        timers.fire(session, timer, HANDLERS[timer.kind], world.now)
    extend(world, order, days=30)
    gone = [
        m for m in messages(database, order) if m.letter == "expiry_nears" and m.sent_at is None
    ]
    found = {m.address: m.state.value for m in gone}
    said = "it names a date that is another by now"
    assert found == {DUTY: "cancelled", OFFICER: "cancelled"}, said
    settled(work, sender)
    world.clock.move(days=7)
    assert sent(work, sender) == {}, "this would have been the end"
    assert world.order(order.name).state == "preserved"


def test_a_worker_that_stood_still_tells_how_long_is_left_now(
    work: Work, world: World, sender: RecordingSender
) -> None:
    world.preserve(served(world, mla={"intended": False}))
    settled(work, sender)
    world.clock.move(days=80)
    assert sent(work, sender) == {"the data are kept for 10 more days": [OFFICER, DUTY]}
    world.clock.move(days=10, minutes=1)
    ended = sent(work, sender)
    assert set(ended) == {"the preservation has ended", "you need not keep the data any longer"}


def test_what_was_released_reminds_nobody_not_even_the_officer_in_charge(
    work: Work, world: World, sender: RecordingSender
) -> None:
    order = world.preserve(served(world, mla={"intended": False}))
    settled(work, sender)
    world.clock.move(days=76)
    with world.database.transaction() as session:
        timer = timers.claim(session, world.now)
        assert timer is not None
        timers.fire(session, timer, HANDLERS[timer.kind], world.now)
    release(world, order)
    assert not [subject for subject in sent(work, sender) if "are kept for" in subject]


def test_with_a_request_recorded_it_does_not_expire_years_later(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.preserve(served(world))
    world.clock.move(days=89)
    run_once(work)
    record_mla(world, order, sent_on=world.now.date())
    settled(work, sender)
    world.clock.move(days=3 * 365)
    assert sent(work, sender) == {}
    assert world.order(order.name).state == "preserved"
    assert entries(database, order, "order.expired") == []
    release(world, order)
    assert sent(work, sender) == {"you need not keep the data any longer": [SPOC]}


def test_an_expiry_that_was_armed_before_does_nothing_once_a_request_is_recorded(
    world: World, database: Database
) -> None:
    order = world.preserve(served(world))
    record_mla(world, order)
    with database.transaction() as session:
        row = session.get_one(Order, order.id)
        keeping.expire(session, Timer(), row, world.now + 91 * DAY)
        assert row.state == "preserved"


def test_an_announced_request_is_asked_for_until_it_is_recorded(
    work: Work, world: World, sender: RecordingSender
) -> None:
    mla = {"intended": True, "expected_by": "2027-01-15"}
    order = world.preserve(served(world, mla=mla))
    other = world.preserve(served(world, mla=mla))
    settled(work, sender)
    world.clock.set(datetime(2027, 1, 8, 3, 59, tzinfo=UTC))  # one minute to eight in Yerevan
    assert sent(work, sender) == {}
    world.clock.move(minutes=1)
    nears = "an MLA request was announced for 15 Jan 2027"
    assert sent(work, sender) == {nears: sorted(2 * [OFFICER, DUTY])}
    record_mla(world, other)
    settled(work, sender)
    world.clock.set(datetime(2027, 1, 16, 4, tzinfo=UTC))
    late = "the MLA request that was announced is not recorded"
    assert sent(work, sender) == {late: [OFFICER, DUTY]}
    assert any(order.name in letter.subject for letter in sender.sent)
    assert not any(other.name in letter.subject for letter in sender.sent)


def test_it_is_asked_for_from_the_acknowledgement_on(
    work: Work, world: World, sender: RecordingSender
) -> None:
    order = world.acknowledge(served(world, mla={"intended": True, "expected_by": "2027-01-15"}))
    assert [kind for kind, _ in planned(world, order)] == ["promise", "promise"]
    assert planned(world, order) == must_wait(world, order)


def test_an_officer_who_is_gone_is_not_written_to(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    world.preserve(served(world, mla={"intended": False}))
    settled(work, sender)
    with database.transaction() as session:
        session.get_one(Person, world.person("officer").id).disabled_at = world.now
    world.clock.move(days=76)
    assert sent(work, sender) == {"the data are kept for 14 more days": [DUTY]}


def test_disposal_is_asked_for_again_and_then_told(
    work: Work, world: World, sender: RecordingSender
) -> None:
    order = world.preserve(served(world))
    quick = world.preserve(served(world))
    for one in (order, quick):
        release(world, one)
    settled(work, sender)
    world.clock.move(days=14)
    assert sent(work, sender) == {"please confirm disposal": [SPOC, SPOC]}
    dispose(world, quick)
    settled(work, sender)
    world.clock.move(days=14)
    assert sent(work, sender) == {"disposal is not confirmed": [OFFICER, DUTY]}
    assert not any(quick.name in letter.subject for letter in sender.sent)


@pytest.mark.parametrize("times", [1, 2])
def test_a_reminder_is_sent_once_however_often_the_worker_looks(
    work: Work, world: World, sender: RecordingSender, times: int
) -> None:
    world.preserve(served(world, mla={"intended": False}))
    settled(work, sender)
    world.clock.move(days=76)
    sender.sent.clear()
    for _ in range(times):
        run_once(work)
    about = [one.address for one in sender.sent if one.subject.startswith("Order ")]
    assert sorted(about) == [OFFICER, DUTY]
