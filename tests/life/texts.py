"""Answers by text in the lives of orders: which orders one may mean, and what must come of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Channel
from liaison.models import CallTask, Message, Order
from liaison.models.work import CallState, MessageState, Wanted
from liaison.services.replies import LOOKED_BACK, YES, Came, Reply

PAGES = (Wanted.UNTIL_ACKNOWLEDGED, Wanted.UNTIL_PRESERVED)
TEXTS = (YES, YES, f" {YES}\n", "11", "Who is this?")
UNSENT = (MessageState.QUEUED, MessageState.SENDING)


def newest(session: Session, number: int) -> Message | None:
    """One of the last texts that have left, the orders that wait for their receipt first."""
    query = (
        select(Message)
        .join(Order, Order.id == Message.order_id)
        .where(Message.channel == Channel.TEXT, Message.state == MessageState.SENT)
        .order_by(Order.state != OrderState.ISSUED, Message.id.desc())
    )
    found = list(session.scalars(query.limit(8)))
    return found[number % len(found)] if found else None


def may_mean(session: Session, reply: Reply, now: datetime) -> set[UUID]:
    """The orders that wait for a receipt and asked this number for it."""
    query = (
        select(Message, Order)
        .join(Order, Order.id == Message.order_id)
        .where(
            Message.channel == Channel.TEXT,
            Message.address == reply.number,
            Message.attempts > 0,
            Order.state == OrderState.ISSUED,
        )
    )
    return {
        order.id
        for message, order in session.execute(query)
        if message.params.get("reply")
        and (
            message.created_at > now - LOOKED_BACK
            if reply.message_id is None
            else message.id == reply.message_id
        )
    }


def is_doubtful(session: Session, reply: Reply, meant: Collection[UUID], now: datetime) -> bool:
    """Whether a "1" may have been written about another order than the one that waits.

    Nobody can have read a text that did not leave; and for an hour a number may mean what it was
    texted, or answered, before.
    """
    if reply.message_id is not None:
        return False
    query = select(Message).where(
        Message.channel == Channel.TEXT,
        Message.address == reply.number,
        Message.attempts > 0,
        Message.created_at > now - LOOKED_BACK,
    )
    asked = [message for message in session.scalars(query) if message.params.get("reply")]
    left = any(m.order_id in meant and m.state is MessageState.SENT for m in asked)
    others = [m for m in asked if m.order_id not in meant]
    moments = [at for m in others for at in (m.created_at, m.sent_at, m.answered_at)]
    return not left or any(at is not None and at > now - timedelta(hours=1) for at in moments)


def allowed_outcomes(
    reply: Reply, meant: Collection[UUID], *, again: bool, doubtful: bool
) -> set[Came]:
    """What may come of it. Somebody whose number was found wrong confirms nothing."""
    if again:
        return {Came.DROPPED}
    if reply.text.strip() != YES:
        return {Came.NOTED}
    if len(meant) > 1 or (meant and doubtful):
        return {Came.UNCLEAR}
    if meant:
        return {Came.ACKNOWLEDGED, Came.NOT_ALLOWED}
    return {Came.NOT_OPEN, Came.NOT_ALLOWED}


def gone(order: Order) -> tuple[Wanted, ...]:
    """The pages for which there is no reason any more: it is answered."""
    known = {OrderState.ISSUED: (), OrderState.ACKNOWLEDGED: PAGES[:1]}
    return known.get(order.state, PAGES)


def no_page_without_reason(session: Session, order: Order) -> None:
    """None waits to be sent once the order is answered or its ladder closed, nor to be called."""
    unsent = select(Message.letter).where(
        Message.order_id == order.id,
        Message.state.in_(UNSENT),
        Message.wanted.in_(gone(order) if order.ladder_closed_at is None else PAGES),
    )
    assert not list(session.scalars(unsent)), (order.state, order.ladder_closed_at)
    calls = select(CallTask.why).where(
        CallTask.order_id == order.id,
        CallTask.state == CallState.OPEN,
        CallTask.wanted.in_(gone(order)),
    )
    assert not list(session.scalars(calls)), order.state


def rightly_sent(session: Session, idems: Iterable[str], now: datetime) -> None:
    """No page left about an order that was answered, closed, paused, or whose clock stood."""
    for idem in idems:
        message = session.scalars(select(Message).where(Message.idem == idem)).one()
        if message.wanted not in PAGES:
            continue
        order = session.get_one(Order, message.order_id)
        until = order.ladder_paused_until
        assert message.wanted not in gone(order), (message.letter, order.state)
        assert order.ladder_closed_at is None, message.letter
        assert until is None or until <= now, message.letter
        assert order.clock_stopped_at is None, message.letter
