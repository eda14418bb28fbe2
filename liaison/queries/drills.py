"""Drills as people read them: whoever is tried does not learn of an unannounced one before."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true
from sqlalchemy.orm import Session, contains_eager, joinedload

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand, may
from liaison.domain.vocabulary import DrillState, MemorandumState
from liaison.errors import NotFound
from liaison.models import Drill, Memorandum, Order, Provider

MOST = 200
"""Rows of each list."""


@dataclass(frozen=True)
class Lists:
    """The three lists of the page."""

    planned: list[Drill]
    running: list[Drill]
    past: list[Drill]


def visible(actor: Actor) -> ColumnElement[bool]:
    """The drills an actor may know of; the query has joined the memorandum.

    An authority's own. Of those to come, who plans them sees all; its other people, who might say
    a word too much, only the announced; a provider those it was told of.
    """
    if not may(actor.roles, Verb.READ_DRILLS):
        return false()
    if actor.provider_id is not None:
        known = or_(Drill.order_id.is_not(None), Drill.announced_at.is_not(None))
        return and_(Memorandum.provider_id == actor.provider_id, known)
    if actor.authority_id is None:
        return false()
    known = or_(Drill.state != DrillState.PLANNED, Drill.announced.is_(True))
    if may(actor.roles, Verb.PLAN_DRILLS):
        known = true()
    return and_(Memorandum.authority_id == actor.authority_id, known)


def lists(session: Session, actor: Actor) -> Lists:
    """What is to come, what runs, what was."""
    demand(actor, Verb.READ_DRILLS)
    past = Drill.state.in_((DrillState.ENDED, DrillState.CANCELLED))

    def rows(query: Select[Drill]) -> list[Drill]:
        return list(session.scalars(query.limit(MOST)).unique())

    return Lists(
        planned=rows(
            _query(actor)
            .where(Drill.state == DrillState.PLANNED)
            .order_by(Drill.planned_at, Drill.id)
        ),
        running=rows(
            _query(actor)
            .where(Drill.state == DrillState.RUNNING)
            .order_by(Drill.started_at, Drill.id)
        ),
        past=rows(_query(actor).where(past).order_by(Drill.ended_at.desc(), Drill.id.desc())),
    )


def find(session: Session, actor: Actor, drill_id: UUID) -> Drill:
    """One drill the actor may know of; ``NotFound`` otherwise."""
    demand(actor, Verb.READ_DRILLS)
    found = session.scalars(_query(actor).where(Drill.id == drill_id)).unique().one_or_none()
    if found is None:
        raise NotFound
    return found


def _query(actor: Actor) -> Select[Drill]:
    return (
        select(Drill)
        .join(Drill.memorandum)
        .where(visible(actor))
        .options(
            contains_eager(Drill.memorandum).joinedload(Memorandum.provider),
            contains_eager(Drill.memorandum).joinedload(Memorandum.authority),
            joinedload(Drill.order).load_only(
                Order.ref,
                Order.state,
                Order.issued_at,
                Order.acknowledge_by,
                Order.acknowledged_at,
                Order.preserve_by,
                Order.preserved_until,
                Order.ended_at,
                Order.test,
            ),
        )
    )


def partners(session: Session, actor: Actor) -> list[Provider]:
    """The providers with which the authority has agreed anything: a drill can be planned there."""
    demand(actor, Verb.PLAN_DRILLS)
    return list(
        session.scalars(
            select(Provider)
            .where(
                Provider.id.in_(
                    select(Memorandum.provider_id).where(
                        Memorandum.authority_id == actor.authority_id,
                        Memorandum.state == MemorandumState.AGREED,
                    )
                )
            )
            .order_by(Provider.name)
        )
    )
