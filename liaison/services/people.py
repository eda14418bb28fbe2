"""The people of one's own organisation: their roles, and taking access back at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.vocabulary import Role
from liaison.errors import FieldError, Forbidden, Invalid, NotFound
from liaison.models import Authority, Person, PersonRole, Provider
from liaison.services import (
    access_letters,
    guards,
    invitations,
    organisations,
    portal_log,
    reviews,
    sign_ins,
    taking_back,
)
from liaison.services.organisations import AlreadyDone

LAST = "the last administrator cannot remove themselves. Make somebody else administrator first."
LAST_AUDITOR = "the last auditor stays. Make somebody else auditor first."
TO_ONESELF = "Nobody gives roles to themselves: another administrator does it. Nothing was done."


def disable(session: Session, actor: Actor, person_id: UUID, reason: str, now: datetime) -> Person:
    """Takes a person's access away, now.

    Their sessions end, the keys they made are revoked, so are the invitations and resets they
    asked for; what they signed in drafts, and their vouches for orders that are still doubted,
    count no longer; the open orders they touched are listed, each to be looked at by another
    person.
    """
    organisation, person = _to_manage(session, actor, person_id, reason, now)
    if person.disabled_at is not None:
        raise AlreadyDone("This person is disabled already. Nothing was done.")
    _demand_others(session, actor, person, organisation, person.role_set)
    person.disabled_at = now
    told: dict[str, Any] = {"reason": reason.strip(), "person": str(person.id)}
    told["sessions"] = sign_ins.end_all(session, person.id, "disabled", now)
    told |= taking_back.take_back(session, person, actor, now)
    told |= taking_back.void_signatures(session, person, now)
    told |= taking_back.void_vouches(session, person, actor, now)
    told["reviews"] = reviews.open_for(session, person, now)
    _note(session, now, "disabled", actor, person, told)
    what = f"The account of {person.name} was disabled: nobody signs in with it any more."
    access_letters.tell(session, actor, what, now, person=person)
    return person


def enable(session: Session, actor: Actor, person_id: UUID, reason: str, now: datetime) -> Person:
    """Lets a person in again. What ended with their access stays ended."""
    _, person = _to_manage(session, actor, person_id, reason, now)
    if person.disabled_at is None:
        raise AlreadyDone("This person is not disabled. Nothing was done.")
    person.disabled_at = None
    _note(session, now, "enabled", actor, person, {"reason": reason.strip()})
    what = f"The account of {person.name}, which was disabled, was enabled again."
    access_letters.tell(session, actor, what, now, person=person)
    return person


def set_roles(
    session: Session,
    actor: Actor,
    person_id: UUID,
    roles: Collection[str],
    reason: str,
    now: datetime,
) -> Person:
    """What a person may do from now on; it holds from their next click.

    Nobody gives roles to themselves. An administrator who is none any more leaves no key,
    invitation or reset behind.
    """
    organisation, person = _to_manage(session, actor, person_id, reason, now)
    given = invitations.checked_roles(roles, organisation)
    if given is None:
        raise Invalid([invitations.roles_fault(organisation)])
    before = person.role_set
    if person.disabled_at is None:
        _demand_others(session, actor, person, organisation, before - given)
    if person.id == actor.person_id and given - before:
        raise Forbidden(TO_ONESELF)
    for row in [row for row in person.roles if row.role not in given]:
        person.roles.remove(row)
    person.roles.extend(PersonRole(role=role) for role in sorted(given - before))
    told: dict[str, Any] = {"reason": reason.strip()}
    told |= {"before": sorted(before), "roles": sorted(given)}
    if organisations.keeper(organisation) in before - given:
        told |= taking_back.take_back(session, person, actor, now)
    if (before - given) & {Role.SUPERVISOR, Role.PROVIDER_ADMINISTRATOR}:
        told |= taking_back.void_signatures(session, person, now)
    if not given & {Role.OFFICER, Role.SUPERVISOR}:
        told |= taking_back.void_vouches(session, person, actor, now)
    _note(session, now, "roles_changed", actor, person, told)
    what = f"{person.name} has other roles now: {_words(given)}; before: {_words(before)}."
    access_letters.tell(session, actor, what, now, person=person)
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


def _demand_others(
    session: Session,
    actor: Actor,
    person: Person,
    organisation: Authority | Provider,
    lost: Collection[Role],
) -> None:
    """``Forbidden`` where an organisation would be left with no administrator, or no auditor.

    Without its last auditor an authority's log has no other reader than its administrators.
    """
    if organisations.keeper(organisation) in lost:
        _demand_other(session, actor, person, organisations.keeper(organisation), LAST)
    if Role.AUDITOR in lost:
        _demand_other(session, actor, person, Role.AUDITOR, LAST_AUDITOR)


def _demand_other(session: Session, actor: Actor, person: Person, role: Role, rule: str) -> None:
    """``Forbidden`` unless somebody else of the organisation, who can sign in, has the role."""
    others = (
        select(func.count())
        .select_from(Person)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(
            organisations.of_same(Person, actor),
            Person.id != person.id,
            Person.disabled_at.is_(None),
            PersonRole.role == role,
        )
    )
    if not session.scalar(others):
        who = "You are" if person.id == actor.person_id else f"{person.name} is"
        office = "auditor" if role is Role.AUDITOR else "administrator"
        raise Forbidden(f"{who} the only {office} left: {rule}")


def _words(roles: Collection[Role]) -> str:
    return ", ".join(role.label for role in Role if role in roles)


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
