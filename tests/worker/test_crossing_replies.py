"""A “1” that may have been meant for the order before acknowledges nothing.

Nobody answers a reply, so people send it again; and a text that never left was read by nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from liaison.delivery import DeliveryError, Ways
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Channel
from liaison.models import Database, Message, Order
from liaison.models.work import MessageState
from liaison.services import orders, replies
from liaison.services.replies import Came, Reply
from liaison.worker import Work, run_once
from tests.gateways import SPOC, reach_by
from tests.mail import RecordingSender
from tests.worker.looking import entries, messages
from tests.world import World

GONE = DeliveryError("400 unreachable", permanent=True)
LATER = DeliveryError("503 later")


@pytest.fixture(autouse=True)
def _by_text(world: World) -> None:
    reach_by(world, Channel.TEXT)


def texts_fail(work: Work, *errors: DeliveryError) -> None:
    """Letters leave; the gateway answers so, one text each."""
    gateway = RecordingSender()
    gateway.fail(*errors)
    run_once(replace(work, sender=Ways({Channel.EMAIL: work.sender, Channel.TEXT: gateway})))


def send(work: Work) -> None:
    """Everything that is due."""
    while run_once(work).sent:
        pass


def texts(database: Database, order: Order) -> list[Message]:
    """The texts to the SPOC, the oldest first."""
    return [m for m in messages(database, order) if (m.channel, m.address) == (Channel.TEXT, SPOC)]


def say(world: World, about: UUID | None = None) -> Came:
    """The SPOC sends “1”; ``about``: in the thread of this message."""
    reply = Reply("1", once=str(uuid4()), number=SPOC, message_id=about)
    with world.database.transaction() as session:
        return replies.take(session, reply, world.now)


def unclear_to(database: Database, order: Order) -> list[str]:
    """Who was told that nobody knows what a reply meant."""
    return [m.address for m in messages(database, order) if m.letter == "reply_unclear"]


def test_a_reply_that_is_sent_again_acknowledges_no_order_whose_text_never_arrived(
    work: Work, world: World, database: Database
) -> None:
    first = world.issue()
    send(work)
    assert say(world) is Came.ACKNOWLEDGED
    world.clock.move(seconds=20)
    second = world.issue()
    texts_fail(work, GONE)
    (text,) = texts(database, second)
    assert (text.state, text.sent_at) == (MessageState.FAILED, None)
    world.clock.move(seconds=10)
    assert say(world) is Came.UNCLEAR
    assert world.order(second.name).state is OrderState.ISSUED
    (told,) = entries(database, second, "order.reply_received")
    assert told["came"] == "unclear"
    assert entries(database, first, "order.reply_received") == []
    assert unclear_to(database, second) == ["duty@police.example"]


def by_reply(world: World, _order: Order) -> None:
    assert say(world) is Came.ACKNOWLEDGED


def in_the_portal(world: World, order: Order) -> None:
    world.acknowledge(order)


def by_us(world: World, order: Order) -> None:
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), order.name, "Found.", world.now)


@pytest.mark.parametrize("ended", [by_reply, in_the_portal, by_us])
def test_within_an_hour_the_second_order_needs_more_than_a_text(
    work: Work,
    world: World,
    database: Database,
    ended: Callable[[World, Order], None],
) -> None:
    first = world.issue()
    send(work)
    ended(world, first)
    world.clock.move(minutes=20)
    second = world.issue()
    send(work)
    (text,) = texts(database, second)
    assert text.sent_at is not None
    world.clock.move(minutes=2)
    assert say(world) is Came.UNCLEAR
    assert world.order(second.name).state is OrderState.ISSUED
    assert unclear_to(database, second) == ["duty@police.example"]
    world.clock.move(minutes=38, seconds=1)
    assert say(world) is Came.ACKNOWLEDGED
    assert world.order(second.name).state is OrderState.ACKNOWLEDGED


def test_the_hour_runs_from_the_answer(work: Work, world: World) -> None:
    world.issue()
    send(work)
    world.clock.move(minutes=50)
    assert say(world) is Came.ACKNOWLEDGED
    second = world.issue()
    send(work)
    world.clock.move(minutes=59)
    assert say(world) is Came.UNCLEAR
    world.clock.move(minutes=2)
    assert say(world) is Came.ACKNOWLEDGED
    assert world.order(second.name).state is OrderState.ACKNOWLEDGED


def test_whoever_names_the_message_is_understood(
    work: Work, world: World, database: Database
) -> None:
    world.issue()
    send(work)
    assert say(world) is Came.ACKNOWLEDGED
    second = world.issue()
    send(work)
    (text,) = texts(database, second)
    assert say(world, about=text.id) is Came.ACKNOWLEDGED
    assert world.order(second.name).state is OrderState.ACKNOWLEDGED


def test_a_text_that_waits_for_its_next_try_is_acknowledged_once_it_has_left(
    work: Work, world: World, database: Database
) -> None:
    order = world.issue()
    texts_fail(work, LATER)
    assert [m.state for m in texts(database, order)] == [MessageState.QUEUED]
    assert say(world) is Came.UNCLEAR, "it may have arrived without an answer: nobody knows"
    assert world.order(order.name).state is OrderState.ISSUED
    world.clock.move(seconds=10)
    send(work)
    assert say(world) is Came.ACKNOWLEDGED


def test_of_two_texts_about_one_order_the_one_that_left_is_answered(
    work: Work, world: World, database: Database
) -> None:
    order = world.issue()
    send(work)
    (first,) = texts(database, order)
    with database.transaction() as session:
        kept = session.get_one(Message, first.id)
        session.add(
            Message(
                idem=f"{kept.idem}:later",
                order_id=kept.order_id,
                contact_id=kept.contact_id,
                channel=kept.channel,
                address=kept.address,
                letter=kept.letter,
                params=kept.params,
                wanted=kept.wanted,
                urgent=True,
                state=MessageState.FAILED,
                attempts=1,
                created_at=world.now,
                next_at=world.now,
            )
        )
    world.clock.move(seconds=30)
    assert say(world) is Came.ACKNOWLEDGED
    answered = {m.id: m.answered_at for m in texts(database, order)}
    assert answered[first.id] == world.now
