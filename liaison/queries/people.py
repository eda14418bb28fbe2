"""Who works for an organisation, and who is invited to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.vocabulary import Role
from liaison.models import Invitation, Person, SignIn
from liaison.services import invitations, organisations, people


@dataclass(frozen=True)
class Row:
    """One person, with roles in the vocabulary's order."""

    person: Person
    roles: list[Role]
    last_seen: datetime | None


def everybody(session: Session, actor: Actor) -> list[Row]:
    """The people of the actor's organisation: who can sign in first, then by name."""
    demand(actor, Verb.READ_PEOPLE)
    query = select(Person).where(organisations.of_same(Person, actor))
    found = sorted(
        session.scalars(query), key=lambda p: (p.disabled_at is not None, p.name.casefold())
    )
    seen = _last_seen(session, [person.id for person in found])
    return [_row(person, seen) for person in found]


def one(session: Session, actor: Actor, person_id: UUID) -> Row:
    """One person of the actor's organisation; ``NotFound`` where it is not theirs."""
    demand(actor, Verb.READ_PEOPLE)
    person = people.find(session, actor, person_id)
    return _row(person, _last_seen(session, [person.id]))


def invited(session: Session, actor: Actor, now: datetime) -> list[Invitation]:
    """Invitations that can still be taken up, the newest first."""
    demand(actor, Verb.READ_PEOPLE)
    query = (
        select(Invitation)
        .where(
            organisations.of_same(Invitation, actor),
            Invitation.kind == "invitation",
            *invitations.open_now(now),
        )
        .options(joinedload(Invitation.invited_by))
        .order_by(Invitation.invited_at.desc(), Invitation.id)
    )
    return list(session.scalars(query))


def _row(person: Person, seen: dict[UUID, datetime]) -> Row:
    held = person.role_set
    return Row(person, [role for role in Role if role in held], seen.get(person.id))


def _last_seen(session: Session, ids: list[UUID]) -> dict[UUID, datetime]:
    query = (
        select(SignIn.person_id, func.max(SignIn.last_seen_at))
        .where(SignIn.person_id.in_(ids), SignIn.factor_at.is_not(None))
        .group_by(SignIn.person_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}
