"""The scorecard of a provider: how it answers, by day and night; drills beside real orders.

The two are never mixed. One light row is read for each order served on the provider within the
period, by the index of its orders: it grows with the orders of one provider, and is bounded.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.ladder import Climb, Whom, ladder_from_json, step
from liaison.domain.lifecycle import OrderState
from liaison.domain.permissions import Verb, demand
from liaison.domain.scorecard import Case, Figures, figures
from liaison.domain.vocabulary import CallOutcome, Channel, MemorandumState
from liaison.errors import NotFound
from liaison.models import Authority, CallTask, Memorandum, Message, Order, Provider, Report
from liaison.models.work import CallState, MessageState

PERIODS = (3, 12, 36)
"""Months that can be looked at."""
USUAL = 12
MOST = 10_000
"""Orders of one kind that are read at most, the newest of them: about 0.3 s of one processor."""

_MONTH = timedelta(days=365.25 / 12)
_ANY = datetime(2000, 1, 1, tzinfo=UTC)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
_OURS = frozenset({Whom.DUTY_OFFICER, Whom.SUPERVISOR})


@dataclass(frozen=True)
class Reach:
    """How often a rung called by one way in drills, and what came of it.

    ``good``: delivered, or somebody was reached; ``bad``: not. The rest needed no answer: it was
    taken back before, or nobody has called yet.
    """

    whom: Whom
    channel: Channel
    times: int
    good: int
    bad: int


@dataclass(frozen=True)
class Scorecard:
    """One provider as one authority has met it."""

    authority: Authority
    drills: Figures
    real: Figures
    reach: list[Reach]
    cut: bool
    """Whether there are more orders than are read."""


def scorecards(
    session: Session, actor: Actor, provider: Provider, months: int, now: datetime
) -> list[Scorecard]:
    """An authority's own view of a provider; the provider's, one for each authority it knows.

    ``provider`` is one the actor may see.
    """
    demand(actor, Verb.READ_DRILLS)
    if actor.is_provider and actor.provider_id != provider.id:
        raise NotFound
    since = now - months * _MONTH
    return [
        _of(session, actor, provider, authority, since, now)
        for authority in _authorities(session, actor, provider)
    ]


def _authorities(session: Session, actor: Actor, provider: Provider) -> list[Authority]:
    if not actor.is_provider:
        return [session.get_one(Authority, actor.authority_id)]
    parties = select(Memorandum.authority_id).where(
        Memorandum.provider_id == provider.id, Memorandum.state == MemorandumState.AGREED
    )
    found = select(Authority).where(Authority.id.in_(parties)).order_by(Authority.name)
    return list(session.scalars(found))


def _of(
    session: Session,
    actor: Actor,
    provider: Provider,
    authority: Authority,
    since: datetime,
    now: datetime,
) -> Scorecard:
    drills, real = (
        _cases(session, provider.id, authority.id, since, test=test) for test in (True, False)
    )
    return Scorecard(
        authority=authority,
        drills=figures(drills, provider.time_zone, now),
        real=figures(real, provider.time_zone, now),
        reach=_reach(session, actor, provider.id, authority.id, since),
        cut=len(drills) == MOST or len(real) == MOST,
    )


def _cases(
    session: Session, provider_id: UUID, authority_id: UUID, since: datetime, *, test: bool
) -> list[Case]:
    first = (
        select(Report.order_id, func.min(Report.reported_at).label("at"))
        .join(Order, Order.id == Report.order_id)
        .where(
            Order.provider_id == provider_id,
            Order.authority_id == authority_id,
            Order.test.is_(test),
            Order.issued_at >= since,
        )
        .group_by(Report.order_id)
        .subquery()
    )
    rows = session.execute(
        select(
            Order.issued_at,
            Order.acknowledge_by,
            Order.preserve_by,
            Order.acknowledged_at,
            first.c.at,
            Order.state,
            Order.ended_at,
            Order.clock_stopped_at,
        )
        .outerjoin(first, first.c.order_id == Order.id)
        .where(
            Order.provider_id == provider_id,
            Order.authority_id == authority_id,
            Order.test.is_(test),
            Order.ref.is_not(None),
            Order.issued_at >= since,
        )
        .order_by(Order.issued_at.desc())
        .limit(MOST)
    )
    return [_case(*row) for row in rows]


def _case(
    issued_at: datetime,
    acknowledge_by: datetime,
    preserve_by: datetime,
    acknowledged_at: datetime | None,
    preserved_at: datetime | None,
    state: OrderState,
    ended_at: datetime | None,
    stopped_at: datetime | None,
) -> Case:
    declined = state is OrderState.DECLINED
    return Case(
        issued_at=issued_at,
        acknowledge_by=_stands(acknowledge_by, stopped_at),
        preserve_by=_stands(preserve_by, stopped_at),
        answered_at=acknowledged_at or (ended_at if declined else None),
        preserved_at=preserved_at,
        declined=declined,
        closed_at=ended_at,
    )


def _stands(deadline: datetime, stopped_at: datetime | None) -> datetime:
    """A deadline that a question has stopped before it came cannot pass meanwhile."""
    return NEVER if stopped_at is not None and stopped_at <= deadline else deadline


# Rungs


def _reach(
    session: Session, actor: Actor, provider_id: UUID, authority_id: UUID, since: datetime
) -> list[Reach]:
    """From the notices and calls of drills only: few a year. The contact point's own rungs are its
    own matter."""
    orders: dict[UUID, tuple[Any, ...]] = {
        id_: (terms, urgency)
        for id_, terms, urgency in session.execute(
            select(Order.id, Order.terms, Order.urgency)
            .where(
                Order.provider_id == provider_id,
                Order.authority_id == authority_id,
                Order.test.is_(True),
                Order.issued_at >= since,
            )
            .order_by(Order.issued_at.desc())
            .limit(500)
        )
    }
    if not orders:
        return []
    total, good, bad = Counter[Any](), Counter[Any](), Counter[Any]()
    for order_id, idem, channel, outcome in _calls(session, list(orders)):
        whom = _whom(idem, *orders[order_id])
        if whom is None or (actor.is_provider and whom in _OURS):
            continue
        total[whom, channel] += 1
        good[whom, channel] += outcome is True
        bad[whom, channel] += outcome is False
    ranks = {whom: rank for rank, whom in enumerate(Whom)}
    keys = sorted(total, key=lambda key: (ranks[key[0]], list(Channel).index(key[1])))
    return [Reach(key[0], key[1], total[key], good[key], bad[key]) for key in keys]


def _calls(
    session: Session, ids: Sequence[UUID]
) -> Iterator[tuple[UUID, str, Channel, bool | None]]:
    """What was sent and whom to phone: the order, its key, the way, whether it got there."""
    sent = {MessageState.SENT: True, MessageState.FAILED: False}
    messages = select(Message.order_id, Message.idem, Message.channel, Message.state)
    for order_id, idem, channel, state in session.execute(
        messages.where(Message.order_id.in_(ids))
    ):
        if order_id is not None:
            yield order_id, idem, channel, sent.get(state)
    calls = select(CallTask.order_id, CallTask.idem, CallTask.state, CallTask.outcome)
    for order_id, idem, task, outcome in session.execute(calls.where(CallTask.order_id.in_(ids))):
        logged = outcome is CallOutcome.REACHED if task is CallState.LOGGED else None
        yield order_id, idem, Channel.CALL, logged


def _whom(idem: str, terms: Any, urgency: Any) -> Whom | None:
    """Which rung a notice or call belongs to: its key names climb and step.

    What an order sends at its issue is meant for whoever is on duty; other letters are no rung.
    """
    parts = idem.split(":")
    if len(parts) > 1 and parts[1] == "issue":
        return Whom.ON_DUTY
    if len(parts) < 3 or not (parts[1].isdecimal() and parts[2].isdecimal()):
        return None
    ladder = ladder_from_json(terms["ladders"][urgency.value])
    return step(ladder, Climb(int(parts[1])), _ANY, int(parts[2])).whom
