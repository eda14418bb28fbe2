"""A notice that waits goes to nobody who is registered no more, nor to a number told to be wrong.

It fails for good, and whoever counts now is called: nothing is taken back in silence.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import select, update

from liaison.delivery import DeliveryError, Ways
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import CallOutcome, Channel, Function
from liaison.models import CallTask, Contact, Database, Message, Order
from liaison.models.work import CallState, MessageState, Wanted
from liaison.services import calls, claims, contacts, ladder_holds, outbox, undelivered
from liaison.services.organisations import AlreadyDone
from liaison.worker import Work, messages, run_once, timers
from tests.contact_steps import DUTY, NEW_NUMBER, SPOC_MAIL, contact, read
from tests.gateways import SPOC, reach_by
from tests.mail import RecordingSender
from tests.worker.looking import entries, open_calls
from tests.worker.looking import messages as notices
from tests.world import World

DEPUTY = "+37410000201"
LATER = DeliveryError("450 later")
NAME = "is not registered any more"


def one(database: Database, order: Order, way: Channel = Channel.EMAIL) -> Message:
    """The page to the SPOC by this way."""
    (found,) = [
        m
        for m in notices(database, order)
        if m.channel is way and m.letter == "order_issued" and m.address in (SPOC, SPOC_MAIL)
    ]
    return found


def becomes(world: World, **changes: Any) -> None:
    """The SPOC's entry, as what keeps the register leaves it."""
    spoc = contact(world)
    with world.database.transaction() as session:
        session.execute(update(Contact).where(Contact.id == spoc.id).values(**changes))


def waits(world: World, work: Work, sender: RecordingSender) -> Order:
    """An emergency whose first page waits for its next try."""
    order = world.issue()
    timers.fire_one(work)
    sender.fail(LATER)
    messages.send_some(work)
    assert one(world.database, order).state is MessageState.QUEUED
    world.clock.move(seconds=10)
    return order


def test_whoever_was_removed_while_the_ladder_was_paused_is_not_paged(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = world.issue()
    timers.fire_one(work)
    until = world.now + timedelta(minutes=10)
    with database.transaction() as session:
        officer = world.actor("officer")
        ladder_holds.pause(session, officer, order.name, until, "I speak with them.", world.now)
    run_once(work)
    world.clock.move(minutes=5)
    spoc = contact(world)
    with database.transaction() as session:
        contacts.put_in_use(session.get_one(Contact, spoc.id), {"removed": True}, world.now)
    world.clock.move(minutes=6)
    run_once(work)
    assert SPOC_MAIL not in sender.addresses
    page = one(database, order)
    assert (page.state, page.attempts) == (MessageState.FAILED, 0)
    assert NAME in str(page.last_error)
    assert page.lease_until is None
    assert DEPUTY in open_calls(database, order), "whoever comes next is called"
    (told,) = entries(database, order, "order.delivery_failed")
    assert told["error"] == page.last_error
    letters = [m for m in notices(database, order) if m.letter == "delivery_failed"]
    assert [(m.address, m.state) for m in letters] == [(DUTY, MessageState.SENT)]


def test_a_number_that_is_a_bakerys_gets_no_text(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    reach_by(world, Channel.TEXT)
    order = world.issue()
    gateway = RecordingSender()
    gateway.fail(DeliveryError("503 later"))
    both = replace(work, sender=Ways({Channel.EMAIL: sender, Channel.TEXT: gateway}))
    run_once(both)
    with database.transaction() as session:
        theirs = CallTask.order_id == order.id, CallTask.phone == SPOC
        call = session.scalars(select(CallTask).where(*theirs)).one()
        outcome = CallOutcome.WRONG_NUMBER
        calls.log(
            session, world.actor("officer"), order.name, call.id, outcome, "A bakery.", world.now
        )
    world.clock.move(seconds=30)
    run_once(both)
    assert SPOC not in gateway.addresses
    text = one(database, order, Channel.TEXT)
    assert (text.state, text.attempts) == (MessageState.FAILED, 1)
    assert "is wrong" in str(text.last_error)
    assert open_calls(database, order) == [DEPUTY], "called since the number was told to be wrong"


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "another address": ({"email": "new@meridian.example"}, "has another address now"),
    "not verified": ({"email_verified_at": None}, "is not verified"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_an_address_that_is_theirs_no_more_gets_no_letter(
    work: Work, world: World, database: Database, sender: RecordingSender, what: str
) -> None:
    order = waits(world, work, sender)
    values, said = CHANGES[what]
    becomes(world, **values)
    run_once(work)
    assert SPOC_MAIL not in sender.addresses
    page = one(database, order)
    assert (page.state, page.attempts) == (MessageState.FAILED, 1)
    assert said in str(page.last_error)
    with database.writing() as session, pytest.raises(AlreadyDone, match=said):
        undelivered.retry(session, world.actor("officer"), page.id, world.now)


def test_another_number_of_theirs_holds_up_no_letter(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = waits(world, work, sender)
    becomes(world, phone=NEW_NUMBER, phone_verified_at=None)
    run_once(work)
    assert one(database, order).state is MessageState.SENT


def test_one_that_is_wanted_no_more_is_taken_back_whoever_it_was_for(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = waits(world, work, sender)
    (claimed,) = [c for c in messages.claim(work) if c.address == SPOC_MAIL]
    becomes(world, removed_at=world.now)
    with database.transaction() as session:  # what no verb took back
        acknowledged = update(Order).where(Order.id == order.id)
        session.execute(acknowledged.values(state=OrderState.ACKNOWLEDGED))
    messages.send(work, claimed)
    assert one(database, order).state is MessageState.CANCELLED
    assert entries(database, order, "order.delivery_failed") == []


def test_whoever_was_overtaken_fails_nothing(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = waits(world, work, sender)
    (slow,) = [c for c in messages.claim(work) if c.address == SPOC_MAIL]
    world.clock.move(minutes=2)
    assert [c.id for c in messages.claim(work) if c.address == SPOC_MAIL] == [slow.id]
    becomes(world, removed_at=world.now)
    assert not messages.send(work, slow)
    assert one(database, order).state is MessageState.SENDING
    assert entries(database, order, "order.delivery_failed") == []


def test_an_address_that_is_verified_between_the_two_looks_is_written_to(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = waits(world, work, sender)
    spoc = contact(world)
    with database.transaction() as session:
        notice = outbox.Notice("order_withdrawn", Wanted.ALWAYS, "always", {})
        outbox.queue(session, session.get_one(Order, order.id), spoc, notice, world.now)
    claimed = [c for c in messages.claim(work) if c.address == SPOC_MAIL]
    becomes(world, email_verified_at=None)
    with database.reading() as session:
        assert not any(claims.still_wanted(session, c, world.now) for c in claimed)
    becomes(world, email_verified_at=world.now)
    with database.transaction() as session:
        assert all(claims.drop(session, c, world.now) for c in claimed)
    assert len(claimed) == 2
    states = {m.state for m in notices(database, order) if m.id in {c.id for c in claimed}}
    assert states == {MessageState.QUEUED}


def test_what_nobody_can_be_told_of_fails_all_the_same(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = waits(world, work, sender)
    becomes(world, removed_at=world.now)
    with mock.patch.object(undelivered, "tell", side_effect=ValueError):
        messages.send_some(work)
    assert one(database, order).state is MessageState.FAILED
    assert SPOC_MAIL not in sender.addresses


def test_a_colleague_of_ours_who_has_left_is_not_called_either(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    """What our duty officer was to learn, the supervisor is called about."""
    order = world.issue()
    officer = contact(world, Function.DUTY_OFFICER, "CP")
    with database.transaction() as session:
        notice = outbox.Notice("order_doubted", Wanted.ALWAYS, "doubt", {})
        outbox.queue(session, session.get_one(Order, order.id), officer, notice, world.now)
        session.execute(
            update(Contact).where(Contact.id == officer.id).values(removed_at=world.now)
        )
    run_once(work)
    assert officer.email not in sender.addresses
    with database.reading() as session:
        waiting = CallTask.order_id == order.id, CallTask.state == CallState.OPEN
        called = {t.contact.function for t in session.scalars(select(CallTask).where(*waiting))}
    assert Function.SUPERVISOR in called
    assert Function.DUTY_OFFICER not in called
    assert read(world, officer.id).removed_at is not None


def test_an_entry_whose_end_is_still_ahead_counts_until_then(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    order = waits(world, work, sender)
    becomes(world, removed_at=world.now + timedelta(seconds=1))
    run_once(work)
    assert one(database, order).state is MessageState.SENT
    world.clock.move(minutes=15)
    run_once(work)
    assert sender.addresses.count(SPOC_MAIL) == 1, "the next step finds it ended"
