"""One open call per contact, for as long as any of its reasons lasts."""

from __future__ import annotations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.delivery import DeliveryError, Outgoing, Receipt
from liaison.models import CallTask, Contact, Database, Order
from liaison.models.work import CallState, Wanted
from liaison.services import answers, call_tasks
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.world import World


def call_of(session: Session, order: Order, email: str = "spoc@meridian.example") -> CallTask:
    """The call of an order to a contact."""
    return session.scalars(
        select(CallTask)
        .join(Contact, Contact.id == CallTask.contact_id)
        .where(CallTask.order_id == order.id, Contact.email == email)
    ).one()


class NoSuchUser:
    """A mail server that knows nobody at the provider."""

    def send(self, outgoing: Outgoing) -> Receipt:
        if "meridian" in outgoing.address:
            raise DeliveryError("550 no such user", permanent=True)
        return Receipt("taken")


def test_a_call_that_is_wanted_for_longer_outlives_the_acknowledgement(
    world: World, database: Database, settings: Settings
) -> None:
    order = world.issue()
    work = Work(settings, database, world.clock, NoSuchUser())
    run_once(work)
    with database.transaction() as session:
        answers.answer(session, world.actor("officer"), order.name, "Read this.", world.now)
    run_once(work)  # the SPOC has an open call already; our message cannot reach them either
    world.acknowledge(order, by="program")
    with database.reading() as session:
        call = call_of(session, order)
    assert call.state is CallState.OPEN, "the message still waits to be read out"
    assert call.wanted is Wanted.ALWAYS
    assert "not acknowledged" in call.why or "was issued" in call.why
    assert call.why.endswith("The notice could not be delivered.")


@pytest.mark.parametrize("longer", [Wanted.UNTIL_PRESERVED, Wanted.ALWAYS])
def test_the_longer_reason_counts_and_the_shorter_changes_nothing(
    world: World, database: Database, longer: Wanted
) -> None:
    order = world.issue()
    with database.transaction() as session:
        call = call_of(session, order)
        first, contact, opened = call.why, call.contact, call.opened_at
        row = session.get_one(Order, order.id)

        def opens(why: str, wanted: Wanted) -> bool:
            return call_tasks.open_task(session, row, contact, why, why, wanted, world.now)

        assert not opens("As long.", Wanted.UNTIL_ACKNOWLEDGED)
        assert not opens("Longer.", longer)
        assert not opens("Shorter.", Wanted.UNTIL_ACKNOWLEDGED)
    with database.reading() as session:
        call = call_of(session, order)
    assert (call.why, call.wanted) == (f"{first} Longer.", longer)
    assert (call.state, call.opened_at) == (CallState.OPEN, opened)


def test_the_reasons_together_have_an_end_and_the_last_is_whole(
    world: World, database: Database
) -> None:
    order = world.issue()
    with database.transaction() as session:
        call = call_of(session, order)
        call.why = "x" * call_tasks.LONGEST_WHY
        session.flush()
        row = session.get_one(Order, order.id)
        call_tasks.open_task(
            session, row, call.contact, "Read it out.", "k", Wanted.ALWAYS, world.now
        )
    with database.reading() as session:
        why = call_of(session, order).why
    assert len(why) == call_tasks.LONGEST_WHY
    assert why.endswith("x Read it out.")
