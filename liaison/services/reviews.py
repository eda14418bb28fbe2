"""Orders that a disabled person had a hand in: another person looks at each."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import OrderState
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.errors import FieldError, Forbidden, Invalid, NotFound
from liaison.models import Entry, Order, OrderReview, OrderWriter, Person
from liaison.queries import orders as order_queries
from liaison.services import guards, ledger, orders, portal_log
from liaison.services.organisations import AlreadyDone

CONFIRMED, WITHDRAWN = "confirmed", "withdrawn"

RUNNING = (OrderState.ISSUED, OrderState.ACKNOWLEDGED, OrderState.PRESERVED)
"""A provider acts on it or keeps data under it."""

OPEN = (OrderState.DRAFT, OrderState.SUBMITTED, *RUNNING)
"""A draft too: what a thief has written is issued by somebody else, who trusts it."""

TAKEN_BACK = (
    OrderState.DECLINED,
    OrderState.WITHDRAWN,
    OrderState.RELEASED,
    OrderState.DISPOSED,
)
"""Where the person ended it: the data may be gone soon, and a new order be needed."""


def open_for(session: Session, person: Person, now: datetime) -> int:
    """Lists what the person had a hand in, by the ledger or as a writer; how many orders that is.

    Whatever is open, and what they themselves declined, withdrew or released. What they typed into
    an unfinished draft stands in no entry: they are its writer all the same.
    """
    touched = select(Entry.order_id).where(
        Entry.actor == f"person:{person.id}", Entry.order_id.is_not(None)
    )
    wrote = select(OrderWriter.order_id).where(OrderWriter.person_id == person.id)
    reviewed = select(OrderReview.order_id).where(OrderReview.person_id == person.id)
    waiting_still = reviewed.where(OrderReview.decided_at.is_(None))
    # By the moment: the entry that both sides share names the office, not who acted there.
    ended = exists().where(
        Entry.order_id == Order.id,
        Entry.actor == f"person:{person.id}",
        Entry.at == Order.ended_at,
    )
    to_look_at = or_(
        and_(Order.state.in_(OPEN), Order.id.not_in(waiting_still)),
        and_(Order.state.in_(TAKEN_BACK), Order.ref.is_not(None), ended, Order.id.not_in(reviewed)),
    )
    # A drill asks for nobody's data: nothing in it is to be looked at.
    found = session.scalars(
        select(Order.id)
        .where(or_(Order.id.in_(touched), Order.id.in_(wrote)), Order.test.is_(False), to_look_at)
        .order_by(Order.id)
    ).all()
    session.add_all(
        OrderReview(order_id=order, person_id=person.id, opened_at=now) for order in found
    )
    session.flush()
    return len(found)


def undecided(actor: Actor) -> Select[OrderReview]:
    """Those the actor's own contact point has to decide; orders it may not see are not there."""
    # From the reviews, which are few, to their orders: the count stands on every page.
    own = and_(Order.authority_id == actor.authority_id, order_queries.visible(actor, few=True))
    return select(OrderReview).where(OrderReview.decided_at.is_(None), OrderReview.order.has(own))


def waiting(session: Session, actor: Actor) -> list[OrderReview]:
    """What waits for a decision, the oldest first."""
    demand(actor, Verb.REVIEW_ORDERS)
    query = undecided(actor).options(joinedload(OrderReview.order), joinedload(OrderReview.person))
    return list(session.scalars(query.order_by(OrderReview.opened_at, OrderReview.id)))


def count(session: Session, actor: Actor) -> int:
    """How many wait."""
    return session.scalar(select(func.count()).select_from(undecided(actor).subquery())) or 0


def find(session: Session, actor: Actor, review_id: UUID, *, lock: bool = False) -> OrderReview:
    """One review of an order of the actor's own contact point; ``NotFound`` otherwise."""
    demand(actor, Verb.REVIEW_ORDERS)
    query = (
        select(OrderReview)
        .join(Order, Order.id == OrderReview.order_id)
        .where(OrderReview.id == review_id, Order.authority_id == actor.authority_id)
    )
    if lock:
        query = query.with_for_update(of=OrderReview).execution_options(populate_existing=True)
    review = session.scalars(query).one_or_none()
    if review is None:
        raise NotFound
    return review


def decide(
    session: Session, actor: Actor, review_id: UUID, decision: str, reason: str, now: datetime
) -> OrderReview:
    """Confirms the order, or withdraws it; the provider is told of a withdrawal and why.

    One that has ended is confirmed only, as seen; a draft that is withdrawn is discarded.
    """
    review = find(session, actor, review_id, lock=True)
    guards.fresh_factor(actor, now)
    if actor.person_id == review.person_id:
        raise Forbidden("This order is looked at because of you: another person decides it.")
    if review.decided_at is not None:
        raise AlreadyDone("Somebody has decided this already. Nothing was done.")
    check_texts(("/reason", reason, LONGEST_REASON))
    faults = []
    if decision not in (CONFIRMED, WITHDRAWN):
        faults.append(FieldError("/decision", "Say whether the order stands or is withdrawn."))
    elif decision == WITHDRAWN and review.order.state not in OPEN:
        faults.append(FieldError("/decision", "The order has ended: nothing is left to withdraw."))
    if not reason.strip():
        faults.append(FieldError("/reason", "Say what you have looked at, or why it goes."))
    if faults:
        raise Invalid(faults)
    review.decision, review.decided_by_id, review.decided_at = decision, actor.person_id, now
    session.flush()
    told = {
        "review": str(review.id),
        "order": str(review.order_id),
        "ref": review.order.name,
        "person": str(review.person_id),
        "decision": decision,
        "reason": reason.strip(),
        **portal_log.by(actor),
    }
    whose = portal_log.organisation_of_actor(actor)
    entry = portal_log.entry("review_decided", actor.id, whose, told)
    if decision == WITHDRAWN:
        orders.withdraw(session, actor, review.order.name, reason, now, beside=[entry])
    else:
        ledger.record(session, now, entry)
    return review
