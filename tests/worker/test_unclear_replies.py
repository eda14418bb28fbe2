"""A text reply that may mean two orders: our duty officer learns of it, whoever holds them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from liaison.domain.vocabulary import Channel
from liaison.models import Message, Order
from liaison.models.work import MessageState
from liaison.services import escalation, ladder_holds, replies
from liaison.services.replies import Came, Reply
from liaison.worker import Work, run_once
from tests.gateways import SPOC, reach_by
from tests.keeping import with_terms
from tests.threads import ask, routine
from tests.world import World


def paused(world: World, order: Order) -> None:
    """Somebody speaks with the provider, and pages wait meanwhile."""
    until = world.now + timedelta(minutes=30)
    with world.database.transaction() as session:
        officer = world.actor("officer")
        ladder_holds.pause(session, officer, order.name, until, "I speak with them.", world.now)


def closed(world: World, order: Order) -> None:
    """Somebody has taken over from the ladder."""
    with world.database.transaction() as session:
        supervisor = world.actor("supervisor")
        escalation.close(session, supervisor, order.name, "I drive there.", world.now)


def asked(world: World, order: Order) -> None:
    """A question stops the clock."""
    ask(world, order)
    with world.database.reading() as session:
        assert session.get_one(Order, order.id).clock_stopped_at is not None


@pytest.mark.parametrize("held", [paused, closed, asked])
def test_our_duty_officer_is_told_while_the_ladder_is_held(
    work: Work, world: World, held: Callable[[World, Order], None]
) -> None:
    reach_by(world, Channel.TEXT)
    with_terms(world, clock_stops=True)
    orders = [routine(world), routine(world)]
    world.clock.move(days=1)
    run_once(work)
    for order in orders:
        held(world, order)
    with world.database.transaction() as session:
        came = replies.take(session, Reply("1", "once", SPOC), world.now)
    assert came is Came.UNCLEAR
    run_once(work)
    with world.database.reading() as session:
        told = session.scalars(
            select(Message).where(
                Message.letter == "reply_unclear", Message.state == MessageState.SENT
            )
        ).all()
        assert {one.order_id for one in told} == {order.id for order in orders}
        assert {one.address for one in told} == {"duty@police.example"}
