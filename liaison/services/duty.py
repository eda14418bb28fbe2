"""Keeping the rota: who takes turns.

A rota is never written over: a change ends it now and begins another, so that who was on duty
before stays what it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain import terms_words
from liaison.domain.actors import Actor
from liaison.domain.ladder import Whom
from liaison.domain.rota_entry import RotaEntry, parse_rota
from liaison.domain.terms import terms_from_json
from liaison.errors import FieldError, Invalid, InvalidTransition
from liaison.models import Contact, DutyOverride, Memorandum, Rota
from liaison.queries import contact_rungs, registry
from liaison.services import duty_scope as scope
from liaison.services import organisations
from liaison.services.duty_letters import tell
from liaison.services.organisations import AlreadyDone

MOST_ROTAS = 20


def make_rota(
    session: Session, actor: Actor, data: Mapping[str, Any], now: datetime, base_url: str = ""
) -> Rota:
    """A new rota; it counts from now on."""
    organisation = scope.to_write(session, actor, now)
    entry = _checked(session, actor, data, organisation.time_zone, now)
    standing = session.scalars(scope.standing(actor)).all()
    if len(standing) >= MOST_ROTAS:
        raise Invalid([FieldError("/name", f"There are {MOST_ROTAS} rotas. End one first.")])
    row = _row(actor, entry, now)
    session.add(row)
    session.flush()
    people = scope.contacts(session, actor)
    members = [people[m] for m in entry.members]
    what = f"A new rota “{row.name}” counts; its turns are of {_names(members)}."
    aside = [] if standing else scope.meant(people, now)
    tell(session, [*members, *aside], what, actor, now, base_url, put=members)
    scope.note(session, now, "rota_made", actor, row.name, {"after": _told(row)})
    return row


def change_rota(
    session: Session,
    actor: Actor,
    rota_id: UUID,
    data: Mapping[str, Any],
    now: datetime,
    base_url: str = "",
) -> Rota:
    """Another rota in its place from now on; what stands in for the old one stands in for it."""
    old = scope.to_change(session, actor, Rota, rota_id, now)
    organisation = organisations.own(session, actor)
    entry = _checked(session, actor, data, organisation.time_zone, now)
    _end(old, now)
    row = _row(actor, entry, now)
    row.gaps_told = list(old.gaps_told)
    session.add(row)
    session.flush()
    _move_overrides(session, old, row, now)
    people = scope.contacts(session, actor)
    members = [people[m] for m in entry.members]
    concerned = [*members, *(people[UUID(m)] for m in old.members if UUID(m) in people)]
    what = (
        f"The rota “{row.name}” has changed; its turns are of {_names(members)}. Look when yours "
        "are."
    )
    tell(session, concerned, what, actor, now, base_url, put=members)
    told = {"before": _told(old), "after": _told(row)}
    scope.note(session, now, "rota_changed", actor, row.name, told)
    return row


def end_rota(
    session: Session, actor: Actor, rota_id: UUID, now: datetime, base_url: str = ""
) -> Rota:
    """Ends a rota now. Where it was the last, the registered SPOC or duty officer is meant.

    Where there is none whom the ladders reach, it cannot end: they would call nobody there.
    """
    row = scope.to_change(session, actor, Rota, rota_id, now)
    _end(row, now)
    session.flush()
    people = scope.contacts(session, actor)
    concerned = [people[UUID(m)] for m in row.members if UUID(m) in people]
    if not session.scalars(scope.standing(actor)).first():
        _somebody_is_called(session, actor, people, now)
        concerned += scope.meant(people, now)
    what = f"The rota “{row.name}” was ended: nobody is on duty by it any more."
    tell(session, concerned, what, actor, now, base_url)
    scope.note(session, now, "rota_ended", actor, row.name, {"before": _told(row)})
    return row


def _checked(
    session: Session, actor: Actor, data: Mapping[str, Any], zone: str, now: datetime
) -> RotaEntry:
    """The rota that was entered, its members known and reachable."""
    faults: list[FieldError] = []
    entry = None
    try:
        entry = parse_rota(data, now.astimezone(ZoneInfo(zone)).date())
        members: Sequence[UUID | None] = entry.members
    except Invalid as error:
        faults += error.errors
        given = data.get("members")
        members = [_uuid(m) for m in given] if isinstance(given, list) else []
    people = scope.contacts(session, actor)
    for index, member in enumerate(members):
        if member is not None and (why := scope.unfit(people.get(member), now)):
            faults.append(FieldError(f"/members/{index}", why))
    if faults or entry is None:
        raise Invalid(faults)
    return entry


def _somebody_is_called(
    session: Session, actor: Actor, people: Mapping[UUID, Contact], now: datetime
) -> None:
    """Refuses an end after which a rung of an agreed memorandum would reach nobody."""
    owner = scope.owner_of(actor)
    if owner.authority_id is not None:
        party, whom = Memorandum.authority_id == owner.authority_id, Whom.DUTY_OFFICER
    else:
        party, whom = Memorandum.provider_id == owner.provider_id, Whom.ON_DUTY
    ways = {way for contact in scope.meant(people, now) for way in registry.ways(contact)}
    for memorandum in contact_rungs.memoranda(session, party, now):
        for ladder in terms_from_json(memorandum.terms).ladders.values():
            for rung in ladder.rungs:
                if rung.whom is whom and not ways & set(rung.channels):
                    by = terms_words.ways(rung.channels, "or")
                    raise InvalidTransition(
                        f"By memorandum {memorandum.reference} whoever is on duty is called, and "
                        f"without a rota nobody is registered whom {by} reaches. Write another "
                        "rota first, or enter and verify such a contact. Nothing was done."
                    )


def _names(members: Sequence[Contact]) -> str:
    return ", ".join(dict.fromkeys(contact.name for contact in members))


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None


def _row(actor: Actor, entry: RotaEntry, now: datetime) -> Rota:
    return Rota(
        **scope.whose(actor),
        name=entry.name,
        time_zone=entry.time_zone,
        turn=entry.turn,
        handover=entry.handover,
        weekday=entry.weekday,
        starts_on=entry.starts_on,
        members=[str(member) for member in entry.members],
        windows=[
            {"days": list(w.days), "opens": w.opens, "closes": w.closes} for w in entry.windows
        ],
        holidays=entry.holidays,
        made_by=actor.name,
        made_at=now,
        looked_at=now,  # gaps are told of an hour later: whoever writes rotas may not be done
        gaps_told=[],
    )


def _end(row: Rota, now: datetime) -> None:
    if row.ended_at is not None:
        raise AlreadyDone(
            "Somebody has changed or ended this rota since you opened it. Nothing was done. "
            "Open the page of duty and look at what stands there now."
        )
    row.ended_at = now


def _move_overrides(session: Session, old: Rota, new: Rota, now: datetime) -> None:
    """Those to come stand in for the new rota; one that runs is cut in two at this moment."""
    rows = session.scalars(
        select(DutyOverride)
        .where(
            DutyOverride.rota_id == old.id,
            DutyOverride.cancelled_at.is_(None),
            DutyOverride.ends_at > now,
        )
        .order_by(DutyOverride.made_at, DutyOverride.id)
        .with_for_update()
    ).all()
    for row in rows:
        if row.starts_at >= now:
            row.rota_id = new.id
            continue
        rest = DutyOverride(
            authority_id=row.authority_id,
            provider_id=row.provider_id,
            rota_id=new.id,
            contact_id=row.contact_id,
            starts_at=now,
            ends_at=row.ends_at,
            note=row.note,
            pair=row.pair,
            source=row.source,
            made_by=row.made_by,
            made_at=row.made_at,
        )
        row.ends_at = now
        session.add(rest)
    session.flush()


def _told(row: Rota) -> dict[str, Any]:
    return {
        "name": row.name,
        "time_zone": row.time_zone,
        "turn": row.turn.value,
        "handover": row.handover,
        "weekday": row.weekday,
        "starts_on": row.starts_on.isoformat(),
        "members": list(row.members),
        "windows": list(row.windows),
        "holidays": row.holidays.value,
    }
