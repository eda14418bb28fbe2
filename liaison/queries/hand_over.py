"""What the next shift must know: what stands open, what was promised, what was noted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, select
from sqlalchemy.orm import Session, joinedload

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.domain.permissions import Verb, demand
from liaison.domain.vocabulary import Term
from liaison.errors import NotFound
from liaison.models import CallTask, Contact, HandOver, Order, OrderNote
from liaison.models.work import CallState
from liaison.queries import orders, queue_views
from liaison.queries.calls import IN_TURN
from liaison.queries.queue_views import EMERGENCY, ENDED, EXPIRES, Stretch, View

MOST = 100
"""Orders of one section; where there are more, the queue has them all."""

MOST_PAST = 50
SHIFT = timedelta(hours=12)
"""How far back notes are shown where nobody has handed over yet; hours."""

LONGEST_SHIFT = timedelta(days=7)
PROMISED_WITHIN = timedelta(days=14)
ENDS_WITHIN = timedelta(days=2)


class Why(Term):
    """Why an order is told to the next shift; in the order in which they are read."""

    EMERGENCY = "emergency", "Emergencies running", "The provider has not preserved yet."
    OVERDUE = "overdue", "Overdue", "A deadline of the provider has passed."
    CALL = "call", "Calls to make", "A phone call is open."
    VOUCH = "vouch", "Doubted", "Two people must vouch, or the order is withdrawn."
    ANSWER = "answer", "Questions to answer", "Promised by the memorandum: an answer by the time."
    AUTHORISE = "authorise", "To authorise", "Another person than its writer must authorise it."
    RATIFY = "ratify", "To ratify", "Issued at once: a second person must stand behind it."
    EXTENSION = "extension", "Extensions asked for", "The provider has not confirmed the new date."
    PROMISE = "promise", "MLA requests promised", "Announced for the next 14 days, or late."
    ENDS = "ends", "Kept for 2 more days at most", "Nothing was decided about what follows."


@dataclass(frozen=True)
class Item:
    """One order in one section. ``due`` is a moment or a day, whichever was promised."""

    why: Why
    order: Order
    due: datetime | None = None
    day: date | None = None
    words: str = ""


@dataclass(frozen=True)
class Section:
    """Orders that are told for one reason; ``more`` where not all of them stand here."""

    why: Why
    items: Sequence[Item]
    more: bool


@dataclass(frozen=True)
class Desk:
    """What stands open now."""

    sections: list[Section]
    notes: Sequence[Row[OrderNote, Order]]
    since: datetime
    """From when on the notes are."""

    def told(self) -> list[dict[str, Any]]:
        """What a hand-over keeps of it: refs, states, dates; no case data."""
        return [
            {
                "why": item.why.value,
                "order": str(item.order.id),
                "ref": item.order.ref,
                "provider": item.order.provider.name,
                "state": item.order.state.value,
                "due": _written(item),
            }
            for section in self.sections
            for item in section.items
        ]


@dataclass(frozen=True)
class Change:
    """What has become of an order since it was told: states and reasons, then and now."""

    name: str
    was: str
    now: str


def desk(session: Session, actor: Actor, now: datetime) -> Desk:
    """What stands open at the actor's contact point, and what was noted this shift."""
    demand(actor, Verb.READ_HAND_OVERS)
    found = [_section(why, items) for why, items in _all(session, actor, now)]
    since = _since(session, actor, now)
    return Desk([s for s in found if s.items], _notes(session, actor, since), since)


def find(session: Session, actor: Actor, id_: UUID, *, lock: bool = False) -> HandOver:
    """One hand-over of the actor's own contact point."""
    demand(actor, Verb.READ_HAND_OVERS)
    query = select(HandOver).where(HandOver.id == id_, HandOver.authority_id == actor.authority_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def waiting(session: Session, actor: Actor) -> HandOver | None:
    """The one that was given and that nobody has taken yet."""
    query = select(HandOver).where(
        HandOver.authority_id == actor.authority_id,
        HandOver.taken_at.is_(None),
        HandOver.cancelled_at.is_(None),
    )
    return session.scalars(query.order_by(HandOver.given_at.desc()).limit(1)).first()


def past(session: Session, actor: Actor) -> Sequence[HandOver]:
    """The last ones, newest first."""
    demand(actor, Verb.READ_HAND_OVERS)
    query = select(HandOver).where(HandOver.authority_id == actor.authority_id)
    return session.scalars(query.order_by(HandOver.given_at.desc()).limit(MOST_PAST)).all()


def changes(session: Session, actor: Actor, given: HandOver, current: Desk) -> list[Change]:
    """What the taker would not know from what was told alone."""
    was: dict[str, list[str]] = {}
    for line in given.told:
        was.setdefault(line["order"], []).append(line["why"])
    states = {line["order"]: line["state"] for line in given.told}
    now: dict[str, list[str]] = {}
    for section in current.sections:
        for item in section.items:
            now.setdefault(str(item.order.id), []).append(item.why.value)
    ids = [UUID(id_) for id_ in {*was, *now}]
    query = select(Order).where(orders.visible(actor), Order.id.in_(ids)).order_by(Order.id)
    found = []
    for order in session.scalars(query):
        id_ = str(order.id)
        before = _in_words(states.get(id_), was.get(id_, ()))
        after = _in_words(order.state.value, now.get(id_, ()))
        if before != after:
            found.append(Change(order.name, before, after))
    return found


def _in_words(state: str | None, whys: Iterable[str]) -> str:
    if state is None:
        return "not told"
    known = {why.value: why.label for why in Why}
    label = OrderState(state).label
    return "; ".join([label, *sorted({known.get(why, why) for why in whys})])


def _all(session: Session, actor: Actor, now: datetime) -> Iterator[tuple[Why, list[Item]]]:
    def at(why: Why, view: View, due: str) -> tuple[Why, list[Item]]:
        found = []
        for stretch in queue_views.stretches(view, now, provider=False):
            found += _orders(session, actor, stretch)
        return why, [Item(why, order, due=getattr(order, due)) for order in found]

    yield at(Why.EMERGENCY, View.EMERGENCIES, "queue_at")
    yield at(Why.OVERDUE, View.OVERDUE, "queue_at")
    yield Why.CALL, _calls(session, actor)
    doubted = (Order.waits_contact_point == 1, Order.doubt_open_since.is_not(None))
    found = _orders(session, actor, Stretch((EMERGENCY, ENDED), doubted))
    yield Why.VOUCH, [Item(Why.VOUCH, order, order.doubt_open_since) for order in found]
    yield at(Why.ANSWER, View.QUESTIONS, "answer_by")
    yield at(Why.AUTHORISE, View.SUBMITTED, "submitted_at")
    yield at(Why.RATIFY, View.NOT_RATIFIED, "ratify_by")
    asked = (Order.waits_provider == 1, Order.extension_asked_at.is_not(None))
    found = _orders(session, actor, Stretch((EMERGENCY, ENDED), asked))
    yield Why.EXTENSION, [Item(Why.EXTENSION, o, o.preserved_until) for o in found]
    yield Why.PROMISE, _promised(session, actor, now)
    ends = Stretch((EXPIRES, EXPIRES), (Order.queue_at < now + ENDS_WITHIN,))
    found = _orders(session, actor, ends)
    yield Why.ENDS, [Item(Why.ENDS, order, order.preserved_until) for order in found]


def _orders(session: Session, actor: Actor, stretch: Stretch) -> list[Order]:
    return list(
        session.scalars(
            select(Order)
            .options(joinedload(Order.provider))
            .where(orders.visible(actor), stretch.where())
            .order_by(*stretch.order())
            .limit(MOST + 1)
        )
    )


def _promised(session: Session, actor: Actor, now: datetime) -> list[Item]:
    """MLA requests that were announced and not recorded, the earliest first."""
    last = now.astimezone(UTC).date() + PROMISED_WITHIN
    conditions: tuple[ColumnElement[bool], ...] = (
        Order.queue_rank == EXPIRES,
        Order.mla_expected_by <= last,
        Order.mla_intended.is_(True),
    )
    found = session.scalars(
        select(Order)
        .options(joinedload(Order.provider))
        .where(orders.visible(actor), *conditions)
        .order_by(Order.mla_expected_by, Order.id)
        .limit(MOST + 1)
    )
    return [Item(Why.PROMISE, order, day=order.mla_expected_by) for order in found]


def _calls(session: Session, actor: Actor) -> list[Item]:
    """Open calls in the turn of the list of calls; those of drills too: somebody makes them."""
    found = session.execute(
        select(CallTask, Contact.name)
        .join(Order, Order.id == CallTask.order_id)
        .join(Contact, Contact.id == CallTask.contact_id)
        .options(joinedload(CallTask.order).joinedload(Order.provider))
        .where(CallTask.state == CallState.OPEN, orders.visible(actor))
        .order_by(*IN_TURN)
        .limit(MOST + 1)
    )
    return [Item(Why.CALL, c.order, due=c.opened_at, words=f"Phone {name}") for c, name in found]


def _section(why: Why, items: list[Item]) -> Section:
    return Section(why, items[:MOST], more=len(items) > MOST)


def _since(session: Session, actor: Actor, now: datetime) -> datetime:
    """The last hand-over, for a shift begins with it."""
    query = select(HandOver.given_at).where(
        HandOver.authority_id == actor.authority_id, HandOver.cancelled_at.is_(None)
    )
    last = session.scalar(query.order_by(HandOver.given_at.desc()).limit(1))
    return max(last, now - LONGEST_SHIFT) if last else now - SHIFT


def _notes(session: Session, actor: Actor, since: datetime) -> Sequence[Row[OrderNote, Order]]:
    return session.execute(
        select(OrderNote, Order)
        .join(Order, Order.id == OrderNote.order_id)
        .where(OrderNote.at >= since, orders.visible(actor))
        .order_by(OrderNote.at.desc(), OrderNote.id.desc())
        .limit(MOST)
    ).all()


def _written(item: Item) -> str | None:
    if item.day is not None:
        return item.day.isoformat()
    return rfc3339(item.due) if item.due else None
