"""The register as people read it: a provider's people see their own provider and no other."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, false, select, true
from sqlalchemy.orm import Session, joinedload

from liaison.domain.actors import Actor
from liaison.domain.ladder import Climb, Ladder, Step, Whom, outline
from liaison.domain.terms import terms_from_json
from liaison.domain.vocabulary import Channel, MemorandumState, Urgency
from liaison.errors import NotFound
from liaison.models import Authority, Contact, Memorandum, Order, Provider
from liaison.models.contact_rows import AnyContact
from liaison.queries import registry
from liaison.queries.memoranda import Standing, standing


@dataclass(frozen=True)
class Listed:
    """A provider in the list, with the memorandum in force, if there is one."""

    provider: Provider
    memorandum: Memorandum | None


@dataclass(frozen=True)
class Rung:
    """A rung of a ladder that is not running, with the people it would call.

    ``after`` counts from issue; it calls ``repeats`` more times, ``every`` so long. ``at_top``:
    it repeats until a person closes the escalation.
    """

    after: timedelta
    whom: Whom
    channels: tuple[Channel, ...]
    people: list[AnyContact]
    repeats: int
    every: timedelta
    at_top: bool = False


@dataclass(frozen=True)
class Group:
    """The contacts of one organisation."""

    organisation: Provider | Authority
    contacts: list[Contact]


def visible(actor: Actor) -> ColumnElement[bool]:
    """The providers an actor may read about."""
    if actor.provider_id is not None:
        return Provider.id == actor.provider_id
    return true() if actor.is_contact_point else false()


def in_force(
    session: Session, actor: Actor, day: date, providers: Collection[UUID]
) -> dict[UUID, Memorandum]:
    """The memoranda in force of these providers that the actor is party to, by provider."""
    newest: dict[tuple[UUID, UUID], Memorandum] = {}
    for memorandum in session.scalars(
        select(Memorandum)
        .where(_ours(actor), Memorandum.provider_id.in_(providers), *registry.begun(day))
        .order_by(Memorandum.in_force_from, Memorandum.version, Memorandum.id)
    ):
        # The newest comes last and stays: it took the older one's place, even where it ended.
        newest[memorandum.authority_id, memorandum.provider_id] = memorandum
    return {
        m.provider_id: m for m in newest.values() if m.in_force_to is None or m.in_force_to >= day
    }


def provider(session: Session, actor: Actor, provider_id: str) -> Provider:
    """One provider; another's and an absent one are answered alike."""
    try:
        wanted = UUID(provider_id)
    except ValueError:
        raise NotFound from None
    found = session.scalars(
        select(Provider).where(visible(actor), Provider.id == wanted)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def memoranda(session: Session, actor: Actor, provider: Provider) -> list[Memorandum]:
    """The provider's agreed memoranda that the actor is party to, the newest first.

    Drafts bind nobody and are not among them.
    """
    return list(
        session.scalars(
            select(Memorandum)
            .where(
                _ours(actor),
                Memorandum.provider_id == provider.id,
                Memorandum.state == MemorandumState.AGREED,
            )
            .options(joinedload(Memorandum.authority))
            .order_by(
                Memorandum.in_force_from.desc(), Memorandum.version.desc(), Memorandum.id.desc()
            )
        )
    )


def is_in_force(memorandum: Memorandum, day: date) -> bool:
    """Whether it binds on a day (UTC): agreed, begun, not ended, and none took its place."""
    others = memorandum.provider.memoranda
    return standing(memorandum, others, day) is Standing.IN_FORCE


def ladder(session: Session, memorandum: Memorandum, urgency: Urgency) -> list[Rung]:
    """The ladder of an urgency with real names; the last one is the page at the top."""
    of = terms_from_json(memorandum.terms).ladders[urgency]
    # The register's own rule says whom a step calls; it is asked with an order never stored.
    order = Order(provider_id=memorandum.provider_id, authority_id=memorandum.authority_id)
    # Any beginning will do: what is shown are distances from it.
    start = datetime.combine(memorandum.in_force_from, time(), UTC)
    return [
        _rung(session, of, order, step, step.due_at - start)
        for step in outline(of, Climb.ACKNOWLEDGE, start)
        if step.repeat == 0 or step.at_top
    ]


def _rung(session: Session, of: Ladder, order: Order, step: Step, after: timedelta) -> Rung:
    people = registry.called_by(session, order, step, step.due_at)
    if step.rung is None:
        return Rung(after, step.whom, step.channels, people, 0, of.page_every, at_top=True)
    rung = of.rungs[step.rung]
    return Rung(after, rung.whom, rung.channels, people, rung.repeats, rung.every)


def contacts(session: Session, actor: Actor) -> list[Group]:
    """One's own contacts first, then the contact points' with which there is a memorandum."""
    groups: list[Group] = []
    if actor.provider_id is not None:
        own = session.get_one(Provider, actor.provider_id)
        groups.append(Group(own, list(own.contacts)))
        parties = select(Memorandum.authority_id).where(
            Memorandum.provider_id == own.id, Memorandum.state == MemorandumState.AGREED
        )
        authorities = session.scalars(
            select(Authority).where(Authority.id.in_(parties)).order_by(Authority.name)
        )
        groups += [Group(a, list(a.contacts)) for a in authorities]
    elif actor.authority_id is not None:
        ours = session.get_one(Authority, actor.authority_id)
        groups.append(Group(ours, list(ours.contacts)))
    return groups


def _ours(actor: Actor) -> ColumnElement[bool]:
    if actor.provider_id is not None:
        return Memorandum.provider_id == actor.provider_id
    if actor.authority_id is not None:
        return Memorandum.authority_id == actor.authority_id
    return false()
