"""Who is told what becomes of a memorandum, and that both organisations' logs have it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Role, Side
from liaison.models import Memorandum, Person, PersonRole
from liaison.services import outbox, portal_log

SIGNERS = {Side.AUTHORITY: Role.SUPERVISOR, Side.PROVIDER: Role.PROVIDER_ADMINISTRATOR}


def day_words(day: date) -> str:
    """A day as letters say it: ``3 Mar 2027``."""
    return f"{day.day} {day:%b %Y}"


def side_of(actor: Actor) -> Side:
    """The side on which an actor stands."""
    return Side.PROVIDER if actor.is_provider else Side.AUTHORITY


def other(side: Side) -> Side:
    """The side across."""
    return Side.AUTHORITY if side is Side.PROVIDER else Side.PROVIDER


def signers(session: Session, memorandum: Memorandum, side: Side) -> list[Person]:
    """Who can sign for a side: the authority's supervisors, the provider's administrators."""
    of_side = (
        Person.authority_id == memorandum.authority_id
        if side is Side.AUTHORITY
        else Person.provider_id == memorandum.provider_id
    )
    return list(
        session.scalars(
            select(Person)
            .where(
                of_side,
                Person.disabled_at.is_(None),
                Person.id.in_(select(PersonRole.person_id).where(PersonRole.role == SIGNERS[side])),
            )
            .order_by(Person.id)
        )
    )


def tell(
    session: Session,
    memorandum: Memorandum,
    sides: Iterable[Side],
    letter: str,
    told: dict[str, Any],
    reason: str,
    now: datetime,
) -> int:
    """Queues a letter to the signers of these sides; how many. ``reason`` names the occasion.

    The terms themselves never stand in a letter: it says where to read them.
    """
    params = {
        "reference": memorandum.reference,
        "version": memorandum.version,
        "authority": memorandum.authority.name,
        "provider": memorandum.provider.name,
        "path": f"/memoranda/{memorandum.id}",
        **told,
    }
    key = f"{letter}:{memorandum.id}:{reason}"
    return sum(
        outbox.queue_letter(
            session,
            person.email,
            f"register/{letter}",
            {**params, "name": person.name},
            key,
            now,
        )
        for side in sides
        for person in signers(session, memorandum, side)
    )


def note(
    session: Session,
    actor: Actor,
    memorandum: Memorandum,
    type_: str,
    told: dict[str, Any],
    now: datetime,
) -> None:
    """Writes it into the log of both organisations.

    The provider's is marked as a copy: the auditors of authorities read what providers do, and
    are not to read what one has agreed with another authority.
    """
    data = {
        "memorandum": str(memorandum.id),
        "ref": memorandum.reference,
        "version": memorandum.version,
        "name": f"{memorandum.reference}, version {memorandum.version}",
        **told,
    }
    by = portal_log.by(actor)
    ours, theirs = f"authority:{memorandum.authority_id}", f"provider:{memorandum.provider_id}"
    portal_log.note(session, now, type_, actor.id, ours, {**data, **by})
    seen = by if actor.is_provider else {"by": by["by"]}  # from where is their own business
    portal_log.note(session, now, type_, actor.id, theirs, {**data, **seen, "copy": True})
