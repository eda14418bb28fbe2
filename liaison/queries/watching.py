"""How the portal itself is: for the bar above the pages, for ``/metrics``, for ``liaison check``.

Every number is of the whole installation and names no order. Each is read from an index and
counted no further than ``MOST``: what watches must not become the load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Select, TextClause, func, select
from sqlalchemy.orm import Session

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Channel
from liaison.models import ApiKey, Authority, CallTask, Message, Order, Provider, Timer
from liaison.models.work import CallState, MessageState, Wanted
from liaison.queries import lag, unplanned
from liaison.services import canaries, mailbox_watch, outbox, timers
from liaison.settings import Settings

MOST = 10_000
"""Rows counted at most; a number as large means “or more”."""
HOUR = timedelta(hours=1)
SKEW = timedelta(minutes=10)
"""By how much the clock that made an id may differ from the one that wrote the row."""
_CLIMBS = {
    Wanted.UNTIL_ACKNOWLEDGED: OrderState.ISSUED,
    Wanted.UNTIL_PRESERVED: OrderState.ACKNOWLEDGED,
}
"""A page of the first climb says nothing of an order that is in its second."""
LISTED = 5
"""Silent programs named in the bar."""


@dataclass(frozen=True)
class Way:
    """How canaries fare on one way. ``age``: since the newest that came back was sent."""

    channel: Channel
    age: timedelta | None
    lost: bool


@dataclass(frozen=True)
class Numbers:
    """What ``/metrics`` tells."""

    heartbeat_age: timedelta | None
    workers: int
    lag: lag.Lag
    due_timers: int
    due_messages: int
    stuck_timers: int
    messages: Mapping[tuple[Channel, MessageState], int]
    """Queued within the last hour, by where they stand now."""
    undelivered: int
    open_calls: int
    at_the_top: int
    """Open orders whose supervisor has been paged."""
    ways: tuple[Way, ...]
    silent_programs: int
    mailbox_failing: timedelta | None
    """For how long the mailbox of bounces could not be read; None while it can."""


def numbers(session: Session, settings: Settings, now: datetime) -> Numbers:
    """All of it, in a fixed number of short queries (and one for each authority)."""
    beat = lag.heartbeat(session, now)
    failing = mailbox_watch.failing_since(session, settings)
    return Numbers(
        heartbeat_age=max(now - beat, timedelta(0)) if beat else None,
        workers=lag.workers(session, now),
        lag=lag.lag(session, now),
        due_timers=_count(session, _timers(timers.WAITING, Timer.due_at <= now)),
        due_messages=_count(session, _messages(outbox.UNSENT, Message.next_at <= now)),
        stuck_timers=_count(session, _timers(*lag.is_stuck(now))),
        messages=_of_the_hour(session, now),
        undelivered=_count(session, _messages(UNSETTLED)),
        open_calls=_count(session, select(CallTask.id).where(CallTask.state == CallState.OPEN)),
        at_the_top=sum(_at_the_top(session)),
        ways=ways(session, settings, now),
        silent_programs=_count(session, _silent(now).with_only_columns(ApiKey.id)),
        mailbox_failing=max(now - failing, timedelta(0)) if failing else None,
    )


UNSETTLED = sa.text("message.state = 'failed' AND message.settled_at IS NULL")
"""As text: only so may SQLite use the index of what failed and nobody has dealt with."""


def ways(session: Session, settings: Settings, now: datetime) -> tuple[Way, ...]:
    """Every way that comes back, and how it fares."""
    found = []
    for channel in canaries.ways(settings):
        back = canaries.last_arrived(session, channel)
        age = now - back.sent_at if back else None
        found.append(Way(channel, age, canaries.is_lost(session, channel, now)))
    return tuple(found)


def faults(session: Session, settings: Settings, now: datetime) -> list[str]:
    """What contact-point staff must know of the portal itself, in words; empty while it is well."""
    told = []
    late = lag.lag(session, now).fault
    if lag.heartbeat(session, now) is None:
        told.append("No worker is at work: nobody is called, nothing is sent. Call by telephone.")
    if late:
        told.append(f"The worker is behind: {late}. Call by telephone what cannot wait.")
    for way in ways(session, settings, now):
        if way.lost:
            by = "e-mail" if way.channel is Channel.EMAIL else "webhook"
            told.append(f"A canary by {by} did not come back: notices may not arrive.")
    if since := mailbox_watch.blind_since(session, settings, now):
        at = since.strftime("%d %b %Y, %H:%M UTC")
        told.append(
            f"The mailbox that letters come back to has not been read since {at}: "
            "a notice may stand as sent although nobody got it."
        )
    if silent := silent_programs(session, now):
        told.append(f"Programs that have fallen silent: {', '.join(silent)}.")
    return told


def silent_programs(session: Session, now: datetime) -> list[str]:
    """The providers of which a program fell silent, and “and more” where they are many."""
    names = session.scalars(
        _silent(now)
        .join(Provider, Provider.id == ApiKey.provider_id)
        .with_only_columns(Provider.name)
        .distinct()
        .order_by(Provider.name)
        .limit(LISTED + 1)
    ).all()
    return [*names[:LISTED], *(["and more"] if len(names) > LISTED else [])]


def silent_of(session: Session, provider_id: UUID, now: datetime) -> list[ApiKey]:
    """The keys of one provider whose programs fell silent."""
    found = select(ApiKey).where(*_is_silent(now), ApiKey.provider_id == provider_id)
    return list(session.scalars(found.order_by(ApiKey.silent_since, ApiKey.id)))


def _silent(now: datetime) -> Select[Any]:
    return select(ApiKey.id).where(*_is_silent(now))


def _is_silent(now: datetime) -> tuple[ColumnElement[bool], ...]:
    counts = sa.or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
    return (ApiKey.silent_since.is_not(None), ApiKey.revoked_at.is_(None), counts)


def _timers(*conditions: ColumnElement[bool] | TextClause) -> Select[Any]:
    return select(Timer.id).where(*conditions)


def _messages(*conditions: ColumnElement[bool] | TextClause) -> Select[Any]:
    return select(Message.id).where(*conditions, Message.letter != canaries.LETTER)


def _count(session: Session, found: Select[Any]) -> int:
    """How many rows, counted no further than ``MOST``."""
    return session.scalar(select(func.count()).select_from(found.limit(MOST).subquery())) or 0


def _of_the_hour(session: Session, now: datetime) -> dict[tuple[Channel, MessageState], int]:
    """By the primary key: ids are made in order of time, so the newest stand together."""
    newest = (
        select(Message.channel, Message.state)
        .where(
            Message.id >= _first_id(now - HOUR - SKEW),
            Message.created_at > now - HOUR,
            Message.letter != canaries.LETTER,
        )
        .order_by(Message.id.desc())
        .limit(MOST)
        .subquery()
    )
    rows = session.execute(
        select(newest.c.channel, newest.c.state, func.count()).group_by(
            newest.c.channel, newest.c.state
        )
    )
    return {(channel, state): count for channel, state, count in rows}


def _first_id(moment: datetime) -> UUID:
    """The smallest id that was made at a moment (RFC 9562, version 7: milliseconds first)."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def _at_the_top(session: Session) -> Iterator[int]:
    """Authority by authority, by the index of its open orders."""
    paged = (
        select(Message.id)
        .where(
            Message.order_id == Order.id,
            Message.letter == "supervisor_page",
            sa.or_(
                *(
                    sa.and_(Message.wanted == wanted, Order.state == state)
                    for wanted, state in _CLIMBS.items()
                )
            ),
            Message.state != MessageState.CANCELLED,
        )
        .correlate(Order)
        .exists()
    )
    for authority in session.scalars(select(Authority.id)).all():
        yield _count(
            session,
            select(Order.id).where(
                Order.authority_id == authority,
                Order.state.in_(unplanned.OPEN),
                Order.ladder_closed_at.is_(None),
                Order.test.is_(False),
                paged,
            ),
        )
