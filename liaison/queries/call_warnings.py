"""What stands against making a call that is open: its number, or a ladder that a person holds."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.vocabulary import CallOutcome
from liaison.models import Authority, CallTask, Contact, Entry, Order, Timer
from liaison.models.work import CallState, TimerKind, TimerState
from liaison.services.reasons import HELD_BY_A_PAUSE


@dataclass(frozen=True)
class Wrong:
    """Whoever called ``contact`` at the number was told that it is not theirs."""

    contact: Contact
    at: datetime
    by: str
    """A colleague's name; of another authority's people only the authority's."""


@dataclass(frozen=True)
class Hold:
    """A person holds the ladder of the call's order, or has closed it (``until`` is None)."""

    since: datetime
    until: datetime | None
    by: str
    reason: str


class Doubt(StrEnum):
    """What is doubtful about the number of a call that is open."""

    UNVERIFIED = "unverified"
    """Nobody has ever verified it; nobody else of theirs has a number."""
    CHANGED = "changed"
    """Another is registered since; the worker moves the call in a moment."""
    REMOVED = "removed"
    """The contact is registered no more; the same."""


def wrong_numbers(
    session: Session, actor: Actor, tasks: Collection[CallTask]
) -> Mapping[UUID, Wrong]:
    """By task those whose number was told to be wrong: of the contact, or of a colleague there."""
    told = select(Contact).where(
        Contact.phone.in_({task.phone for task in tasks}),
        Contact.wrong_number_at.is_not(None),
        Contact.removed_at.is_(None),
    )
    contacts = session.scalars(told.order_by(Contact.wrong_number_at.desc(), Contact.id)).all()
    by = told_by(session, actor, contacts)
    found = {}
    for task in tasks:
        theirs = [c for c in contacts if c.phone == task.phone and _are_colleagues(c, task.contact)]
        # Who is called comes before a colleague with the same number.
        theirs.sort(key=lambda c: c.id != task.contact_id)
        if theirs and theirs[0].wrong_number_at is not None:
            whose = theirs[0]
            found[task.id] = Wrong(whose, theirs[0].wrong_number_at, by.get(whose.id, ""))
    return found


def doubts(tasks: Collection[CallTask], now: datetime) -> Mapping[UUID, Doubt]:
    """By task what is doubtful about its number, of those that nobody was told to be wrong."""
    found = {task.id: _doubt(task, now) for task in tasks if task.state is CallState.OPEN}
    return {id_: doubt for id_, doubt in found.items() if doubt is not None}


def _doubt(task: CallTask, now: datetime) -> Doubt | None:
    contact = task.contact
    if contact.removed_at is not None and contact.removed_at <= now:
        return Doubt.REMOVED
    if contact.phone != task.phone:
        return Doubt.CHANGED
    if contact.phone_verified_at is None and contact.wrong_number_at is None:
        return Doubt.UNVERIFIED
    return None


def _are_colleagues(one: Contact, other: Contact) -> bool:
    return (one.provider_id, one.authority_id) == (other.provider_id, other.authority_id)


def told_by(session: Session, actor: Actor, contacts: Collection[Contact]) -> Mapping[UUID, str]:
    """By contact who was told that its number is the wrong one, as the reader may know it."""
    if not contacts:
        return {}
    logged = (
        select(CallTask.contact_id, CallTask.logged_by, Authority.id, Authority.name)
        .join(Contact, Contact.id == CallTask.contact_id)
        .join(Order, Order.id == CallTask.order_id)
        .join(Authority, Authority.id == Order.authority_id)
        .where(
            CallTask.contact_id.in_([contact.id for contact in contacts]),
            CallTask.outcome == CallOutcome.WRONG_NUMBER,
            CallTask.logged_at == Contact.wrong_number_at,
        )
    )
    found = {}
    for contact_id, person, authority_id, authority in session.execute(logged):
        found[contact_id] = (person or "") if authority_id == actor.authority_id else authority
    return found


def holds(session: Session, tasks: Collection[CallTask], now: datetime) -> Mapping[UUID, Hold]:
    """By task those that belong to a ladder which a person holds or has closed."""
    held = {}
    for task in tasks:
        if task.wanted in HELD_BY_A_PAUSE and (hold := _hold_of(task.order, now)) is not None:
            held[task] = hold
    by = _by(session, {task.order_id: hold for task, hold in held.items()})
    return {
        task.id: Hold(hold.since, hold.until, by.get(task.order_id, ""), hold.reason)
        for task, hold in held.items()
    }


def _hold_of(order: Order, now: datetime) -> Hold | None:
    until = order.ladder_paused_until
    if order.ladder_closed_at is not None:
        return Hold(order.ladder_closed_at, None, "", order.ladder_closed_reason or "")
    if order.ladder_paused_at is not None and until is not None and now < until:
        return Hold(order.ladder_paused_at, until, "", order.ladder_pause_reason or "")
    return None


def _by(session: Session, held: Mapping[UUID, Hold]) -> Mapping[UUID, str]:
    """Who did it, by order: two questions for all of them, none where there are none."""
    if not held:
        return {}
    pauses = select(Timer.order_id, Timer.payload).where(
        Timer.order_id.in_(held),
        Timer.kind == TimerKind.PAUSE_END,
        Timer.state == TimerState.WAITING,
    )
    by = {order: payload.get("by", "") for order, payload in session.execute(pauses)}
    closings = select(Entry.order_id, Entry.at, Entry.data).where(
        Entry.order_id.in_(held), Entry.type == "order.ladder_closed"
    )
    for order, at, data in session.execute(closings):
        if order is not None and held[order].until is None and held[order].since == at:
            by[order] = json.loads(data or "{}").get("by", {}).get("name", "")
    return by
