"""Reading the register."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BindParameter, ColumnElement, bindparam, or_, select
from sqlalchemy.orm import Session

from liaison.domain.ladder import Step, Whom
from liaison.domain.register_entry import name_key
from liaison.domain.vocabulary import PERSONAL, Channel, Function, HoldingKind, MemorandumState
from liaison.models import Authority, Contact, Holding, Memorandum, Order, Provider
from liaison.models.base import UTCDateTime
from liaison.models.contact_rows import AnyContact, ContactRow
from liaison.models.deeds import bare
from liaison.models.looks import Look
from liaison.queries import duty


@dataclass(frozen=True)
class Reached:
    """A contact that a step calls, by the ways that count there: registered and verified."""

    contact: AnyContact
    channels: tuple[Channel, ...]


_FUNCTIONS: dict[Whom, tuple[Function, ...]] = {
    Whom.ON_DUTY: (Function.PRIMARY,),
    Whom.EVERY_SPOC: (Function.PRIMARY, Function.DEPUTY),
    Whom.FALLBACK: (Function.FALLBACK,),
    Whom.DUTY_OFFICER: (Function.DUTY_OFFICER,),
    Whom.SUPERVISOR: (Function.SUPERVISOR,),
}


def provider_named(session: Session, name: str) -> Provider | None:
    """A provider by its name or one of its registered domains, in any case."""
    wanted = name.strip().lower()
    found = session.scalars(
        select(Provider).where(Provider.name_key == name_key(name))
    ).one_or_none()
    if found is not None:
        return found
    return session.scalars(
        select(Provider)
        .join(Holding, Holding.provider_id == Provider.id)
        .where(Holding.kind == HoldingKind.DOMAIN, Holding.key == wanted)
    ).one_or_none()


def memorandum_in_force(
    session: Session, authority_id: UUID, provider_id: UUID, day: date
) -> Memorandum | None:
    """The memorandum between the two that is in force on a day (UTC).

    The newest that has begun took the place of all before it, for good: once it has ended, none
    is in force, whatever end an older one has.
    """
    newest = session.scalars(
        select(Memorandum)
        .where(
            Memorandum.authority_id == authority_id,
            Memorandum.provider_id == provider_id,
            *begun(day),
        )
        .order_by(Memorandum.in_force_from.desc(), Memorandum.version.desc(), Memorandum.id.desc())
        .limit(1)
    ).one_or_none()
    ended = newest is not None and newest.in_force_to is not None and newest.in_force_to < day
    return None if ended else newest


def begun(day: date) -> tuple[ColumnElement[bool], ...]:
    """Agreed by both sides, and in force from this day or an earlier one.

    One that was ended before its first day never begins.
    """
    last = Memorandum.in_force_to
    return (
        Memorandum.state == MemorandumState.AGREED,
        Memorandum.in_force_from <= day,
        or_(last.is_(None), last >= Memorandum.in_force_from),
    )


def contacts(
    session: Session, order: Order, at: datetime, *functions: Function
) -> list[ContactRow]:
    """The order's registered contacts of one or two functions, on whichever side they stand."""
    assert 1 <= len(functions) <= 2, functions
    of = {"provider": order.provider_id, "authority": order.authority_id}
    one, other = functions[0], functions[-1]
    session.flush()
    return _CONTACTS.within(bare(session), **of, one=one, other=other, at=at)


def usable(at: datetime | BindParameter[datetime]) -> tuple[ColumnElement[bool], ...]:
    """Entries that count at a moment: past their cooling-off, and not removed."""
    return (
        or_(Contact.removed_at.is_(None), Contact.removed_at > at),
        or_(Contact.usable_from.is_(None), Contact.usable_from <= at),
    )


_CONTACTS = Look(
    select(*(getattr(Contact, field) for field in ContactRow._fields))
    .where(
        or_(
            Contact.provider_id == bindparam("provider"),
            Contact.authority_id == bindparam("authority"),
        ),
        or_(Contact.function == bindparam("one"), Contact.function == bindparam("other")),
        *usable(bindparam("at", type_=UTCDateTime())),
    )
    .order_by(Contact.position, Contact.id),
    ContactRow,
)


def ways(contact: AnyContact) -> frozenset[Channel]:
    """The ways that are registered for a contact and verified: a ladder uses no other."""
    return frozenset(c for c in map(Channel, contact.channels) if duty.is_verified(contact, c))


def addressees(
    session: Session, order: Order, whom: Whom, at: datetime, named: str | None = None
) -> list[AnyContact]:
    """Who is meant by a rung at a moment, whether they can be reached or not.

    Where a rota stands, who is on duty is asked of it; in a gap of it, and where there is none,
    the one registered for the function is meant.
    """
    if whom is Whom.NAMED:
        found = session.get(Contact, UUID(named)) if named else None
        return [found] if found and _is_party(found, order) and _is_usable(found, at) else []
    on_duty = _on_duty(session, order, whom, at)
    return on_duty or [*contacts(session, order, at, *_FUNCTIONS[whom])]


def _on_duty(session: Session, order: Order, whom: Whom, at: datetime) -> list[AnyContact]:
    if whom is Whom.ON_DUTY:
        found = duty.on_duty(session, duty.Owner(provider_id=order.provider_id), at)
    elif whom is Whom.DUTY_OFFICER:
        found = duty.on_duty(session, duty.Owner(authority_id=order.authority_id), at)
    else:
        return []
    return [contact for contact in found if _is_usable(contact, at)]


def reached(session: Session, order: Order, step: Step, at: datetime) -> list[Reached]:
    """Whom a step of the ladder calls at a moment, and how.

    Nobody is never silent: where whoever is on duty is not reached that way, the one registered
    for the function is; where nobody is, our duty officer and supervisor are called, by whatever
    way is verified.
    """
    meant = addressees(session, order, step.whom, at, step.contact)
    found = _by(meant, step.channels)
    if not found and step.whom in (Whom.ON_DUTY, Whom.DUTY_OFFICER):
        found = _by(contacts(session, order, at, *_FUNCTIONS[step.whom]), step.channels)
    if found:
        return found
    ours = contacts(session, order, at, Function.DUTY_OFFICER, Function.SUPERVISOR)
    return _by(ours, step.channels) or _by(ours, PERSONAL)


CALLED_FIRST = (Whom.ON_DUTY, Whom.EVERY_SPOC, Whom.FALLBACK, Whom.DUTY_OFFICER, Whom.SUPERVISOR)
"""Whom the call goes to that opens with an emergency: the first of these who has a number."""


def called_at_issue(session: Session, order: Order, at: datetime) -> list[AnyContact]:
    """Whom to phone when an emergency is issued; only numbers that were verified."""
    return _first(session, order, at, CALLED_FIRST)


def called_instead(
    session: Session, order: Order, contact: AnyContact, at: datetime
) -> list[AnyContact]:
    """Whom to phone where a contact cannot be: the next who has a number.

    What a colleague was to be called about is no provider's business: another colleague is called.
    """
    return _first(session, order, at, _before(contact), but=contact)


def doubtful(session: Session, order: Order, contact: AnyContact, at: datetime) -> list[AnyContact]:
    """The same where nobody has a verified number: the contact, or whoever is registered next."""
    if _is_usable(contact, at):
        return [contact]
    for whom in _before(contact):
        meant = [c for c in addressees(session, order, whom, at) if c.id != contact.id]
        if meant:
            return meant
    return []


def _before(contact: AnyContact) -> tuple[Whom, ...]:
    theirs = contact.provider_id is not None
    return CALLED_FIRST if theirs else (Whom.DUTY_OFFICER, Whom.SUPERVISOR)


def _first(
    session: Session,
    order: Order,
    at: datetime,
    among: Iterable[Whom],
    but: AnyContact | None = None,
) -> list[AnyContact]:
    for whom in among:
        meant = [c for c in addressees(session, order, whom, at) if but is None or c.id != but.id]
        if found := _by(meant, (Channel.CALL,)):
            return [called.contact for called in found]
    return []


def called_by(session: Session, order: Order, step: Step, at: datetime) -> list[AnyContact]:
    """The same without the ways."""
    return [called.contact for called in reached(session, order, step, at)]


def _by(meant: Iterable[AnyContact], channels: tuple[Channel, ...]) -> list[Reached]:
    found = [Reached(c, tuple(way for way in channels if way in ways(c))) for c in meant]
    return [called for called in found if called.channels]


def unreachable(session: Session, at: datetime) -> list[str]:
    """Authorities with a memorandum that have nobody at the top of a ladder, by name.

    Who counts is who a ladder would call at this moment.
    """
    agreed = select(Memorandum.authority_id).where(Memorandum.state == MemorandumState.AGREED)
    ours = (Function.DUTY_OFFICER, Function.SUPERVISOR)
    on_top = select(Contact).where(
        Contact.authority_id.in_(agreed), Contact.function.in_(ours), *usable(at)
    )
    reached = {contact.authority_id for contact in session.scalars(on_top) if ways(contact)}
    authorities = session.scalars(
        select(Authority).where(Authority.id.in_(agreed)).order_by(Authority.name)
    )
    return [authority.name for authority in authorities if authority.id not in reached]


def _is_usable(contact: AnyContact, at: datetime) -> bool:
    begun = contact.usable_from is None or contact.usable_from <= at
    return begun and (contact.removed_at is None or contact.removed_at > at)


def _is_party(contact: AnyContact, order: Order) -> bool:
    """Whether a contact belongs to the order's provider or to its own authority."""
    if contact.provider_id is not None:
        return contact.provider_id == order.provider_id
    return contact.authority_id == order.authority_id
