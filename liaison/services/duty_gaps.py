"""Letters ahead of gaps: hours of the coming week in which nobody of a rota can be called.

Each organisation that has a rota is looked at once an hour; when it was stands with the rota, and
so do the gaps that people were told of. A gap is told of once, all new ones in one letter.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.vocabulary import Function, Role
from liaison.models import Contact, Person, PersonRole, Rota
from liaison.queries import duty as queries
from liaison.queries.duty import Gap, Owner
from liaison.services import apart, outbox
from liaison.services import duty_scope as scope

log = structlog.get_logger("liaison.worker")

EVERY = timedelta(hours=1)
AHEAD = timedelta(days=7)
BEHIND = timedelta(days=28)
"""How far back the beginning of a gap that runs is looked for."""

BATCH = 20
"""Rotas looked at in one transaction; their organisations are done as a whole."""

LISTED = 10
"""Gaps named in one letter."""

LETTER = "register/duty_gaps"


def is_due(session: Session, now: datetime) -> bool:
    """Whether any rota was not looked at within the hour."""
    return session.scalars(select(Rota.id).where(*_due(now)).limit(1)).first() is not None


def run(session: Session, now: datetime, base_url: str) -> int:
    """Looks at some organisations; how many rotas that were. Queues letters of new gaps.

    One that another worker or a person has in hand is left for the next look.
    """
    due = session.execute(
        select(Rota.id, Rota.authority_id, Rota.provider_id)
        .where(*_due(now))
        .order_by(Rota.looked_at, Rota.id)
        .limit(BATCH)
    ).all()
    count = 0
    for owner in dict.fromkeys(Owner(row.authority_id, row.provider_id) for row in due):
        if scope.hold(session, owner, skip_locked=True) is None:
            continue
        chosen = {row.id for row in due if Owner(row.authority_id, row.provider_id) == owner}
        count += _one(session, owner, chosen, now, base_url)
    return count


def _one(session: Session, owner: Owner, chosen: set[UUID], now: datetime, base_url: str) -> int:
    """One organisation, held; how many of the chosen rotas were still to be looked at.

    What fails there stops no other: it is told to whoever runs the portal, and tried again in
    an hour.
    """
    still = select(func.count(Rota.id)).where(Rota.id.in_(chosen), *_due(now))
    count = session.scalar(still) or 0
    if not count:
        return 0

    def failed(error: Exception) -> None:
        log.warning("gaps in duty not looked for", error=type(error).__name__)
        looked = update(Rota).where(_of(owner), Rota.ended_at.is_(None)).values(looked_at=now)
        session.execute(looked)

    apart.done(session, lambda: _look(session, owner, now, base_url), failed)
    return count


def _due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """One that was looked at in the future was looked at by a clock that was wrong."""
    since = or_(Rota.looked_at.is_(None), Rota.looked_at <= now - EVERY, Rota.looked_at > now)
    return (Rota.ended_at.is_(None), since)


def _look(session: Session, owner: Owner, now: datetime, base_url: str) -> None:
    rows = session.scalars(
        select(Rota)
        .where(_of(owner), Rota.ended_at.is_(None))
        .order_by(Rota.id)
        .with_for_update(of=Rota)
        .execution_options(populate_existing=True)
    ).all()
    told = {begun for row in rows for begun in row.gaps_told}
    since = max(now - BEHIND, min(row.made_at for row in rows))
    book = queries.book(session, owner, since, now + AHEAD)
    open_ = [gap for gap in book.gaps(since, now + AHEAD) if gap.end > now]
    named = {_name(gap, now): gap for gap in open_}
    new = [gap for name, gap in named.items() if name not in told]
    for row in rows:
        row.looked_at, row.gaps_told = now, sorted(named)
    if new:
        _tell(session, owner, new, now, base_url)


def _of(owner: Owner) -> ColumnElement[bool]:
    if owner.authority_id is not None:
        return Rota.authority_id == owner.authority_id
    return Rota.provider_id == owner.provider_id


def _name(gap: Gap, now: datetime) -> str:
    """By which a gap is known again: its beginning, where that is not out of sight."""
    return rfc3339(gap.start) if gap.start > now - BEHIND else "long ago"


def _tell(session: Session, owner: Owner, gaps: list[Gap], now: datetime, base_url: str) -> None:
    organisation = queries.organisation(session, owner)
    zone = ZoneInfo(organisation.time_zone)
    params = {
        "organisation": organisation.name,
        "count": len(gaps),
        "first": _moment(max(gaps[0].start, now), zone),
        "gaps": "; ".join(_words(gap, now, zone) for gap in gaps[:LISTED]),
        "more": max(len(gaps) - LISTED, 0),
        "provider": owner.provider_id is not None,
        "link": f"{base_url}/duty",
    }
    whose = owner.authority_id or owner.provider_id
    key = f"duty_gap:{whose}:{rfc3339(gaps[0].start)}:{rfc3339(now)}"
    for address, name in _readers(session, owner, now).items():
        told = {**params, "name": name}
        outbox.queue_letter(session, address, LETTER, told, key, now, urgent=True)


def _readers(session: Session, owner: Owner, now: datetime) -> dict[str, str]:
    """Names by address: whoever can fill a gap there."""
    if owner.authority_id is not None:
        found = _people(session, Person.authority_id == owner.authority_id, Role.ADMINISTRATOR)
        supervisors = session.scalars(
            select(Contact).where(
                Contact.authority_id == owner.authority_id,
                Contact.function == Function.SUPERVISOR,
                Contact.email_verified_at.is_not(None),
            )
        )
        return found | {c.email: c.name for c in supervisors if queries.is_usable(c, now)}
    ours = Person.provider_id == owner.provider_id
    return _people(session, ours, Role.PROVIDER_ADMINISTRATOR, Role.SPOC)


def _people(session: Session, ours: ColumnElement[bool], *roles: Role) -> dict[str, str]:
    rows: Iterable[Person] = session.scalars(
        select(Person)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(ours, Person.disabled_at.is_(None), PersonRole.role.in_(roles))
        .order_by(Person.email)
    )
    return {person.email: person.name for person in rows}


def _words(gap: Gap, now: datetime, zone: ZoneInfo) -> str:
    begun = "now" if gap.start <= now else _moment(gap.start, zone)
    return f"from {begun} to {_moment(gap.end, zone)}: {gap.why.rstrip('.')}"


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    local, plain = moment.astimezone(zone), moment.astimezone(UTC)
    return f"{local:%a %d %b, %H:%M} ({plain:%d %b, %H:%M} UTC)"
