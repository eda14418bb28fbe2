"""Which messages are to be sent now, found without reading those that wait.

A look costs the same however many messages wait for their next try: each of its arms is one
stretch of an index (``ix_message_lane``, ``ix_message_first``, ``ix_message_under_way``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    TextClause,
    bindparam,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import Channel
from liaison.models import Message, Order, WebhookEndpoint
from liaison.models.webhooks import EndpointState
from liaison.services.outbox import SENT_BY, UNSENT
from liaison.services.reasons import HELD_BY_A_PAUSE

LEASE = timedelta(seconds=45)
"""Longer than one batch can take: a message takes at most 20 s."""

STRAY_LEASE = 2 * LEASE
"""A lease that ends later than this was given by a clock that was wrong, and holds nothing.

Not a single lease: two workers ask for the time one after the other, and whoever asked first may
look at what the second has just claimed.
"""

URGENT_LONGEST, LONGEST = timedelta(minutes=5), timedelta(hours=12)
"""No notice waits longer for its next try, whatever the other side asks for."""

MOST_A_PROVIDER = 2
"""Webhooks of one provider that are under way at once: its endpoints alone take no whole lane."""

MOST_FAILING = 2
"""Webhooks under way at once to endpoints that have failed for a while, one a provider.

Two providers whose programs hang would have all four threads of a worker otherwise, each event of
their backlog for 20 s, and everybody else's emergency would wait. One a provider, so that no
single one takes the turns of whoever is back again.
"""
FAILS_FOR = timedelta(seconds=15)
"""A single failure costs nobody a turn."""

# As text, word for word as the indexes have them.
_FIRST_TRY = text("message.attempts = 0")
_UNDER_WAY = text("message.state = 'sending' AND message.endpoint_id IS NOT NULL")

_NEVER_HELD = text(f"message.wanted NOT IN {tuple(w.value for w in HELD_BY_A_PAUSE)}")
"""As text too: a list of values is written into the statement anew each time it is run."""

_NOW: BindParameter[datetime] = bindparam("now")


def is_due(session: Session, now: datetime, channel: Channel | None = None) -> bool:
    """Whether any message is due: asked before a writing transaction is begun for it."""
    return any(look(session, now, one, 1) for one in ((channel,) if channel else SENT_BY))


def look(
    session: Session, now: datetime, channel: Channel, limit: int, *, lock: bool = False
) -> Sequence[Row[Any]]:
    """What is to be sent now: its time has come, or its time is one that cannot be.

    ``id``, ``urgent``, ``next_at`` and ``endpoint_id`` of so many at most, the urgent before the
    others, each by its time. ``lock``: they are the caller's, who gets none that another holds.
    """
    away = taken(session, now) if channel is Channel.WEBHOOK else set()
    asked = {**_moments(now, channel), "channel": channel, "limit": limit}
    if away:
        asked["taken"] = list(away)
    return session.execute(_look(bool(away), lock), asked).all()


def taken(session: Session, now: datetime) -> set[UUID]:
    """Endpoints to which nothing more is sent for the moment.

    Those to which a message is under way: a slow one must not keep every thread busy. And those
    of providers that have as many under way as they may, to whichever of theirs. And those that
    have failed for a while: of a provider while one of them is under way, of all while as many are
    as may be. The rest is left to the sound ones.
    """
    asked = {"now": now, "stray_lease": now + STRAY_LEASE}
    under_way = session.execute(_HELD, asked).all()
    count = Counter(row.provider_id for row in under_way)
    crowded = [provider for provider, many in count.items() if many >= MOST_A_PROVIDER]
    busy = {row.endpoint_id for row in under_way} | _of(session, crowded)
    since = now - FAILS_FOR
    theirs = [r.provider_id for r in under_way if r.failing_since and r.failing_since <= since]
    return busy | _failing(session, theirs, since)


def _failing(session: Session, providers: Sequence[UUID], since: datetime) -> set[UUID]:
    """Of those providers, or of all where as many are tried as may be."""
    if not providers:
        return set()
    found = select(WebhookEndpoint.id).where(
        WebhookEndpoint.failing_since <= since, WebhookEndpoint.state == EndpointState.ACTIVE
    )
    if len(providers) < MOST_FAILING:
        found = found.where(WebhookEndpoint.provider_id.in_(providers))
    return set(session.scalars(found))


def _of(session: Session, providers: Iterable[UUID]) -> set[UUID]:
    theirs = select(WebhookEndpoint.id).where(WebhookEndpoint.provider_id.in_(providers))
    return set(session.scalars(theirs)) if providers else set()


_HELD = (
    select(Message.endpoint_id, WebhookEndpoint.provider_id, WebhookEndpoint.failing_since)
    .join(WebhookEndpoint, WebhookEndpoint.id == Message.endpoint_id)
    .where(_UNDER_WAY, Message.lease_until > _NOW, Message.lease_until <= bindparam("stray_lease"))
)
"""Webhooks in a worker's hands at this moment: where they go, and whose that is."""


def _moments(now: datetime, channel: Channel) -> dict[str, Any]:
    """What a look compares with. A webhook that is urgent may wait as long as any other."""
    return {
        "now": now,
        "urgent_stray": now + _apart(LONGEST if channel is Channel.WEBHOOK else URGENT_LONGEST),
        "stray": now + _apart(LONGEST),
        "stray_lease": now + STRAY_LEASE,
    }


def _apart(longest: timedelta) -> timedelta:
    """A lease more: whoever puts off by the longest may have asked a quicker clock for the time."""
    return longest + LEASE


@cache
def _look(some_taken: bool, lock: bool) -> CompoundSelect[Any]:
    """Made once: making it takes longer than running it.

    Both databases go through the arms in this order, and stop where the limit is reached.
    """
    limit: ColumnElement[int] = bindparam("limit")
    arms = []
    for urgent in (True, False):
        for stretch in _stretches(urgent):
            arm = (
                select(Message.id, Message.urgent, Message.next_at, Message.endpoint_id)
                .where(
                    UNSENT, Message.channel == bindparam("channel"), *stretch, *_free(some_taken)
                )
                .order_by(Message.next_at, Message.id)
                .limit(limit)
            )
            if lock:
                arm = arm.with_for_update(skip_locked=True, of=Message)
            arms.append(select(arm.subquery()))
    return union_all(*arms).limit(limit)


def _stretches(urgent: bool) -> tuple[tuple[ColumnElement[bool] | TextClause, ...], ...]:
    """What is due, in the order of its time: no two of them share a message.

    A first try is due at once, whatever the clock of whoever queued it said. A time further
    ahead than any that is ever given comes from a clock that was set back since.
    """
    way = Message.urgent == (true() if urgent else ~true())
    stray: ColumnElement[datetime] = bindparam("urgent_stray" if urgent else "stray")
    return (
        (way, Message.next_at <= _NOW),
        (way, _FIRST_TRY, Message.next_at > _NOW, Message.next_at <= stray),
        (way, Message.next_at > stray),
    )


def _free(some_taken: bool) -> tuple[ColumnElement[bool], ...]:
    """Nobody has it in hand, nothing holds it, and the endpoint that it goes to is not taken."""
    others = Message.endpoint_id.not_in(bindparam("taken", expanding=True))
    return (
        or_(
            Message.lease_until.is_(None),
            Message.lease_until <= _NOW,
            Message.lease_until > bindparam("stray_lease"),
        ),
        or_(_NEVER_HELD, _nothing_holds()),
        *((or_(Message.endpoint_id.is_(None), others),) if some_taken else ()),
    )


def _nothing_holds() -> ColumnElement[bool]:
    """No question stops the order's clock, nobody holds its ladder or has closed it.

    A pause counts until its end, whether its timer has fired or not: if that one fails, our own
    people must still be told. One value and not EXISTS: PostgreSQL might answer that one by
    reading every order.
    """
    holding: Select[Any] = select(Order.id).where(
        Order.id == Message.order_id,
        or_(
            Order.clock_stopped_at.is_not(None),
            Order.ladder_closed_at.is_not(None),
            Order.ladder_paused_until > _NOW,
        ),
    )
    return holding.correlate(Message).scalar_subquery().is_(None)
