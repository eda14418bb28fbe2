"""Calls go to numbers that are registered and verified, and follow the register while they wait."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from flask import Flask
from sqlalchemy import select, update

from liaison.delivery import DeliveryError
from liaison.domain.vocabulary import CallOutcome, Function
from liaison.models import CallTask, Contact, Database, Order
from liaison.models.work import CallState, Wanted
from liaison.services import call_tasks, calls, calls_moved, contacts, ladder_holds
from liaison.worker import Work, run_once, timers
from tests.contact_steps import NEW_NUMBER, change, contact, verify
from tests.gateways import SPOC
from tests.mail import RecordingSender
from tests.worker.looking import entries, open_calls
from tests.world import World

DEPUTY = "+37410000201"
GONE = DeliveryError("550 no such user", permanent=True)


def becomes(world: World, of: Contact | None = None, **changes: Any) -> None:
    """A contact's entry, the SPOC's where none is named, as what keeps the register leaves it."""
    whose = Contact.id == (of or contact(world)).id
    with world.database.transaction() as session:
        session.execute(update(Contact).where(whose).values(**changes))


def alone(world: World) -> None:
    """Nobody else has a verified number."""
    with world.database.transaction() as session:
        others = update(Contact).where(Contact.phone != SPOC)
        session.execute(others.values(phone_verified_at=None))


def opens(
    world: World, order: Order, of: Contact, why: str = "Call.", wanted: Wanted = Wanted.ALWAYS
) -> None:
    """A call to a contact is asked for."""
    with world.database.transaction() as session:
        kept, whom = session.get_one(Order, order.id), session.get_one(Contact, of.id)
        call_tasks.open_task(session, kept, whom, why, why, wanted, world.now)


def the_call(world: World, order: Order) -> CallTask:
    """The only open call of an order."""
    with world.database.reading() as session:
        waiting = CallTask.order_id == order.id, CallTask.state == CallState.OPEN
        return session.scalars(select(CallTask).where(*waiting)).one()


# A number that nobody has verified


def test_an_undelivered_letter_opens_no_call_to_a_number_that_nobody_verified(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    becomes(world, phone="+37499666666", phone_verified_at=None)
    order = world.issue()
    sender.fail(GONE)
    run_once(work)
    assert len(entries(database, order, "order.delivery_failed")) == 1
    assert open_calls(database, order) == [DEPUTY]


def test_who_is_called_instead_reads_why(world: World) -> None:
    order = world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    becomes(world, phone_verified_at=None)
    opens(world, order, contact(world))
    call = the_call(world, order)
    assert call.phone == DEPUTY
    assert call.why == f"Call. The number of {contact(world).name} is not verified."


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"phone_verified_at": None}, "Nobody has ever verified this number"),
        ({"phone_verified_at": None, "wrong_number_at": True}, "This number was told to be wrong"),
    ],
)
def test_where_nobody_else_has_a_number_the_doubtful_line_stays_and_says_so(
    world: World, app: Flask, values: dict[str, Any], said: str
) -> None:
    order = world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    alone(world)
    becomes(world, contact(world), **{k: v and world.now for k, v in values.items()})
    opens(world, order, contact(world))
    call = the_call(world, order)
    assert (call.phone, call.why) == (SPOC, "Call.")
    client = app.test_client()
    world.sign_in(client, "officer")
    for page in ("/calls", f"/orders/{order.name}/calls/{call.id}"):
        text = client.get(page).text
        assert said in text
        assert "the registered number. Call no other" not in text


def test_a_doubtful_line_that_nobody_answered_comes_back(world: World, work: Work) -> None:
    order = world.issue()
    alone(world)
    becomes(world, phone_verified_at=None)
    call = the_call(world, order)
    with world.database.transaction() as session:
        officer, outcome = world.actor("officer"), CallOutcome.NO_ANSWER
        calls.log(session, officer, order.name, call.id, outcome, "", world.now)
    world.clock.move(minutes=5)
    while timers.fire_one(work):
        pass
    assert the_call(world, order).follows_id == call.id


def test_a_colleague_without_a_verified_number_is_not_called_where_another_has_one(
    world: World,
) -> None:
    order = world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    officer = contact(world, Function.DUTY_OFFICER, "CP")
    becomes(world, officer, phone_verified_at=None)
    opens(world, order, officer)
    assert the_call(world, order).phone == contact(world, Function.SUPERVISOR, "CP").phone


# The register changes while a call waits


def test_an_open_call_follows_a_number_to_the_minute_it_counts(
    world: World, work: Work, database: Database
) -> None:
    order = world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    opens(world, order, contact(world), "Read it out.")
    before = the_call(world, order)
    waits = change(world, contact(world), phone=NEW_NUMBER)
    assert waits is not None
    assert verify(world, contact(world).id, "phone") is None
    world.clock.set(waits.due_at - timedelta(minutes=1))
    run_once(work)
    assert before.id == the_call_to(world, order, SPOC).id, "the old one counts until then"
    world.clock.move(minutes=1)
    run_once(work)
    assert SPOC not in open_calls(database, order)
    after = the_call_to(world, order, NEW_NUMBER)
    assert (after.contact_id, after.wanted) == (before.contact_id, Wanted.ALWAYS)
    assert after.why.startswith("Read it out.")
    with database.reading() as session:
        assert session.get_one(CallTask, before.id).state is CallState.CANCELLED
    (told,) = [e for e in entries(database, order, "order.call_reopened") if "before" in e]
    assert (told["before"], told["contact"]) == (contact(world).name, contact(world).name)
    assert told["after"] == calls_moved.CHANGED


def the_call_to(world: World, order: Order, number: str) -> CallTask:
    """The open call to a number."""
    with world.database.reading() as session:
        open_ = CallTask.order_id == order.id, CallTask.state == CallState.OPEN
        return session.scalars(select(CallTask).where(*open_, CallTask.phone == number)).one()


def test_whoever_is_removed_is_called_no_more_and_the_next_one_is(
    world: World, work: Work, database: Database, app: Flask
) -> None:
    order = world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    opens(world, order, contact(world))
    spoc = contact(world)
    with database.transaction() as session:
        contacts.put_in_use(session.get_one(Contact, spoc.id), {"removed": True}, world.now)
    client = app.test_client()
    world.sign_in(client, "officer")
    page = client.get("/calls").text
    assert "is not registered any more" in page
    assert f'href="tel:{SPOC}"' not in page
    run_once(work)
    call = the_call_to(world, order, DEPUTY)
    assert f"{spoc.name} is not registered any more." in call.why
    assert SPOC not in open_calls(database, order)
    assert (
        f"{spoc.name} is not registered any more; to be called:"
        in client.get(f"/orders/{order.name}").text
    )


def test_nobody_is_left_without_a_line_where_the_only_number_was_of_who_is_removed(
    world: World, work: Work, database: Database
) -> None:
    order = world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    opens(world, order, contact(world))
    alone(world)
    becomes(world, removed_at=world.now)
    assert calls_moved_once(world) == 1
    assert the_call(world, order).phone == DEPUTY, "a doubtful line before none"
    assert calls_moved_once(world) == 0


def calls_moved_once(world: World) -> int:
    """One portion of the worker's job."""
    with world.database.transaction() as session:
        return calls_moved.run(session, world.now, "")


def test_a_line_that_a_person_holds_is_moved_and_none_is_added(
    world: World, database: Database
) -> None:
    order = world.issue()
    with database.transaction() as session:
        until = world.now + timedelta(minutes=20)
        officer = world.actor("officer")
        ladder_holds.pause(session, officer, order.name, until, "I drive there.", world.now)
    becomes(world, phone=NEW_NUMBER)
    assert calls_moved_once(world) == 1
    assert open_calls(database, order) == [NEW_NUMBER]


def test_a_number_that_is_changed_at_once_and_not_verified_is_not_called(
    world: World, database: Database
) -> None:
    order = world.issue()
    becomes(world, phone=NEW_NUMBER, phone_verified_at=None)
    assert calls_moved_once(world) == 1
    assert open_calls(database, order) == [DEPUTY]


def test_a_drills_call_still_says_once_that_it_is_one(world: World, database: Database) -> None:
    order = world.issue()
    with database.transaction() as session:
        session.execute(update(Order).where(Order.id == order.id).values(test=True))
        session.execute(update(CallTask).values(why=call_tasks.DRILL + CallTask.why))
    becomes(world, phone=NEW_NUMBER)
    calls_moved_once(world)
    assert the_call(world, order).why.count(call_tasks.DRILL) == 1


def test_an_order_that_fails_stops_no_other(world: World, database: Database) -> None:
    first, second = world.issue(), world.issue()
    becomes(world, phone=NEW_NUMBER)
    real = call_tasks.open_task

    def failing(session: Any, order: Order, *given: Any) -> bool:
        if order.id == min(first.id, second.id):
            raise ValueError
        return real(session, order, *given)

    with mock.patch.object(call_tasks, "open_task", failing):
        assert calls_moved_once(world) == 1
        assert calls_moved_once(world) == 0
    stays, moved = sorted((first, second), key=lambda order: order.id)
    assert open_calls(database, moved) == [NEW_NUMBER]
    assert open_calls(database, stays) == [SPOC]
    assert calls_moved_once(world) == 1


def test_an_order_in_other_hands_is_not_waited_for(world: World, database: Database) -> None:
    if database.is_sqlite:
        return  # one writer at a time
    order = world.issue()
    becomes(world, phone=NEW_NUMBER)
    with database.transaction() as session:
        session.execute(select(Order.id).where(Order.id == order.id).with_for_update())
        assert calls_moved_once(world) == 0
    assert open_calls(database, order) == [SPOC]
    assert calls_moved_once(world) == 1


@pytest.mark.one_database
def test_where_nothing_is_to_be_moved_nothing_is_written(world: World, work: Work) -> None:
    world.issue()
    run_once(work)
    with world.database.reading() as session:
        assert not calls_moved.is_due(session, world.now)
    becomes(world, phone=NEW_NUMBER)
    with world.database.reading() as session:
        assert calls_moved.is_due(session, world.now)


def test_a_call_stays_until_the_entry_ends_and_moves_then(
    work: Work, world: World, database: Database
) -> None:
    order = world.issue()
    run_once(work)
    becomes(world, removed_at=world.now + timedelta(minutes=1))
    run_once(work)
    assert open_calls(database, order) == [SPOC]
    world.clock.move(minutes=1)
    run_once(work)
    assert open_calls(database, order) == [DEPUTY]


def test_where_no_number_of_the_provider_is_verified_its_doubtful_line_stands_beside_ours(
    work: Work, world: World, database: Database, sender: RecordingSender
) -> None:
    provider = world.register.providers["Meridian Telecom"]
    with database.transaction() as session:
        theirs = update(Contact).where(Contact.provider_id == provider)
        session.execute(theirs.values(phone_verified_at=None))
    order = world.issue()
    sender.fail(GONE)
    run_once(work)
    assert set(open_calls(database, order)) == {SPOC, "+37410000101"}, (
        "only they know what became of it"
    )
