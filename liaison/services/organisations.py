"""The organisation an actor belongs to: nobody manages the people of another."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Role
from liaison.errors import Forbidden, InvalidTransition
from liaison.models import Authority, Invitation, Person, PersonRole, Provider


class AlreadyDone(InvalidTransition):
    """What is asked for was done before, or its time has passed."""

    title = "This was done already"


def own(session: Session, actor: Actor) -> Authority | Provider:
    """The actor's organisation."""
    return _own(session, actor, lock=False)


def held(session: Session, actor: Actor) -> Authority | Provider:
    """The administrator's organisation: its people stay as they are until this act is done.

    Whoever was disabled or lost the role while waiting for their turn does nothing more.
    """
    organisation = _own(session, actor, lock=True)
    in_office = (
        select(Person.id)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(
            Person.id == actor.person_id,
            Person.disabled_at.is_(None),
            PersonRole.role == keeper(organisation),
        )
    )
    if session.scalar(in_office) is None:
        raise Forbidden("You are no administrator any more. Nothing was done.")
    return organisation


def has_keeper(session: Session, organisation: Provider | Authority) -> bool:
    """Whether somebody keeps the organisation's people."""
    query = (
        select(Person.id)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(
            Person.disabled_at.is_(None),
            PersonRole.role == keeper(organisation),
            Person.authority_id == organisation.id
            if isinstance(organisation, Authority)
            else Person.provider_id == organisation.id,
        )
    )
    return session.scalars(query.limit(1)).first() is not None


def keeper(organisation: Authority | Provider) -> Role:
    """The role that keeps the organisation's people."""
    if isinstance(organisation, Authority):
        return Role.ADMINISTRATOR
    return Role.PROVIDER_ADMINISTRATOR


def _own(session: Session, actor: Actor, *, lock: bool) -> Authority | Provider:
    query = (
        select(Authority).where(Authority.id == actor.authority_id)
        if actor.authority_id is not None
        else select(Provider).where(Provider.id == actor.provider_id)
    )
    if lock:
        query = query.with_for_update()
    found: Authority | Provider | None = session.scalars(query).one_or_none()
    if found is None:
        raise Forbidden("You belong to no organisation that has people.")
    return found


def of_same(table: type[Person] | type[Invitation], actor: Actor) -> ColumnElement[bool]:
    """Rows of the actor's own organisation."""
    if actor.authority_id is not None:
        return table.authority_id == actor.authority_id
    if actor.provider_id is not None:
        return table.provider_id == actor.provider_id
    return false()


def of_invitation(session: Session, row: Invitation) -> Authority | Provider:
    """Where an invitation leads to."""
    found: Authority | Provider | None = (
        session.get(Authority, row.authority_id)
        if row.authority_id is not None
        else session.get(Provider, row.provider_id)
    )
    assert found is not None, "an invitation belongs to an organisation"
    return found
