"""What a ladder would lose by a contact: the rungs that nobody else would be reached by."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, joinedload, selectinload

from liaison.domain import terms_words
from liaison.domain.ladder import Rung, Whom
from liaison.domain.lifecycle import OrderState
from liaison.domain.terms import terms_from_json
from liaison.domain.vocabulary import Channel, Function, Urgency
from liaison.models import Contact, Memorandum, Order
from liaison.queries import binding
from liaison.queries.duty import is_verified
from liaison.queries.registry import usable, ways

FUNCTIONS: dict[Whom, frozenset[Function]] = {
    Whom.ON_DUTY: frozenset({Function.PRIMARY}),
    Whom.EVERY_SPOC: frozenset({Function.PRIMARY, Function.DEPUTY}),
    Whom.FALLBACK: frozenset({Function.FALLBACK}),
    Whom.DUTY_OFFICER: frozenset({Function.DUTY_OFFICER}),
    Whom.SUPERVISOR: frozenset({Function.SUPERVISOR}),
}
"""Who is meant by a rung where nobody is on duty by a rota."""

_TOP = (Function.DUTY_OFFICER, Function.SUPERVISOR)
"""Whom every ladder ends with: an authority keeps one of each."""


def agreed(session: Session, contact: Contact, now: datetime) -> list[Memorandum]:
    """The memoranda that bind a contact's organisation to another."""
    return memoranda(session, _whose(contact, Memorandum), now)


def memoranda(session: Session, party: ColumnElement[bool], now: datetime) -> list[Memorandum]:
    """Memoranda that bind: agreed and not ended, for a while after, or orders are under way."""
    return _memoranda(session, party, binding.binds(now))


def _memoranda(
    session: Session, party: ColumnElement[bool], which: ColumnElement[bool]
) -> list[Memorandum]:
    return list(
        session.scalars(
            select(Memorandum)
            .where(party, which)
            .options(joinedload(Memorandum.authority), joinedload(Memorandum.provider))
            .order_by(Memorandum.reference, Memorandum.version)
        )
    )


def _whose(contact: Contact, table: type[Memorandum | Order | Contact]) -> ColumnElement[bool]:
    if contact.authority_id is not None:
        return table.authority_id == contact.authority_id
    return table.provider_id == contact.provider_id


def lost(session: Session, contact: Contact, after: dict[str, Any], now: datetime) -> str | None:
    """Says which rung would reach nobody once a contact is what ``after`` says; None: none would.

    ``after`` has ``function`` and ``channels`` where they change, or ``removed``. A contact whose
    own entry is about to go, or to change its function, does not count as another. Ladders are
    those of the memoranda that count now or will, and those that orders have begun to climb.
    """
    if not _counts(contact, now):
        return None
    others = [other for other in _others(session, contact, now) if _stays(other)]
    for role in _TOP:
        if contact.function is role and _leaves(after, role) and not _any(others, {role}):
            return (
                f"{contact.name} is the only {role.label.lower()} who can be reached: the rung "
                f"“Our {role.label.lower()}”, with which ladders end, would reach nobody. Enter "
                "and verify another one first."
            )
    for climb in _climbs(session, contact, now):
        for rung in climb.rungs:
            if _reached(contact, rung) and not (
                _reached(contact, rung, after) or any(_reached(other, rung) for other in others)
            ):
                return _said(contact, climb, rung)
    return None


@dataclass(frozen=True)
class _Climb:
    """A ladder and where it stands: in a memorandum, or in an order that climbs it."""

    where: str
    rungs: tuple[Rung, ...]
    instead: str
    """What to do first where it names a contact."""


def _climbs(session: Session, contact: Contact, now: datetime) -> Iterator[_Climb]:
    for memorandum in _memoranda(session, _whose(contact, Memorandum), binding.rules(now)):
        for urgency, ladder in terms_from_json(memorandum.terms).ladders.items():
            where = f"{urgency.label.lower()} orders, memorandum {memorandum.reference}"
            yield _Climb(where, ladder.rungs, "Agree a memorandum that names another")
    for order in _climbing(session, contact):
        ladder = terms_from_json(order.terms or {}).ladders[order.urgency]
        where = f"order {order.ref}, which is under way"
        yield _Climb(where, ladder.rungs, "Wait until it is answered")


def _climbing(session: Session, contact: Contact) -> list[Order]:
    """One open order for each memorandum and urgency: all of these have the same ladder."""
    some: dict[tuple[UUID | None, Urgency], UUID] = {}
    open_ones = [state for state in OrderState if state.is_open]
    for id_, memorandum_id, urgency in session.execute(
        select(Order.id, Order.memorandum_id, Order.urgency)
        .where(_whose(contact, Order), Order.state.in_(open_ones))
        .order_by(Order.id)
    ):
        some.setdefault((memorandum_id, urgency), id_)
    return list(session.scalars(select(Order).where(Order.id.in_(some.values()))))


def _said(contact: Contact, climb: _Climb, rung: Rung) -> str:
    by = terms_words.ways(rung.channels, "or")
    way = climb.instead if rung.whom is Whom.NAMED else "Enter another"
    return (
        f"{contact.name} is the only one whom the rung “{rung.whom.label}” reaches by {by} "
        f"({climb.where}). {way} first."
    )


def _reached(contact: Contact, rung: Rung, after: dict[str, Any] | None = None) -> bool:
    """Whether a rung reaches a contact, as it is or as it would be."""
    after = after or {}
    if after.get("removed"):
        return False
    function = Function(after.get("function", contact.function))
    if rung.whom is Whom.NAMED:
        meant = rung.contact == str(contact.id)
    else:
        meant = function in FUNCTIONS[rung.whom]
    by = ways(contact)
    if "channels" in after:
        # The ways that are verified; one that was not registered before may be among them.
        by = frozenset(c for c in map(Channel, after["channels"]) if is_verified(contact, c))
    return meant and bool(by & set(rung.channels))


def _counts(contact: Contact, now: datetime) -> bool:
    begun = contact.usable_from is None or contact.usable_from <= now
    return begun and contact.removed_at is None and bool(ways(contact))


def _leaves(after: dict[str, Any], role: Function) -> bool:
    return bool(after.get("removed")) or after.get("function", role) != role


def _others(session: Session, contact: Contact, now: datetime) -> list[Contact]:
    return list(
        session.scalars(
            select(Contact)
            .where(_whose(contact, Contact), Contact.id != contact.id, *usable(now))
            .options(selectinload(Contact.changes))
            .execution_options(populate_existing=True)
        )
    )


def _stays(other: Contact) -> bool:
    waiting = other.open_change
    return waiting is None or not ({"removed", "function", "channels"} & set(waiting.values))


def _any(others: Collection[Contact], functions: Collection[Function]) -> bool:
    return any(other.function in functions and ways(other) for other in others)
