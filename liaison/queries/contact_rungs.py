"""What a ladder would lose by a contact: the rungs that nobody else would be reached by."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from liaison.domain.ladder import Rung, Whom
from liaison.domain.terms import terms_from_json
from liaison.domain.vocabulary import Channel, Function, MemorandumState, Urgency
from liaison.models import Contact, Memorandum
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
    """The memoranda of a contact's organisation that are agreed and have not ended."""
    party = (
        Memorandum.authority_id == contact.authority_id
        if contact.authority_id is not None
        else Memorandum.provider_id == contact.provider_id
    )
    return memoranda(session, party, now)


def memoranda(session: Session, party: ColumnElement[bool], now: datetime) -> list[Memorandum]:
    """Memoranda that are agreed and have not ended, in force already or not."""
    today = now.astimezone(UTC).date()
    return list(
        session.scalars(
            select(Memorandum)
            .where(
                party,
                Memorandum.state == MemorandumState.AGREED,
                or_(Memorandum.in_force_to.is_(None), Memorandum.in_force_to >= today),
            )
            .options(joinedload(Memorandum.authority), joinedload(Memorandum.provider))
            .order_by(Memorandum.reference, Memorandum.version)
        )
    )


def lost(session: Session, contact: Contact, after: dict[str, Any], now: datetime) -> str | None:
    """Says which rung would reach nobody once a contact is what ``after`` says; None: none would.

    ``after`` has ``function`` and ``channels`` where they change, or ``removed``. A contact whose
    own entry is about to go, or to change its function, does not count as another.
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
    for memorandum in agreed(session, contact, now):
        for urgency, rung in _rungs(memorandum):
            if _reached(contact, rung) and not (
                _reached(contact, rung, after) or any(_reached(other, rung) for other in others)
            ):
                return _said(contact, memorandum, urgency, rung)
    return None


def _said(contact: Contact, memorandum: Memorandum, urgency: Urgency, rung: Rung) -> str:
    by = " or ".join(channel.label.lower() for channel in rung.channels)
    way = "Agree a memorandum that names another" if rung.whom is Whom.NAMED else "Enter another"
    return (
        f"{contact.name} is the only one whom the rung “{rung.whom.label}” reaches by {by} "
        f"({urgency.label.lower()} orders, memorandum {memorandum.reference}). {way} first."
    )


def _rungs(memorandum: Memorandum) -> Iterator[tuple[Urgency, Rung]]:
    for urgency, ladder in terms_from_json(memorandum.terms).ladders.items():
        for rung in ladder.rungs:
            yield urgency, rung


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
        verified = {
            Channel.EMAIL: contact.email_verified_at,
            Channel.CALL: contact.phone_verified_at,
        }
        by = frozenset(c for c in map(Channel, after["channels"]) if verified[c] is not None)
    return meant and bool(by & set(rung.channels))


def _counts(contact: Contact, now: datetime) -> bool:
    begun = contact.usable_from is None or contact.usable_from <= now
    return begun and contact.removed_at is None and bool(ways(contact))


def _leaves(after: dict[str, Any], role: Function) -> bool:
    return bool(after.get("removed")) or after.get("function", role) != role


def _others(session: Session, contact: Contact, now: datetime) -> list[Contact]:
    same = (
        Contact.authority_id == contact.authority_id
        if contact.authority_id is not None
        else Contact.provider_id == contact.provider_id
    )
    return list(
        session.scalars(
            select(Contact)
            .where(same, Contact.id != contact.id, *usable(now))
            .options(selectinload(Contact.changes))
            .execution_options(populate_existing=True)
        )
    )


def _stays(other: Contact) -> bool:
    waiting = other.open_change
    return waiting is None or not ({"removed", "function", "channels"} & set(waiting.values))


def _any(others: Collection[Contact], functions: Collection[Function]) -> bool:
    return any(other.function in functions and ways(other) for other in others)
