"""An authority's rule about passkeys, and whom it would stop."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import Role
from liaison.models import Authority, Passkey, Person, PersonRole


@dataclass(frozen=True)
class Rules:
    """The rule, and who may issue orders but has no passkey: names, sorted."""

    authority: str
    passkey_to_issue: bool
    without_passkey: tuple[str, ...]


def of_authority(session: Session, authority: Authority) -> Rules:
    """The rules of an authority; who asks has been checked."""
    without = session.scalars(
        select(Person.name)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(
            Person.authority_id == authority.id,
            Person.disabled_at.is_(None),
            PersonRole.role.in_((Role.OFFICER, Role.SUPERVISOR)),
            Person.id.not_in(select(Passkey.person_id)),
        )
        .distinct()
        .order_by(Person.name)
    )
    return Rules(authority.name, authority.passkey_to_issue, tuple(without))
