"""Phone calls that were made: what they can bring, and from whom."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import CallOutcome
from liaison.errors import Invalid
from liaison.models import CallTask, Contact, Database, Order
from liaison.models.work import CallState, Wanted
from liaison.services import call_tasks, calls
from tests.world import World


def task_of(database: Database, order: Order) -> UUID:
    """The call that opens with an emergency: to the provider's SPOC."""
    with database.reading() as session:
        return session.scalars(select(CallTask.id).where(CallTask.order_id == order.id)).one()


def task_to_ours(world: World, order: Order) -> UUID:
    """A call to our own duty officer, as when the order is doubted."""
    with world.database.transaction() as session:
        ours = select(Contact).where(
            Contact.phone == "+37410000101", Contact.authority_id == order.authority_id
        )
        contact, until = session.scalars(ours).one(), Wanted.UNTIL_VOUCHED
        stored = session.get_one(Order, order.id)
        call_tasks.open_task(session, stored, contact, "Doubted.", "d", until, world.now)
        found = select(CallTask.id).where(CallTask.contact_id == contact.id)
        return session.scalars(found).one()


def log(world: World, order: Order, task: UUID, *, acknowledged: bool) -> None:
    with world.database.transaction() as session:
        actor, reached = world.actor("officer"), CallOutcome.REACHED
        calls.log(
            session, actor, order.name, task, reached, "", world.now, acknowledged=acknowledged
        )


def test_a_call_to_our_own_colleague_acknowledges_nothing(world: World, database: Database) -> None:
    order = world.issue()
    task = task_to_ours(world, order)
    with pytest.raises(Invalid) as refused:
        log(world, order, task, acknowledged=True)
    (fault,) = refused.value.errors
    assert fault.pointer == "/acknowledged"
    assert "only Meridian Telecom can" in fault.detail
    assert world.order(order.name).state is OrderState.ISSUED
    log(world, order, task, acknowledged=False)
    assert world.order(order.name).state is OrderState.ISSUED


def test_a_call_that_was_taken_back_with_its_reason_is_logged_and_acknowledges_nothing(
    world: World, database: Database
) -> None:
    order = world.issue()
    task = task_of(database, order)
    world.acknowledge(order)
    with database.transaction() as session:
        session.get_one(CallTask, task).state = CallState.CANCELLED
    with pytest.raises(Invalid):
        log(world, order, task, acknowledged=True)
    log(world, order, task, acknowledged=False)
    with database.reading() as session:
        logged = session.get_one(CallTask, task)
        assert (logged.state, logged.outcome) == (CallState.LOGGED, CallOutcome.REACHED)
    assert world.order(order.name).state is OrderState.ACKNOWLEDGED


def test_an_open_call_to_the_provider_acknowledges(world: World, database: Database) -> None:
    order = world.issue()
    log(world, order, task_of(database, order), acknowledged=True)
    assert world.order(order.name).state is OrderState.ACKNOWLEDGED
