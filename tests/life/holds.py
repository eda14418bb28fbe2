"""What must hold of an order and of what each side can see, after every step."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.keeping import expected_timers
from liaison.domain.ladder import Climb, is_there, length, step
from liaison.domain.ladder_acts import LONGEST_PAUSE
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Urgency
from liaison.models import CallTask, Entry, Order, Timer
from liaison.models.work import CallState, TimerKind, TimerState
from liaison.queries import orders, timeline
from liaison.queries.ladder import moved as moved_by
from liaison.queries.latest import ATTRIBUTION
from liaison.queries.order_list import order_page
from liaison.queries.queue import queue
from liaison.queries.views import order_view
from liaison.services import escalation, keeping
from liaison.services.call_tasks import BY_LENGTH
from liaison.services.ledger import entry_data

LEADS_TO = {
    "order.drafted": OrderState.DRAFT,
    "order.returned": OrderState.DRAFT,
    "order.submitted": OrderState.SUBMITTED,
    "order.discarded": OrderState.WITHDRAWN,
    "order.issued": OrderState.ISSUED,
    "order.acknowledged": OrderState.ACKNOWLEDGED,
    "order.preserved": OrderState.PRESERVED,
    "order.declined": OrderState.DECLINED,
    "order.withdrawn": OrderState.WITHDRAWN,
    "order.released": OrderState.RELEASED,
    "order.expired": OrderState.EXPIRED,
    "order.disposed": OrderState.DISPOSED,
}
"""Entries that move an order; every other leaves it where it stands."""

KEPT = (TimerKind.EXPIRY, TimerKind.EXPIRY_NEARS, TimerKind.PROMISE, TimerKind.DISPOSAL)


def told_state(entries: Iterable[Entry]) -> OrderState | None:
    """Where the ledger says the order stands. Its own stream comes first, then the shared one."""
    found = None
    for entry in sorted(entries, key=lambda e: (e.stream.startswith("provider:"), e.seq)):
        found = LEADS_TO.get(entry.type, found)
    return found


def ledger_tells(session: Session, order: Order, cp: Actor, provider: Actor) -> None:
    """The state is what the entries say; both timelines are the ledger, entry by entry."""
    entries = list(session.scalars(select(Entry).where(Entry.order_id == order.id)))
    assert told_state(entries) is order.state
    own = {f"authority:{order.authority_id}", f"provider:{order.provider_id}"}
    assert {entry.stream for entry in entries} <= own
    acts = {entry.id for entry in entries if entry.type != ATTRIBUTION}
    assert Counter(i.entry.id for i in timeline.for_order(session, cp, order)) == Counter(acts)
    if order.ref is not None:
        shared = [entry.id for entry in entries if entry.stream.startswith("provider:")]
        seen = timeline.for_order(session, provider, order)
        assert Counter(i.entry.id for i in seen) == Counter(shared)


def timers_fit(session: Session, order: Order, now: datetime) -> None:
    """What waits is what the terms say, no more and no less."""
    waiting = list(
        session.scalars(
            select(Timer).where(Timer.order_id == order.id, Timer.state == TimerState.WAITING)
        )
    )
    assert not [timer.last_error for timer in waiting if timer.last_error]
    numbers = Counter(timer.kind for timer in waiting)
    assert numbers[TimerKind.LADDER] == _climbs(order), (order.state, numbers)
    needed = order.ratify_by is not None and order.ratified_at is None
    needed = needed and order.state is not OrderState.WITHDRAWN
    assert numbers[TimerKind.RATIFICATION] == needed
    assert numbers[TimerKind.ANSWER] == (order.question_open_since is not None)
    assert numbers[TimerKind.DOUBT] == (order.doubt_open_since is not None)
    calls_fit(session, order, numbers[TimerKind.CALL_AGAIN])
    planned = sorted((p.nag.value, p.due_at) for p in expected_timers(keeping.kept_of(order), now))
    assert sorted((t.kind.value, t.due_at) for t in waiting if t.kind in KEPT) == planned
    _ladder_moment(session, order, waiting, now)
    _pause_fits(order, numbers[TimerKind.PAUSE_END], now)


def calls_fit(session: Session, order: Order, again: int) -> None:
    """Nobody is listed twice; a call comes back only while somebody waits for the answer."""
    called = session.scalars(
        select(CallTask.contact_id).where(
            CallTask.order_id == order.id,
            CallTask.state == CallState.OPEN,
            CallTask.wanted.in_(BY_LENGTH),
        )
    ).all()
    assert len(set(called)) == len(called)
    waits = order.state.is_open and order.ladder_closed_at is None
    assert waits or not again, (order.state, again)


def _climbs(order: Order) -> bool:
    stopped = order.clock_stopped_at is not None or not escalation.is_climbing(order)
    return order.state.is_open and not stopped


MOVES = tuple(f"order.ladder_{how}" for how in ("hastened", "skipped", "resumed", "reopened"))
"""Entries after which a ladder may come earlier or later than the terms say."""


def _pause_fits(order: Order, ends: int, now: datetime) -> None:
    """A pause has an end that lies ahead and is not far, and one timer for it."""
    assert ends == (order.ladder_paused_at is not None)
    if order.ladder_paused_at is not None:
        assert order.ladder_paused_until is not None
        assert order.state.is_open
        assert now < order.ladder_paused_until
        span = order.ladder_paused_until - order.ladder_paused_at
        assert span <= LONGEST_PAUSE[order.urgency]
        assert order.ladder_pause_reason


def _ladder_moment(session: Session, order: Order, waiting: list[Timer], now: datetime) -> None:
    for timer in waiting:
        if timer.kind is not TimerKind.LADDER:
            continue
        climb, ladder = Climb(timer.payload["climb"]), escalation.ladder_of(order)
        start, number = escalation.climb_start(order, climb), timer.payload["step"]
        moved, at_top = moved_by(timer), timer.payload["step"] >= length(ladder)
        assert timer.due_at >= now, "what is held or moved never comes in a volley"
        waits = escalation.calendar_of(session, order, climb) is not None
        if not waits:
            assert timer.due_at == step(ladder, climb, start + moved, number).due_at
        if at_top:
            assert timer.due_at <= now + ladder.page_every, "ours wait for nobody's opening"
        if moved and not (at_top and waits):
            query = select(Entry.seq).where(Entry.order_id == order.id, Entry.type.in_(MOVES))
            assert session.scalars(query).first() is not None
        assert climb is escalation.running_climb(order)


def hours_are_kept(session: Session, order: Order) -> None:
    """Nobody at the provider is called while it is closed, unless a person asked for that step."""
    query = select(Entry).where(Entry.order_id == order.id).order_by(Entry.at)
    asked = set()
    for entry in session.scalars(query.where(Entry.type.in_(ASKED))):
        told = entry_data(entry) or {}
        asked.add((told["climb"], told["step"]))
    shared = Entry.stream == f"provider:{order.provider_id}"
    for entry in session.scalars(query.where(Entry.type == "order.escalated", shared)):
        told = entry_data(entry) or {}
        climb = Climb[told["climb"].upper()]
        calendar = escalation.calendar_of(session, order, climb)
        if calendar is None or (told["climb"], told["step"]) in asked:
            continue
        at = escalation.step_at(session, order, climb, told["step"])
        if is_there(at, calendar):
            assert calendar.opens_at(entry.at) == entry.at, (entry.at, told)


ASKED = ("order.ladder_hastened", "order.ladder_skipped")
"""Entries that name a step which a person wants now."""


def clocks_fit(order: Order) -> None:
    """Deadlines are the terms', moved by what questions have stopped; never in an emergency."""
    if order.issued_at is None:
        return
    clocks = escalation.terms_of(order).clocks[order.urgency]
    stopped = order.clock_stopped_for
    assert order.acknowledge_by and order.preserve_by
    moved = (order.acknowledge_by - order.issued_at - clocks.acknowledge).total_seconds()
    assert moved == (order.preserve_by - order.issued_at - clocks.preserve).total_seconds()
    assert moved == stopped >= 0
    if order.urgency is Urgency.EMERGENCY:
        assert not stopped
        assert order.clock_stopped_at is None


def seen_by_provider(session: Session, provider: Actor) -> str:
    """All that a provider's people and programs can read."""
    stream = f"provider:{provider.provider_id}"
    texts = [e.data or "" for e in session.scalars(select(Entry).where(Entry.stream == stream))]
    for order in order_page(session, provider, limit=200).orders:
        texts.append(json.dumps(order_view(order), ensure_ascii=False))
        texts += [json.dumps(i.data) for i in timeline.for_order(session, provider, order)]
    return "\n".join(texts)


def seen_by_contact_point(session: Session, cp: Actor, now: datetime) -> str:
    """All that an authority's people can read of orders."""
    texts = []
    for row in queue(session, cp, now, view="all").rows:
        order = orders.find(session, cp, str(row.order.id))
        session.refresh(order)  # the queue reads no long texts
        texts.append(json.dumps(order_view(order), ensure_ascii=False))
        texts += [json.dumps(i.data) for i in timeline.for_order(session, cp, order)]
    return "\n".join(texts)
