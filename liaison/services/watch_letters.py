"""Who is written to when the portal itself fails: those at the contact point who can act.

A letter about the portal belongs to no order, and says nothing of one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import Function, MemorandumState, Role, Status
from liaison.models import Authority, Contact, Memorandum, Person, PersonRole
from liaison.queries import duty, registry
from liaison.services import outbox

_OURS = (Function.DUTY_OFFICER, Function.SUPERVISOR)


def tell_all(
    session: Session, letter: str, params: Mapping[str, Any], key: str, now: datetime
) -> int:
    """Every contact point: its duty officers, its supervisor, its administrators; how many."""
    active = select(Authority.id).where(Authority.status == Status.ACTIVE).order_by(Authority.id)
    readers: dict[str, str] = {}
    for authority_id in session.scalars(active).all():
        readers |= people(session, Person.authority_id == authority_id, Role.ADMINISTRATOR)
        readers |= duty_officers(session, authority_id, now, *_OURS)
    return send(session, readers, letter, params, key, now)


def tell_partners(
    session: Session,
    provider_id: UUID,
    letter: str,
    params: Mapping[str, Any],
    key: str,
    now: datetime,
) -> int:
    """The duty officers of every contact point that has agreed with a provider; how many."""
    parties = select(Memorandum.authority_id).where(
        Memorandum.provider_id == provider_id, Memorandum.state == MemorandumState.AGREED
    )
    readers: dict[str, str] = {}
    for authority_id in session.scalars(parties.distinct()).all():
        readers |= duty_officers(session, authority_id, now, Function.DUTY_OFFICER)
    return send(session, readers, letter, params, key, now)


def send(
    session: Session,
    readers: Mapping[str, str],
    letter: str,
    params: Mapping[str, Any],
    key: str,
    now: datetime,
) -> int:
    """Queues the letter to each, by address and name; how many."""
    return sum(
        outbox.queue_letter(
            session, address, letter, {**params, "name": name}, key, now, urgent=True
        )
        for address, name in readers.items()
    )


def duty_officers(
    session: Session, authority_id: UUID, now: datetime, *functions: Function
) -> dict[str, str]:
    """Names by address: whoever is on duty, and those registered for the functions."""
    registered: Iterable[Contact] = session.scalars(
        select(Contact)
        .where(
            Contact.authority_id == authority_id,
            Contact.function.in_(functions),
            *registry.usable(now),
        )
        .order_by(Contact.position, Contact.id)
    )
    on_duty = duty.on_duty(session, duty.Owner(authority_id=authority_id), now)
    meant = [*on_duty, *registered]
    return {contact.email: contact.name for contact in meant if contact.email_verified_at}


def people(session: Session, ours: ColumnElement[bool], *roles: Role) -> dict[str, str]:
    """Names by address: those of these roles who have not been let go."""
    rows: Iterable[Person] = session.scalars(
        select(Person)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(ours, Person.disabled_at.is_(None), PersonRole.role.in_(roles))
        .order_by(Person.email)
    )
    return {person.email: person.name for person in rows}
