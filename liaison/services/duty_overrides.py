"""Who stands in, and who exchanges with whom. Where two overlap, the one made last counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.rota import Shift
from liaison.domain.rota_entry import parse_override
from liaison.errors import FieldError, Invalid
from liaison.models import Contact, DutyOverride, Rota
from liaison.models.base import new_id
from liaison.queries import duty as queries
from liaison.services import duty_scope as scope
from liaison.services import organisations
from liaison.services.duty_letters import tell
from liaison.services.organisations import AlreadyDone

SWAP_AHEAD = timedelta(days=56)
"""How far ahead shifts can be exchanged."""

SWAP_GONE = "This shift is not as it was. Open the page again and choose anew."


@dataclass(frozen=True)
class Coming:
    """A shift of one rota that can be exchanged; ``key`` names it in a form."""

    key: str
    rota: Rota
    shift: Shift
    member: Contact


def override(
    session: Session, actor: Actor, data: Mapping[str, Any], now: datetime, base_url: str = ""
) -> DutyOverride:
    """Somebody stands in for one rota, or for all, from a time to a time.

    Where two overlap, the one made last counts.
    """
    organisation = scope.to_write(session, actor, now)
    entry = parse_override(data, organisation.time_zone, now)
    people = scope.contacts(session, actor)
    faults = []
    if why := scope.unfit(people.get(entry.contact), now):
        faults.append(FieldError("/contact", why))
    rota = session.scalars(scope.standing(actor).where(Rota.id == entry.rota)).one_or_none()
    if entry.rota is not None and rota is None:
        faults.append(FieldError("/rota", "This rota has ended. Choose another, or all."))
    if faults:
        raise Invalid(faults)
    replaced = _replaced(session, actor, people, entry.rota, entry.start, entry.end)
    row = DutyOverride(
        **scope.whose(actor),
        rota_id=entry.rota,
        contact_id=entry.contact,
        starts_at=entry.start,
        ends_at=entry.end,
        note=entry.note,
        made_by=actor.name,
        made_at=now,
    )
    session.add(row)
    session.flush()
    member = people[entry.contact]
    span = _span(entry.start, entry.end, organisation.time_zone)
    instead = [c for c in replaced if c.id != member.id]
    words = f" in place of {', '.join(c.name for c in instead)}" if instead else ""
    what = f"{member.name} is on duty {span}{words}."
    tell(session, [member, *instead], what, actor, now, base_url, put=[member])
    told = {"after": told_of(row), "before": [c.name for c in instead]}
    scope.note(session, now, "duty_override_made", actor, member.name, told)
    return row


def coming_shifts(session: Session, actor: Actor, now: datetime) -> list[Coming]:
    """The shifts that have not begun, of each rota, that can be exchanged."""
    book = queries.book(session, scope.owner_of(actor), now, now + SWAP_AHEAD)
    rows = {row.id: row for row in session.scalars(scope.standing(actor))}
    found = [
        Coming(f"{rotation.id}|{rfc3339(shift.start)}", rows[rotation.id], shift, member)
        for rotation in book.rotas
        if rotation.id in rows
        for shift in book.of_rota(rotation, now, now + SWAP_AHEAD)
        if shift.start > now
        for member in book.people(shift.members)[:1]
    ]
    return sorted(found, key=lambda c: (c.shift.start, c.rota.name))


def swap(
    session: Session, actor: Actor, first: str, second: str, now: datetime, base_url: str = ""
) -> tuple[DutyOverride, DutyOverride]:
    """Two people exchange two coming shifts; the two overrides are one pair."""
    organisation = scope.to_write(session, actor, now)
    coming = {c.key: c for c in coming_shifts(session, actor, now)}
    one, other = coming.get(first), coming.get(second)
    faults = [
        FieldError(pointer, SWAP_GONE if given else "Choose a shift.")
        for pointer, given, found in (("/first", first, one), ("/second", second, other))
        if found is None
    ]
    if not faults and one and other:
        faults = _swap_faults(one, other, now)
    if faults:
        raise Invalid(faults)
    assert one and other
    pair = new_id()
    rows = tuple(
        DutyOverride(
            **scope.whose(actor),
            rota_id=shift.rota.id,
            contact_id=by.member.id,
            starts_at=shift.shift.start,
            ends_at=shift.shift.end,
            note=f"Exchanged with {shift.member.name}",
            pair=pair,
            made_by=actor.name,
            made_at=now,
        )
        for shift, by in ((one, other), (other, one))
    )
    session.add_all(rows)
    session.flush()
    zone = organisation.time_zone
    what = " ".join(
        f"{by.member.name} is on duty {_span(s.shift.start, s.shift.end, zone)} "
        f"in place of {s.member.name}."
        for s, by in ((one, other), (other, one))
    )
    tell(session, [one.member, other.member], what, actor, now, base_url)
    names = f"{one.member.name} and {other.member.name}"
    told = {"pair": str(pair), "after": [told_of(row) for row in rows]}
    scope.note(session, now, "duty_swapped", actor, names, told)
    return rows[0], rows[1]


def cancel_override(
    session: Session, actor: Actor, override_id: UUID, now: datetime, base_url: str = ""
) -> list[DutyOverride]:
    """Takes an override back; of an exchange both, for one half alone would leave a hole.

    One that runs has counted so far.
    """
    row = scope.to_change(session, actor, DutyOverride, override_id, now)
    organisation = organisations.own(session, actor)
    if row.cancelled_at is not None or row.ends_at <= now:
        raise AlreadyDone("This was taken back already, or it is over. Nothing was done.")
    rows = [row]
    if row.pair is not None:
        halves = select(DutyOverride).where(
            DutyOverride.pair == row.pair,
            DutyOverride.id != row.id,
            DutyOverride.cancelled_at.is_(None),
            DutyOverride.ends_at > now,
        )
        rows += session.scalars(halves.order_by(DutyOverride.id).with_for_update())
    cancel_rows(rows, actor, now)
    session.flush()
    people = scope.contacts(session, actor)
    concerned = [people[r.contact_id] for r in rows if r.contact_id in people]
    for r in rows:
        begins = max(r.starts_at, now)
        concerned += _replaced(session, actor, people, r.rota_id, begins, r.ends_at)
    what = " ".join(
        f"It was taken back that {people[r.contact_id].name} is on duty "
        f"{_span(r.starts_at, r.ends_at, organisation.time_zone)}."
        for r in rows
    )
    tell(session, concerned, what, actor, now, base_url)
    told = {"before": [told_of(r) for r in rows]}
    name = ", ".join(people[r.contact_id].name for r in rows)
    scope.note(session, now, "duty_override_cancelled", actor, name, told)
    return rows


def cancel_rows(rows: Iterable[DutyOverride], actor: Actor, now: datetime) -> None:
    """Marks overrides as taken back."""
    for row in rows:
        row.cancelled_at, row.cancelled_by = now, actor.name


def told_of(row: DutyOverride) -> dict[str, Any]:
    """An override as the portal log keeps it."""
    return {
        "contact": str(row.contact_id),
        "rota": str(row.rota_id) if row.rota_id else None,
        "starts_at": rfc3339(row.starts_at),
        "ends_at": rfc3339(row.ends_at),
    }


def _swap_faults(one: Coming, other: Coming, now: datetime) -> list[FieldError]:
    if one.key == other.key:
        return [FieldError("/second", "Choose two different shifts.")]
    if one.member.id == other.member.id:
        return [FieldError("/second", f"Both are {one.member.name}’s. Choose another’s shift.")]
    return [
        FieldError(pointer, why)
        for pointer, coming in (("/first", one), ("/second", other))
        if (why := scope.unfit(coming.member, now))
    ]


def _replaced(
    session: Session,
    actor: Actor,
    people: Mapping[UUID, Contact],
    rota_id: UUID | None,
    start: datetime,
    end: datetime,
) -> list[Contact]:
    """Who would be called in a span as things stand: on duty by one rota, or by any.

    Where nobody is on duty, the one registered for the function is called: they are put aside.
    """
    book = queries.book(session, scope.owner_of(actor), start, end)
    whole = shifts = book.timeline(start, end)
    if rota_id is not None:
        shifts = [s for r in book.rotas if r.id == rota_id for s in book.of_rota(r, start, end)]
    found = dict.fromkeys(member for shift in shifts for member in shift.members)
    aside = [people[m] for m in found if m in people]
    gap = any(
        not any(queries.is_usable(c, shift.start) for c in book.people(shift.members))
        for shift in whole
    )
    return [*aside, *(c for c in scope.meant(people, start) if c.id not in found)] if gap else aside


def _span(start: datetime, end: datetime, zone: str) -> str:
    """``from 23 Nov 2026, 20:00 (16:00 UTC) to …``: in the zone of those who are told."""
    there = ZoneInfo(zone)

    def words(moment: datetime) -> str:
        local, plain = moment.astimezone(there), moment.astimezone(UTC)
        return f"{local:%d %b %Y, %H:%M} ({plain:%d %b, %H:%M} UTC)"

    return f"from {words(start)} to {words(end)}"
