"""Who wrote an order: they can neither authorise nor ratify it, whatever their roles."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import Role
from liaison.errors import FieldError, Forbidden, Invalid
from liaison.models import Order, OrderWriter, Person
from liaison.models.base import insert_once
from liaison.queries import four_eyes

MOST_NAMED = 10
"""People whom a program can name as an order's writers."""

WHO_CAN = "Another officer or supervisor of your contact point can"


def note_writer(session: Session, order: Order, person_id: UUID | None, now: datetime) -> None:
    """Notes that a person wrote any part of an order; once, however often they wrote.

    An import or the clock has no person: then whoever submits is a writer. For a contact point's
    program it is whoever made its key (``Actor.writer_id``).
    """
    if person_id is None:
        return
    session.flush()  # a new order's row must be there first
    insert_once(session, OrderWriter, {"order_id": order.id, "person_id": person_id, "at": now})
    session.expire(order, ["writers"])


def name_writers(session: Session, order: Order, emails: Sequence[str], now: datetime) -> list[str]:
    """Notes people of the order's contact point as its writers, by their addresses; their names.

    A program knows who typed what it submits; the portal cannot. ``Invalid`` names each stranger.
    """
    found = [
        session.scalars(
            select(Person).where(
                Person.email == email.strip().lower(), Person.authority_id == order.authority_id
            )
        ).one_or_none()
        for email in emails
    ]
    stranger = "Nobody of your contact point has this address."
    faults = [FieldError(f"/written_by/{i}", stranger) for i, p in enumerate(found) if p is None]
    if faults:
        raise Invalid(faults)
    for person in found:
        note_writer(session, order, person.id if person else None, now)
    return [person.name for person in found if person]


def demand_own_draft(order: Order, actor: Actor) -> None:
    """Keeps a program off the drafts that a person wrote or has in charge.

    A stolen key then spoils nothing that people are at work on.
    """
    if Role.CASE_SYSTEM in actor.roles and order.officer_id is not None:
        raise Forbidden(
            "A person is in charge of this draft: a program changes it no more. Change it in the "
            "portal. Nothing was changed."
        )


def take_over(session: Session, source: Order, made: Sequence[Order], now: datetime) -> None:
    """Orders that begin with the text of an earlier one have its writers, too."""
    wrote = select(OrderWriter.person_id).where(OrderWriter.order_id == source.id)
    people = session.scalars(wrote.order_by(OrderWriter.at, OrderWriter.person_id)).all()
    for order in made:
        for person_id in people:
            note_writer(session, order, person_id, now)


def demand_another(session: Session, order: Order, actor: Actor, what: str) -> None:
    """Refuses unless the actor is a person who wrote nothing of the order.

    ``what``: "authorise" or "ratify", for the words of the refusal.
    """
    if actor.person_id is None:
        raise Forbidden(f"Only a person can {what} an order. Nothing was changed.")
    if four_eyes.has_written(session, order, actor):
        names = ", ".join(four_eyes.others(session, order))
        can = f"{WHO_CAN}: {names}" if names else f"{WHO_CAN}; there is nobody else yet"
        raise Forbidden(
            f"You wrote, changed or submitted this order, so you cannot {what} it: that takes "
            f"a second pair of eyes. {can}. Nothing was changed."
        )
