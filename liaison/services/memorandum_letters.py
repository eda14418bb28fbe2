"""Who is told what becomes of a memorandum, and that both organisations' logs have it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Function, Role, Side
from liaison.models import Memorandum, Person, PersonRole
from liaison.services import outbox, portal_log

SIGNERS = {Side.AUTHORITY: Role.SUPERVISOR, Side.PROVIDER: Role.PROVIDER_ADMINISTRATOR}
WORKERS = {Side.AUTHORITY: Role.ADMINISTRATOR, Side.PROVIDER: Role.SPOC}
"""Whom to tell where nobody can sign."""


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
    return _people(session, memorandum, side, SIGNERS[side])


def readers(session: Session, memorandum: Memorandum, side: Side) -> dict[str, str]:
    """Names by address of whom to tell on a side: whoever can sign.

    Where nobody can, whoever works there is told; where nobody does, the SPOCs' registered
    addresses. A memorandum that ends or changes concerns them before anybody can sign again.
    """
    people = signers(session, memorandum, side) or _people(session, memorandum, side, WORKERS[side])
    if people:
        return {person.email: person.name for person in people}
    if side is Side.AUTHORITY:
        return {memorandum.authority.email: memorandum.authority.name}
    return {
        contact.email: contact.name
        for contact in memorandum.provider.contacts
        if contact.function in (Function.PRIMARY, Function.DEPUTY)
        and contact.email_verified_at is not None
        and contact.removed_at is None
    }


def _people(session: Session, memorandum: Memorandum, side: Side, role: Role) -> list[Person]:
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
                Person.id.in_(select(PersonRole.person_id).where(PersonRole.role == role)),
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
    *,
    daily: bool = False,
) -> int:
    """Queues a letter to the readers of these sides; how many. ``reason`` names the occasion.

    ``daily``: one of the kind a day at most between the two, whichever memorandum it is about.

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
    if daily:
        key = f"{letter}:{memorandum.authority_id}:{memorandum.provider_id}:{now.date()}"
    return sum(
        outbox.queue_letter(
            session,
            address,
            f"register/{letter}",
            {**params, "name": name},
            key,
            now,
        )
        for side in sides
        for address, name in readers(session, memorandum, side).items()
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
