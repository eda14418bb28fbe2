"""What every way of issuing an order shares: the factor, the memorandum, the person in charge."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.errors import Forbidden, OutsideTerms
from liaison.models import Order, Person
from liaison.queries import issue as issuing
from liaison.services import drill_orders, ledger, order_rows, passkeys, serving
from liaison.services.guards import fresh_factor


def demand_factor(session: Session, order: Order, actor: Actor, now: datetime) -> None:
    """A second factor of the last five minutes, by a person whose access stands.

    A passkey of a day's age where the authority says so. Access that was ended after the person
    signed in counts at once: it is asked of the database in the act itself. The person is held
    (shared) until it is done, so that it cannot be ended beside it.
    """
    fresh_factor(actor, now, passkey=order.authority.passkey_to_issue)
    if order.authority.passkey_to_issue:
        passkeys.demand_settled(session, actor, now)
    standing = (
        select(Person.id)
        .where(Person.id == actor.person_id, Person.disabled_at.is_(None))
        .with_for_update(read=True, of=Person)
    )
    if session.scalar(standing) is None:
        raise Forbidden("Your access has been ended. Nothing was sent.")


def within_terms(session: Session, order: Order, actor: Actor, now: datetime) -> issuing.Ruling:
    """What the memorandum in force says; ``OutsideTerms`` where it does not allow the order."""
    ruling = issuing.rule(session, order, actor, now)
    if ruling.breaches:
        raise OutsideTerms(
            ruling.breaches, "The memorandum does not allow this order. Nothing was sent."
        )
    return ruling


def demand_terms(session: Session, order: Order, actor: Actor, now: datetime) -> None:
    """Refuses what the memorandum allows to nobody, whoever will authorise it."""
    within_terms(session, order, replace(actor, roles=frozenset()), now)


def serve(
    session: Session, order: Order, ruling: issuing.Ruling, actor: Actor, now: datetime
) -> list[ledger.Record]:
    """Completes the order with its person in charge and serves it on its provider.

    A drill at that provider gives way to an emergency. Gives back what the ledger must say.
    """
    officer = order.officer
    assert officer is not None, "whoever submits or issues an order is in charge of it"
    order_rows.complete_officer(order, order.authority, officer.name, officer.email)
    broken_off = drill_orders.give_way(session, order, now)
    return [*broken_off, *serving.serve(session, order, ruling, actor, now)]


def put_in_charge(session: Session, order: Order, actor: Actor) -> None:
    """The person who submits an order, or issues it at once, is in charge of it."""
    person = session.get(Person, actor.person_id) if actor.person_id else None
    if person is None:
        raise Forbidden("Only a person can be in charge of an order. Sign in to the portal first.")
    order.officer, order.officer_id = person, person.id
    named = {"name": person.name, "email": person.email}
    order.issuing_officer = order.issuing_officer | named  # whatever was typed before
