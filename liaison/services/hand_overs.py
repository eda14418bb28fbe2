"""A shift hands the desk over to the next: one person gives, another takes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.domain.reading import LONGEST_MESSAGE, LONGEST_NOTE, check_texts
from liaison.domain.vocabulary import Role
from liaison.errors import FieldError, Forbidden, Invalid, InvalidTransition
from liaison.models import Authority, HandOver
from liaison.queries import hand_over as query
from liaison.services import portal_log


def give(session: Session, actor: Actor, notes: str, now: datetime) -> HandOver:
    """Signs the shift off: what stands open now is kept as it is told.

    One waits at a time; nobody is let off the desk by it before another person has taken it.
    """
    demand(actor, Verb.HAND_OVER)
    check_texts(("/notes", notes, LONGEST_MESSAGE))
    if not notes.strip():
        detail = "Write what the next shift must know beside the list, or that there is nothing."
        raise Invalid([FieldError("/notes", detail)])
    authority = _hold_desk(session, actor)
    standing = query.waiting(session, actor)
    if standing is not None:
        raise InvalidTransition(
            f"{standing.given_by} has handed over already and nobody has taken it. Nothing was "
            "done. Take that one over first, or have it called off."
        )
    told = query.desk(session, actor, now).told()
    made = HandOver(
        authority_id=authority,
        given_by_id=actor.person_id,
        given_by=actor.name,
        given_at=now,
        notes=notes.strip(),
        told=told,
    )
    session.add(made)
    session.flush()
    _note(session, "hand_over_given", actor, made, now)
    return made


def take(session: Session, actor: Actor, id_: UUID, note: str, now: datetime) -> HandOver:
    """Another person takes the desk over, having read what was told."""
    demand(actor, Verb.HAND_OVER)
    found = _waiting(session, actor, id_)
    check_texts(("/note", note, LONGEST_NOTE))
    if found.given_by_id == actor.person_id:
        raise Forbidden("Another person takes over what you handed over; nothing was done.")
    found.taken_by_id, found.taken_by, found.taken_at = actor.person_id, actor.name, now
    found.taken_note = note.strip() or None
    session.flush()
    _note(session, "hand_over_taken", actor, found, now)
    return found


def cancel(session: Session, actor: Actor, id_: UUID, now: datetime) -> HandOver:
    """Calls one off that nobody has taken: whoever gave it, or a supervisor."""
    demand(actor, Verb.HAND_OVER)
    found = _waiting(session, actor, id_)
    if found.given_by_id != actor.person_id and Role.SUPERVISOR not in actor.roles:
        raise Forbidden("Whoever handed over calls it off, or a supervisor; nothing was done.")
    found.cancelled_at = now
    session.flush()
    _note(session, "hand_over_cancelled", actor, found, now)
    return found


def _hold_desk(session: Session, actor: Actor) -> UUID:
    """One hand-over at a time begins at a contact point."""
    row = select(Authority.id).where(Authority.id == actor.authority_id)
    held = session.scalar(row.with_for_update(key_share=True))
    if held is None or actor.person_id is None:
        raise Forbidden("Only a person of a contact point hands over.")
    return held


def _waiting(session: Session, actor: Actor, id_: UUID) -> HandOver:
    found = query.find(session, actor, id_, lock=True)
    if found.taken_at is not None:
        raise InvalidTransition(f"{found.taken_by} has taken it over already. Nothing was done.")
    if found.cancelled_at is not None:
        raise InvalidTransition("It was called off meanwhile. Nothing was done.")
    return found


def _note(session: Session, type_: str, actor: Actor, about: HandOver, now: datetime) -> None:
    told = {"hand_over": str(about.id), "given_by": about.given_by, "told": len(about.told)}
    organisation = portal_log.organisation_of_actor(actor)
    portal_log.note(session, now, type_, actor.id, organisation, {**told, **portal_log.by(actor)})
