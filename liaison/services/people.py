"""The people of one's own organisation: their roles, and taking access back at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.errors import FieldError, Forbidden, Invalid, NotFound
from liaison.models import (
    Authority,
    FactorReset,
    Invitation,
    Person,
    PersonRole,
    Provider,
)
from liaison.services import (
    guards,
    invitations,
    keys,
    organisations,
    portal_log,
    reviews,
    sign_ins,
)
from liaison.services.organisations import AlreadyDone

LAST = "the last administrator cannot remove themselves. Make somebody else administrator first."


def disable(session: Session, actor: Actor, person_id: UUID, reason: str, now: datetime) -> Person:
    """Takes a person's access away, now.

    Their sessions end, the keys they made are revoked, so are the invitations and resets they
    asked for; the open orders they touched are listed, each to be looked at by another person.
    """
    organisation, person = _to_manage(session, actor, person_id, reason, now)
    if person.disabled_at is not None:
        raise AlreadyDone("This person is disabled already. Nothing was done.")
    if _administers(person, organisation) and not _others(session, person, organisation):
        raise _last(person, actor)
    person.disabled_at = now
    told: dict[str, Any] = {"reason": reason.strip(), "person": str(person.id)}
    told["sessions"] = sign_ins.end_all(session, person.id, "disabled", now)
    # Whoever made a key has seen it, and may hold it still.
    revoked = keys.revoke_of(session, person.id, now, by=actor.person_id)
    told["keys"] = [str(key.id) for key in revoked]
    told["invitations"] = _take_back(session, person, actor, now)
    told["reviews"] = reviews.open_for(session, person, now)
    _note(session, now, "disabled", actor, person, told)
    return person


def enable(session: Session, actor: Actor, person_id: UUID, reason: str, now: datetime) -> Person:
    """Lets a person in again. What ended with their access stays ended."""
    _, person = _to_manage(session, actor, person_id, reason, now)
    if person.disabled_at is None:
        raise AlreadyDone("This person is not disabled. Nothing was done.")
    person.disabled_at = None
    _note(session, now, "enabled", actor, person, {"reason": reason.strip()})
    return person


def set_roles(
    session: Session,
    actor: Actor,
    person_id: UUID,
    roles: Collection[str],
    reason: str,
    now: datetime,
) -> Person:
    """What a person may do from now on; it holds from their next click."""
    organisation, person = _to_manage(session, actor, person_id, reason, now)
    given = invitations.checked_roles(roles, organisation)
    if given is None:
        raise Invalid([invitations.roles_fault(organisation)])
    before = person.role_set
    losing = _administers(person, organisation) and organisations.keeper(organisation) not in given
    if losing and person.disabled_at is None and not _others(session, person, organisation):
        raise _last(person, actor)
    for row in [row for row in person.roles if row.role not in given]:
        person.roles.remove(row)
    person.roles.extend(PersonRole(role=role) for role in sorted(given - before))
    told = {"reason": reason.strip(), "before": sorted(before), "roles": sorted(given)}
    _note(session, now, "roles_changed", actor, person, told)
    return person


def _to_manage(
    session: Session, actor: Actor, person_id: UUID, reason: str, now: datetime
) -> tuple[Authority | Provider, Person]:
    """The organisation, held, and the person, where the actor may act on them now."""
    demand(actor, Verb.MANAGE_PEOPLE)
    found = find(session, actor, person_id)  # absent is said before anything else is asked for
    guards.fresh_factor(actor, now)
    check_texts(("/reason", reason, LONGEST_REASON))
    if not reason.strip():
        raise Invalid([FieldError("/reason", "Say why: it stands in the portal log.")])
    # Held, so that two administrators cannot remove each other at one moment.
    organisation = organisations.held(session, actor)
    session.refresh(found, with_for_update={"of": Person})
    return organisation, found


def find(session: Session, actor: Actor, person_id: UUID) -> Person:
    """A person of the actor's own organisation; another's is as good as absent."""
    query = select(Person).where(Person.id == person_id, organisations.of_same(Person, actor))
    person = session.scalars(query).one_or_none()
    if person is None:
        raise NotFound
    return person


def _administers(person: Person, organisation: Authority | Provider) -> bool:
    return organisations.keeper(organisation) in person.role_set


def _others(session: Session, person: Person, organisation: Authority | Provider) -> int:
    """How many other administrators of the organisation can sign in."""
    same = (
        Person.authority_id == organisation.id
        if isinstance(organisation, Authority)
        else Person.provider_id == organisation.id
    )
    query = (
        select(func.count())
        .select_from(Person)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(
            same,
            Person.id != person.id,
            Person.disabled_at.is_(None),
            PersonRole.role == organisations.keeper(organisation),
        )
    )
    return session.scalar(query) or 0


def _last(person: Person, actor: Actor) -> Forbidden:
    who = "You are" if person.id == actor.person_id else f"{person.name} is"
    return Forbidden(f"{who} the only administrator left: {LAST}")


def _take_back(session: Session, person: Person, actor: Actor, now: datetime) -> list[str]:
    """Doors that a hijacked account may have opened for others, or for itself."""
    session.execute(
        update(FactorReset)
        .where(
            FactorReset.asked_by_id == person.id,
            FactorReset.done_at.is_(None),
            FactorReset.cancelled_at.is_(None),
        )
        .values(cancelled_at=now, cancelled_by_id=actor.person_id)
        .execution_options(synchronize_session=False)
    )
    gone = session.scalars(
        update(Invitation)
        .where(
            or_(Invitation.invited_by_id == person.id, Invitation.person_id == person.id),
            Invitation.used_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .values(revoked_at=now)
        .returning(Invitation.id)
        .execution_options(synchronize_session=False)
    )
    return sorted(str(row) for row in gone)


def _note(
    session: Session,
    now: datetime,
    type_: str,
    actor: Actor,
    person: Person,
    told: dict[str, Any],
) -> None:
    data = {"person": str(person.id), "name": person.name, **told, **portal_log.by(actor)}
    whose = portal_log.organisation_of(person)
    portal_log.note(session, now, type_, actor.id, whose, data)
