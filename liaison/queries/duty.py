"""Who is on duty: the rotas of an organisation with their contacts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

import holidays
from sqlalchemy import ColumnElement, bindparam, or_, select
from sqlalchemy.orm import Session, joinedload

from liaison.domain import rota as rule
from liaison.domain.rota import Override, Rotation, Shift
from liaison.domain.terms import Window
from liaison.domain.vocabulary import Channel
from liaison.models import Authority, Contact, DutyOverride, Provider, Rota
from liaison.models.contact_rows import AnyContact
from liaison.models.deeds import bare
from liaison.models.looks import Look

AHEAD = timedelta(days=28)
"""How far ahead pages show duty."""

MOST_SHOWN = 1000
"""Overrides on one page."""


@dataclass(frozen=True)
class Owner:
    """Whose duty it is: exactly one of the two."""

    authority_id: UUID | None = None
    provider_id: UUID | None = None


@dataclass(frozen=True)
class Gap:
    """A span in which nobody can be called, and why; ``who`` are those meant all the same."""

    start: datetime
    end: datetime
    why: str
    who: tuple[Contact, ...] = ()


@dataclass(frozen=True)
class Next:
    """Who is on duty until when; ``who`` is empty in a gap."""

    start: datetime
    end: datetime
    who: tuple[Contact, ...]


@dataclass(frozen=True)
class Book:
    """All that says who is on duty, read once."""

    rotas: tuple[Rotation, ...]
    overrides: tuple[Override, ...]
    country: str
    contacts: Mapping[UUID, Contact]

    @property
    def is_kept(self) -> bool:
        """Whether anything says who is on duty."""
        return bool(self.rotas or self.overrides)

    def days_off(self, start: datetime, end: datetime) -> frozenset[date]:
        """The country's public holidays around a span."""
        return public_holidays(self.country, start.year - 1, end.year + 1)

    def at(self, moment: datetime) -> list[Contact]:
        """The contacts on duty at a moment that may be called then."""
        members = rule.on_duty(self.rotas, self.overrides, self.days_off(moment, moment), moment)
        return [c for c in self.people(members) if is_usable(c, moment)]

    def timeline(self, start: datetime, end: datetime) -> list[Shift]:
        """A span in pieces, gaps included."""
        off = self.days_off(start, end)
        return rule.timeline(self.rotas, self.overrides, off, start, end)

    def of_rota(self, rotation: Rotation, start: datetime, end: datetime) -> list[Shift]:
        """What one rota has in a span, overrides included."""
        off = self.days_off(start, end)
        return rule.shifts([rotation], self.overrides, off, start, end)

    def people(self, members: Iterable[UUID]) -> tuple[Contact, ...]:
        """Contacts by their ids."""
        return tuple(self.contacts[m] for m in members if m in self.contacts)

    def gaps(self, start: datetime, end: datetime) -> list[Gap]:
        """Where nobody can be called, from the contacts as they are registered now.

        Only where a rota stands: without one nobody expects that somebody is on duty.
        """
        if not any(r.ends_at is None or r.ends_at > start for r in self.rotas):
            return []
        found: list[Gap] = []
        for shift in self._cut(self.timeline(start, end)):
            who = self.people(shift.members)
            if any(is_reachable(c, shift.start) for c in who):
                continue
            gap = Gap(shift.start, shift.end, _why(who, shift.start), who)
            last = found[-1] if found else None
            if last and last.end == gap.start and (last.why, last.who) == (gap.why, who):
                found[-1] = Gap(last.start, gap.end, gap.why, who)
            else:
                found.append(gap)
        return found

    def _cut(self, whole: Iterable[Shift]) -> Iterable[Shift]:
        """Shifts cut where a member begins or ceases to count."""
        for shift in whole:
            edges = {shift.start, shift.end}
            for contact in self.people(shift.members):
                edges.update(e for e in (contact.usable_from, contact.removed_at) if e)
            cuts = sorted(e for e in edges if shift.start <= e <= shift.end)
            for left, right in pairwise(cuts):
                yield Shift(left, right, shift.members, shift.rotas)


def is_usable(contact: AnyContact, at: datetime) -> bool:
    """Whether an entry counts at a moment: past its cooling-off, and not removed."""
    begun = contact.usable_from is None or contact.usable_from <= at
    return begun and (contact.removed_at is None or contact.removed_at > at)


def has_way(contact: AnyContact) -> bool:
    """Whether any way to reach a contact was verified."""
    return any(is_verified(contact, Channel(way)) for way in contact.channels)


def is_verified(contact: AnyContact, way: Channel) -> bool:
    """Whether the value that a way uses was verified: the e-mail address, or the number."""
    if way is Channel.EMAIL:
        return contact.email_verified_at is not None
    return contact.phone_verified_at is not None


def is_reachable(contact: AnyContact, at: datetime) -> bool:
    """Whether a ladder can call a contact at a moment."""
    return is_usable(contact, at) and has_way(contact)


def on_duty(session: Session, owner: Owner, at: datetime) -> list[Contact]:
    """The contacts on duty at a moment; empty in a gap, and where no rota stands."""
    return book(session, owner, at, at).at(at)


# Made once: the ladder asks them at every rung, and making them takes longer than asking.
_ROTAS = {
    side: select(Rota)
    .where(
        getattr(Rota, side) == bindparam("owner"),
        or_(Rota.ended_at.is_(None), Rota.ended_at > bindparam("start")),
    )
    .order_by(Rota.made_at, Rota.id)
    for side in ("authority_id", "provider_id")
}
_OVERRIDES = {
    side: select(DutyOverride)
    .where(
        getattr(DutyOverride, side) == bindparam("owner"),
        or_(
            DutyOverride.cancelled_at.is_(None), DutyOverride.cancelled_at > DutyOverride.starts_at
        ),
        DutyOverride.ends_at > bindparam("start"),
        DutyOverride.starts_at <= bindparam("end"),
    )
    .order_by(DutyOverride.made_at, DutyOverride.id)
    for side in ("authority_id", "provider_id")
}
"""Of those that were cancelled, only what had begun before counts."""


class _Kept(NamedTuple):
    is_kept: bool


_KEPT = {
    side: Look(select(or_(rotas.exists(), _OVERRIDES[side].exists()).label("is_kept")), _Kept)
    for side, rotas in _ROTAS.items()
}


def book(session: Session, owner: Owner, start: datetime, end: datetime) -> Book:
    """Rotas and overrides that count in a span, in five short queries at most."""
    side = "provider_id" if owner.authority_id is None else "authority_id"
    asked = {"owner": owner.authority_id or owner.provider_id, "start": start, "end": end}
    session.flush()
    if not _KEPT[side].within(bare(session), **asked)[0].is_kept:
        return Book((), (), "", {})
    rotas = list(session.scalars(_ROTAS[side], asked))
    overrides = list(session.scalars(_OVERRIDES[side], asked))
    return Book(
        tuple(rotation_of(row) for row in rotas),
        tuple(Override(o.starts_at, end_of(o), o.contact_id, o.rota_id) for o in overrides),
        organisation(session, owner).country,
        {c.id: c for c in session.scalars(select(Contact).where(_of(Contact, owner)))},
    )


def rotas(session: Session, owner: Owner) -> list[Rota]:
    """The rotas that stand, the oldest first."""
    standing = select(Rota).where(_of(Rota, owner), Rota.ended_at.is_(None))
    return list(session.scalars(standing.order_by(Rota.made_at, Rota.id)))


def overrides(session: Session, owner: Owner, now: datetime) -> list[DutyOverride]:
    """Overrides that run or are to come, with their contacts."""
    return list(
        session.scalars(
            select(DutyOverride)
            .where(
                _of(DutyOverride, owner),
                DutyOverride.cancelled_at.is_(None),
                DutyOverride.ends_at > now,
            )
            .options(joinedload(DutyOverride.contact))
            .order_by(DutyOverride.starts_at, DutyOverride.made_at, DutyOverride.id)
            .limit(MOST_SHOWN)
        )
    )


def contacts(session: Session, owner: Owner, now: datetime) -> list[Contact]:
    """The contacts that can be on duty now: usable, and with a verified way."""
    found = session.scalars(
        select(Contact).where(_of(Contact, owner)).order_by(Contact.position, Contact.id)
    )
    return [contact for contact in found if is_reachable(contact, now)]


def end_of(row: DutyOverride) -> datetime:
    """Until when an override counts: one that is cancelled while it runs has counted so far."""
    return row.ends_at if row.cancelled_at is None else min(row.ends_at, row.cancelled_at)


def rotation_of(row: Rota) -> Rotation:
    """A stored rota as the rule has it. It counts from the moment it was made."""
    return Rotation(
        id=row.id,
        members=tuple(UUID(member) for member in row.members),
        turn=row.turn,
        handover=row.handover,
        weekday=row.weekday,
        zone=row.time_zone,
        starts_on=row.starts_on,
        windows=tuple(Window(tuple(w["days"]), w["opens"], w["closes"]) for w in row.windows),
        holidays=row.holidays,
        begins_at=row.made_at,
        ends_at=row.ended_at,
    )


def now_and_next(of: Book, now: datetime) -> tuple[Next | None, Next | None]:
    """Who is on duty now and until when, and who is next; None where nothing says."""
    if not of.is_kept:
        return None, None
    pieces: list[Next] = []
    for shift in of.timeline(now, now + AHEAD):
        who = of.people(shift.members)
        if pieces and pieces[-1].who == who:
            pieces[-1] = Next(pieces[-1].start, shift.end, who)
        elif len(pieces) == 2:
            break
        else:
            pieces.append(Next(shift.start, shift.end, who))
    return pieces[0], pieces[1] if len(pieces) > 1 else None


def organisation(session: Session, owner: Owner) -> Authority | Provider:
    """Whose it is."""
    if owner.authority_id is not None:
        return session.get_one(Authority, owner.authority_id)
    return session.get_one(Provider, owner.provider_id)


def _of(
    table: type[Rota] | type[DutyOverride] | type[Contact], owner: Owner
) -> ColumnElement[bool]:
    if owner.authority_id is not None:
        return table.authority_id == owner.authority_id
    return table.provider_id == owner.provider_id


def _why(who: tuple[Contact, ...], at: datetime) -> str:
    if not who:
        return "Nobody is on duty."
    names = ", ".join(contact.name for contact in who)
    if any(is_usable(contact, at) for contact in who):
        return f"{names}: no way to reach them is verified."
    if any(contact.removed_at is not None and contact.removed_at <= at for contact in who):
        return f"{names}: not registered any more."
    return f"{names}: the entry does not count before its cooling-off ends."


@lru_cache(maxsize=500)
def public_holidays(country: str, first: int, last: int) -> frozenset[date]:
    """A country's public holidays; none where the country is not known to us."""
    try:
        found = holidays.country_holidays(country.upper(), years=range(first, last + 1))
    except NotImplementedError:
        return frozenset()
    return frozenset(found)


def knows_holidays(country: str) -> bool:
    """Whether we know a country's public holidays."""
    return country.upper() in _countries()


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    return frozenset(holidays.list_supported_countries(include_aliases=True))
