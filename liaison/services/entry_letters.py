"""Who is told when an entry of the register changes: its own administrators, never in silence."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import MemorandumState, Role
from liaison.models import Authority, Invitation, Memorandum, Person, PersonRole, Provider
from liaison.models.base import new_id
from liaison.services import outbox

WORDS = {
    "name": "the name",
    "legal_name": "the legal name",
    "kind": "the kind",
    "country": "the country",
    "time_zone": "the time zone",
    "status": "the status",
    "domains": "the domains",
    "as_numbers": "the network numbers",
    "address_ranges": "the address ranges",
    "phone_prefixes": "the phone prefixes",
    "services": "the services",
    "languages": "the languages",
    "postal_address": "the postal address",
    "phone": "the phone number",
    "email": "the e-mail address",
    "office_hours": "the office hours",
    "preferred_answer": "the preferred way of answer",
}
"""Fields of an entry as a letter names them; the values stand in the portal."""


def tell_provider(
    session: Session,
    provider: Provider,
    changed: Collection[str],
    actor: Actor,
    now: datetime,
    base_url: str,
) -> None:
    """A letter to the provider's administrators; to its SPOCs where it has none.

    Of another domain the ``watchers`` hear as well.
    """
    of = Person.provider_id == provider.id
    readers = _people(session, of, Role.PROVIDER_ADMINISTRATOR) or _people(session, of, Role.SPOC)
    if "domains" in changed:
        # People are invited by them, and whoever comes in reads orders and answers them.
        known = {reader.id for reader in readers}
        readers += [one for one in watchers(session, provider) if one.id not in known]
    link = _link(base_url, "providers", provider.id)
    _queue(session, readers, provider, changed, actor, now, link)


def watchers(session: Session, provider: Provider) -> list[Person]:
    """Who would notice that somebody takes a provider over.

    Its SPOCs, and the supervisors of every authority that has agreed a memorandum with it.
    """
    agreed = select(Memorandum.authority_id).where(
        Memorandum.provider_id == provider.id, Memorandum.state == MemorandumState.AGREED
    )
    theirs = _people(session, Person.authority_id.in_(agreed), Role.SUPERVISOR)
    return [*_people(session, Person.provider_id == provider.id, Role.SPOC), *theirs]


def tell_of_first_administrator(
    session: Session, provider: Provider, row: Invitation, actor: Actor, now: datetime
) -> None:
    """A letter to the ``watchers``: whoever is invited keeps the provider's people from then on."""
    for reader in watchers(session, provider):
        params = {
            "name": reader.name,
            "entry": provider.name,
            "invited": row.name,
            "email": row.email,
            "by": actor.name,
            "organisation": actor.organisation,
            "at": now.isoformat(),
        }
        outbox.queue_letter(
            session,
            reader.email,
            "register/first_administrator",
            params,
            f"first_administrator:{row.id}",
            now,
        )


def tell_authority(
    session: Session,
    authority: Authority,
    changed: Collection[str],
    actor: Actor,
    now: datetime,
    base_url: str,
) -> None:
    """A letter to the authority's administrators, but for the one who did it."""
    of = (Person.authority_id == authority.id) & (Person.id != actor.person_id)
    link = _link(base_url, "authorities", authority.id)
    readers = _people(session, of, Role.ADMINISTRATOR)
    _queue(session, readers, authority, changed, actor, now, link)


def _people(session: Session, of: ColumnElement[bool], role: Role) -> list[Person]:
    return list(
        session.scalars(
            select(Person)
            .join(PersonRole, PersonRole.person_id == Person.id)
            .where(of, Person.disabled_at.is_(None), PersonRole.role == role)
            .order_by(Person.email)
        )
    )


def _queue(
    session: Session,
    readers: Collection[Person],
    row: Provider | Authority,
    changed: Collection[str],
    actor: Actor,
    now: datetime,
    link: str,
) -> None:
    act = new_id()
    for reader in readers:
        params = {
            "name": reader.name,
            "entry": row.name,
            "changed": ", ".join(WORDS[name] for name in changed),
            "by": actor.name,
            "organisation": actor.organisation,
            "at": now.isoformat(),
            "link": link,
        }
        outbox.queue_letter(
            session, reader.email, "register/entry_changed", params, f"entry_changed:{act}", now
        )


def _link(base_url: str, place: str, row_id: UUID) -> str:
    """Empty where the caller knows no address: the letter then links to the portal itself."""
    return f"{base_url.rstrip('/')}/{place}/{row_id}" if base_url else ""
