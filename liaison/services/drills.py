"""Drills: planned and taken back by a supervisor. What becomes of their orders: drill_orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain import drills as rules
from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.vocabulary import DrillState, Urgency
from liaison.errors import FieldError, Forbidden, Invalid, NotFound
from liaison.models import Drill, Memorandum, Order, Provider
from liaison.queries import registry
from liaison.services import drill_orders, guards, ledger, portal_log, serving
from liaison.services.organisations import AlreadyDone

AHEAD = timedelta(minutes=5)
"""How far ahead a drill is planned at least, where it does not begin at once."""
FARTHEST = timedelta(days=366)
ANNOUNCED_AHEAD = rules.ANNOUNCED_AHEAD
"""How long before an announced drill the provider is told."""


@dataclass(frozen=True)
class Wish:
    """A drill as a supervisor asks for it. ``planned_at`` None: at once."""

    provider_id: UUID
    urgency: str
    planned_at: datetime | None
    announced: bool


def plan(session: Session, actor: Actor, wish: Wish, now: datetime) -> Drill:
    """Plans a drill; needs a fresh factor and a memorandum that is in force at its time."""
    open_to(actor, now)
    assert actor.authority_id is not None
    provider = session.get(Provider, wish.provider_id)
    if provider is None:
        raise NotFound
    at = wish.planned_at or now
    day = at.astimezone(UTC).date()
    memorandum = registry.memorandum_in_force(session, actor.authority_id, provider.id, day)
    found = faults(wish, now)
    if memorandum is None:
        detail = f"No memorandum with {provider.name} is in force on {day.isoformat()}."
        found.append(FieldError("/provider", f"{detail} Choose another day, or agree one first."))
    if found or memorandum is None:
        raise Invalid(found)
    drill = Drill(
        memorandum=memorandum,
        memorandum_id=memorandum.id,
        urgency=Urgency(wish.urgency),
        announced=wish.announced,
        planned_at=at,
        planned_by=f"{actor.name}, {actor.organisation}",
    )
    session.add(drill)
    session.flush()
    # Whoever reads the log learns the hour of an unannounced one no sooner than by its order.
    told = {"planned_at": rfc3339(at)} if drill.announced else {}
    _note(session, actor, "drill_planned", drill, now, announced=drill.announced, **told)
    return drill


def open_to(actor: Actor, now: datetime) -> None:
    """Refuses whoever may not plan a drill now, whatever they have typed."""
    demand(actor, Verb.PLAN_DRILLS)
    if actor.authority_id is None:
        raise Forbidden("Only a contact point plans drills.")
    guards.fresh_factor(actor, now)


def faults(wish: Wish, now: datetime) -> list[FieldError]:
    """What is wrong with a wish, whoever the provider is."""
    found, at = [], wish.planned_at
    if wish.urgency not in set(Urgency):
        found.append(FieldError("/urgency", "Choose how urgent the drill is."))
    if at is not None and at < now + AHEAD:
        minutes = AHEAD // timedelta(minutes=1)
        detail = f"Choose a time at least {minutes} minutes ahead, or let it begin at once."
        found.append(FieldError("/planned_at", detail))
    elif at is not None and at > now + FARTHEST:
        found.append(FieldError("/planned_at", "Choose a time within a year from now."))
    if wish.announced and (at is None or at < now + ANNOUNCED_AHEAD):
        detail = "The provider is told 24 hours before: choose a later time, or do not announce it."
        found.append(FieldError("/announced", detail))
    return found


def cancel(session: Session, actor: Actor, drill_id: UUID, reason: str, now: datetime) -> Drill:
    """Takes a planned drill back; a running one is broken off, and the provider reads why."""
    demand(actor, Verb.PLAN_DRILLS)
    drill = _own(session, actor, drill_id)
    # The order first, as every verb does.
    order = _locked_order(session, drill.order_id) if drill.order_id else None
    drill = _own(session, actor, drill_id, lock=True)
    if drill.state not in (DrillState.PLANNED, DrillState.RUNNING) or drill.order_id != (
        order.id if order else None
    ):
        raise AlreadyDone(
            f"The drill is {drill.state.label.lower()} by now. Nothing was done: look again."
        )
    check_texts(("/reason", reason, LONGEST_REASON))
    why = reason.strip()
    if not why:
        raise Invalid([FieldError("/reason", "Say why the drill is taken back.")])
    entries: list[ledger.Record] = []
    if order is None:
        drill.state, drill.why, drill.ended_at = DrillState.CANCELLED, why, now
        session.flush()
    else:
        entries = serving.take_back(session, order, actor, why, now)
        drill_orders.settle(session, order, now, state=DrillState.CANCELLED, why=why)
    at = rfc3339(drill.planned_at)
    note = _entry(actor, "drill_cancelled", drill, reason=why, planned_at=at)
    ledger.record(session, now, *entries, note)
    return drill


def _own(session: Session, actor: Actor, drill_id: UUID, *, lock: bool = False) -> Drill:
    query = (
        select(Drill)
        .join(Memorandum, Memorandum.id == Drill.memorandum_id)
        .where(Drill.id == drill_id, Memorandum.authority_id == actor.authority_id)
    )
    if lock:
        query = query.with_for_update(of=Drill).execution_options(populate_existing=True)
    drill = session.scalars(query).one_or_none()
    if drill is None:
        raise NotFound
    return drill


def _locked_order(session: Session, order_id: UUID) -> Order:
    query = select(Order).where(Order.id == order_id).with_for_update(of=Order)
    return session.scalars(query.execution_options(populate_existing=True)).one()


def _note(
    session: Session, actor: Actor, type_: str, drill: Drill, now: datetime, **more: object
) -> None:
    ledger.record(session, now, _entry(actor, type_, drill, **more))


def _entry(actor: Actor, type_: str, drill: Drill, **more: object) -> ledger.Record:
    told = {
        "drill": str(drill.id),
        "provider": drill.memorandum.provider.name,
        "urgency": drill.urgency.value,
        **more,
        **portal_log.by(actor),
    }
    return portal_log.entry(type_, actor.id, portal_log.organisation_of_actor(actor), told)
