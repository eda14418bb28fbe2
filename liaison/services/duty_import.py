"""Duty that is kept in another program, read from its calendar in two steps.

The first shows what would be entered and enters nothing. What it found goes out with the page,
signed, and comes back with the second: so what is entered is what was shown. A calendar takes the
place of the one imported before: what is not in it any more is cancelled.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.documents import calendar
from liaison.documents.calendar import Occurrence, Unread
from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.errors import FieldError, Invalid
from liaison.models import Contact, DutyOverride
from liaison.queries import duty as queries
from liaison.services import duty_scope as scope
from liaison.services import guards
from liaison.services.duty_letters import tell
from liaison.services.duty_overrides import cancel_rows

LONGEST_SEALED = 200_000
COUNTS_FOR = timedelta(hours=1)
"""How long what was shown can be entered."""

_SALT = "liaison duty import"
_SECOND = timedelta(seconds=1)
_AGAIN = "Choose the file again: what was shown is too old, or was not shown to you."


@dataclass(frozen=True)
class Planned:
    """One span that is to be entered."""

    source: str
    contact: UUID
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Plan:
    """What entering would do."""

    rows: tuple[Planned, ...]
    unread: tuple[Unread, ...]
    new: int
    same: int
    gone: int
    """Entries imported before that would be cancelled: changed, or not in the file."""


def look(session: Session, actor: Actor, content: bytes, now: datetime) -> Plan:
    """What a file holds, and which of its events name nobody. Nothing is stored, nor locked."""
    demand(actor, Verb.MANAGE_DUTY)
    guards.fresh_factor(actor, now)
    organisation = queries.organisation(session, scope.owner_of(actor))
    if not content:
        raise Invalid([FieldError("/file", "Choose a file, as calendar programs export it: .ics")])
    try:
        found = calendar.read(content, organisation.time_zone, now)
    except ValueError as error:
        raise Invalid([FieldError("/file", str(error))]) from None
    people = [c for c in scope.contacts(session, actor).values() if queries.is_usable(c, now)]
    rows, unread = [], list(found.unread)
    for one in found.occurrences:
        contact, why = _match(one, people)
        why = why or scope.unfit(contact, now)
        if contact is None or why:
            unread.append(Unread(f"{one.summary}, {rfc3339(one.start)}", why))
            continue
        source = f"ics:{one.uid}:{rfc3339(one.start)}"
        rows.append(Planned(source, contact.id, max(one.start, now), one.end))
    return plan_of(session, actor, rows, unread, now)


def plan_of(
    session: Session,
    actor: Actor,
    rows: Sequence[Planned],
    unread: Sequence[Unread],
    now: datetime,
) -> Plan:
    """What entering these rows would do as things stand."""
    known = _imported(session, actor, now)
    same = sum(row.source in known and _is_same(known[row.source], row, now) for row in rows)
    return Plan(tuple(rows), tuple(unread), len(rows) - same, same, len(known) - same)


def seal(plan: Plan, actor: Actor, secret_key: str, now: datetime) -> str:
    """The rows as the page carries them: signed, for this person and no other."""
    rows = [
        [row.source, str(row.contact), int(row.start.timestamp()), int(row.end.timestamp())]
        for row in plan.rows
    ]
    sealed = str(
        _serializer(secret_key).dumps({"for": actor.id, "at": int(now.timestamp()), "rows": rows})
    )
    if len(sealed) > LONGEST_SEALED:
        raise Invalid([FieldError("/file", "There is too much in this file. Export less of it.")])
    return sealed


def unseal(sealed: str, actor: Actor, secret_key: str, now: datetime) -> list[Planned]:
    """The rows that were shown to this person; ``Invalid`` for anything else."""
    try:
        if len(sealed) > LONGEST_SEALED:
            raise ValueError
        found = _serializer(secret_key).loads(sealed)
        shown = datetime.fromtimestamp(found["at"], UTC)
        if found["for"] != actor.id or not shown <= now < shown + COUNTS_FOR + _SECOND:
            raise ValueError
        return [
            Planned(
                str(source),
                UUID(contact),
                datetime.fromtimestamp(start, UTC),
                datetime.fromtimestamp(end, UTC),
            )
            for source, contact, start, end in found["rows"]
        ]
    except (BadSignature, ValueError, TypeError, KeyError):
        raise Invalid([FieldError("/file", _AGAIN)]) from None


def import_calendar(
    session: Session, actor: Actor, rows: Sequence[Planned], now: datetime, base_url: str = ""
) -> Plan:
    """Enters what was shown, as far as it is not over; each stands in for everybody.

    What was entered from the same source and is the same stays as it is.
    """
    scope.to_write(session, actor, now)
    rows = [row for row in rows if row.end > now]
    people = scope.contacts(session, actor)
    faults = {why for row in rows if (why := scope.unfit(people.get(row.contact), now))}
    if faults:
        raise Invalid([FieldError("/file", why) for why in sorted(faults)])
    known = _imported(session, actor, now)
    plan = plan_of(session, actor, rows, (), now)
    stays = {r.source for r in rows if r.source in known and _is_same(known[r.source], r, now)}
    gone = [row for source, row in known.items() if source not in stays]
    cancel_rows(gone, actor, now)
    added = [_override(actor, row, now) for row in rows if row.source not in stays]
    session.add_all(added)
    session.flush()
    touched = {row.contact_id for row in [*gone, *added]}
    concerned = [people[i] for i in touched if i in people]
    put = [people[i] for i in dict.fromkeys(row.contact_id for row in added)]
    if touched:
        # Whoever was called before may be put aside by it.
        turns = {UUID(m) for r in session.scalars(scope.standing(actor)) for m in r.members}
        concerned += [*(people[i] for i in turns if i in people), *scope.meant(people, now)]
    names = ", ".join(c.name for c in put)
    what = "A calendar of duty was imported: look when you are on duty."
    what += f" It put on duty: {names}." if put else ""
    tell(session, concerned, what, actor, now, base_url, put=put)
    counts = {"new": plan.new, "same": plan.same, "gone": plan.gone}
    scope.note(session, now, "duty_imported", actor, actor.organisation, counts)
    return plan


def _override(actor: Actor, row: Planned, now: datetime) -> DutyOverride:
    return DutyOverride(
        **scope.whose(actor),
        contact_id=row.contact,
        starts_at=max(row.start, now),
        ends_at=row.end,
        note="From an imported calendar",
        source=row.source,
        made_by=actor.name,
        made_at=now,
    )


def _imported(session: Session, actor: Actor, now: datetime) -> Mapping[str, DutyOverride]:
    """What was imported before and is not over, by its source."""
    owner = scope.owner_of(actor)
    mine = (
        DutyOverride.authority_id == owner.authority_id
        if owner.authority_id is not None
        else DutyOverride.provider_id == owner.provider_id
    )
    rows = session.scalars(
        select(DutyOverride)
        .where(
            mine,
            DutyOverride.source.is_not(None),
            DutyOverride.cancelled_at.is_(None),
            DutyOverride.ends_at > now,
        )
        .order_by(DutyOverride.id)
        .execution_options(populate_existing=True)
    )
    return {str(row.source): row for row in rows}


def _is_same(row: DutyOverride, planned: Planned, now: datetime) -> bool:
    """Whether nothing changes; of one that runs the beginning is past and stays."""
    begins = row.starts_at == planned.start or (row.starts_at <= now and planned.start <= now)
    return begins and row.ends_at == planned.end and row.contact_id == planned.contact


def _match(one: Occurrence, known: Collection[Contact]) -> tuple[Contact | None, str]:
    """The one contact an event names: as who attends, else in its title."""
    attending = [c for c in known if c.email.lower() in one.people]
    title = one.summary.casefold()
    found = attending or [
        c for c in known if c.name.casefold() in title or c.email.casefold() in title
    ]
    if len(found) == 1:
        return found[0], ""
    if found:
        names = ", ".join(c.name for c in found[:3])
        return None, f"It names several contacts ({names}). Let it name one."
    return None, "It names no contact: write a contact’s name into its title, or invite them."


def _serializer(secret_key: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt=_SALT)
