"""The worker's look at drills: those the memoranda ask for are planned, announced and begun."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import SystemRandom

from sqlalchemy import ColumnElement, Select, TextClause, and_, func, or_, select, text
from sqlalchemy.orm import Session, aliased

from liaison.clock import rfc3339
from liaison.domain.actors import CLOCK
from liaison.domain.drills import Slot, anniversary, spread, year_of
from liaison.domain.ladder import Whom
from liaison.domain.vocabulary import DrillState, MemorandumState
from liaison.errors import LiaisonError
from liaison.models import Contact, Drill, Memorandum, Order
from liaison.models.base import insert_once, new_id
from liaison.queries import registry
from liaison.services import drill_orders, drills, outbox

PLANNED = text("drill.state = 'planned'")
"""As text: only so may SQLite use the index of planned drills (see ``timers.WAITING``)."""

MISSED = timedelta(hours=1)
"""A drill that is so late was meant for another hour of the day: it waits for that hour again."""

BATCH = 20
"""Memoranda whose drills are planned in one transaction."""

_DRAW = SystemRandom().randrange


def is_due(session: Session, now: datetime) -> bool:
    """Whether a drill is to begin or to be announced, or a memorandum has none ahead.

    The first is one look into an index; the second looks at each memorandum in force.
    """
    if session.execute(select(Drill.id).where(*_due(now)).limit(1)).first() is not None:
        return True
    return session.execute(_without_drills(now, 1)).first() is not None


def run(session: Session, now: datetime, base_url: str) -> int:
    """Begins or announces the drill that is due longest; else plans those of some memoranda."""
    drill = session.scalars(
        select(Drill)
        .where(*_due(now))
        .order_by(Drill.planned_at, Drill.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=Drill)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if drill is not None:
        if drill.planned_at <= now:
            _begin(session, drill, now)
        else:
            _announce(session, drill, f"{base_url}/drills", now)
        session.flush()
        return 1
    query = _without_drills(now, BATCH).with_for_update(skip_locked=True, of=Memorandum)
    return sum(_plan(session, memorandum, now) for memorandum in session.scalars(query).all())


def _due(now: datetime) -> tuple[ColumnElement[bool] | TextClause, ...]:
    untold = and_(Drill.announced.is_(True), Drill.announced_at.is_(None))
    return (
        PLANNED,
        Drill.planned_at <= now + drills.ANNOUNCED_AHEAD,
        or_(Drill.planned_at <= now, untold),
    )


def _begin(session: Session, drill: Drill, now: datetime) -> None:
    if drill.announced and drill.announced_at is None:
        drill_orders.put_off(drill, now + drills.ANNOUNCED_AHEAD, "It was not announced in time.")
        return
    late = now - drill.planned_at
    if late > MISSED:
        days = late // timedelta(days=1) + 1
        then = drill.planned_at + timedelta(days=days)
        drill_orders.put_off(
            drill, then, "Nothing could begin it at its hour: another day, same hour."
        )
        return
    try:
        with session.begin_nested():
            drill_orders.start(session, drill, now)
    except (LiaisonError, LookupError, TypeError, ValueError) as error:
        # One that cannot begin must not stand in the way of all others.
        why = f"It could not begin ({type(error).__name__})."
        session.refresh(drill)
        drill_orders.put_off(drill, now + drill_orders.LATER, why)


def _announce(session: Session, drill: Drill, link: str, now: datetime) -> None:
    for contact in _addressees(session, drill):
        params = {
            "name": contact.name,
            "authority": drill.memorandum.authority.name,
            "provider": drill.memorandum.provider.name,
            "urgency": drill.urgency.label,
            "at": rfc3339(drill.planned_at),
            "link": link,
        }
        key = f"drill:{drill.id}"
        outbox.queue_letter(session, contact.email, "register/drill_announced", params, key, now)
    drill.announced_at = now


def _addressees(session: Session, drill: Drill) -> Sequence[Contact]:
    """Whoever would be on duty then, and every SPOC; each once, verified addresses only."""
    agreed = drill.memorandum
    # The register's own rule is asked, with an order never stored.
    order = Order(provider_id=agreed.provider_id, authority_id=agreed.authority_id)
    found: dict[str, Contact] = {}
    for whom in (Whom.ON_DUTY, Whom.EVERY_SPOC):
        for contact in registry.addressees(session, order, whom, drill.planned_at):
            if contact.email_verified_at is not None:
                found.setdefault(contact.email, contact)
    return list(found.values())


# Planning


def _without_drills(now: datetime, most: int) -> Select[Memorandum]:
    """Memoranda in force that ask for drills and have none ahead, of whatever state."""
    today, newer = now.astimezone(UTC).date(), aliased(Memorandum)
    ahead = select(Drill.id).where(
        Drill.memorandum_id == Memorandum.id, Drill.slot.is_not(None), Drill.planned_at > now
    )
    superseded = select(newer.id).where(
        newer.provider_id == Memorandum.provider_id,
        newer.authority_id == Memorandum.authority_id,
        newer.state == MemorandumState.AGREED,
        newer.in_force_from <= today,
        or_(newer.in_force_to.is_(None), newer.in_force_to >= today),
        or_(
            newer.in_force_from > Memorandum.in_force_from,
            and_(
                newer.in_force_from == Memorandum.in_force_from,
                newer.version > Memorandum.version,
            ),
        ),
    )
    return (
        select(Memorandum)
        .where(
            Memorandum.state == MemorandumState.AGREED,
            Memorandum.in_force_from <= today,
            or_(Memorandum.in_force_to.is_(None), Memorandum.in_force_to >= today),
            ~ahead.exists(),
            ~superseded.exists(),
            Memorandum.terms["drills_a_year"].as_integer() > 0,
        )
        .order_by(Memorandum.id)
        .limit(most)
    )


def _plan(session: Session, memorandum: Memorandum, now: datetime) -> int:
    """The drills of the memorandum's year; of the next where none of this one is ahead.

    A memorandum's year runs from anniversary to anniversary of the first version between the two,
    so that an amendment in its middle asks nobody for the same drill twice.
    """
    number = int(memorandum.terms["drills_a_year"])
    kept, done = _take_over(session, memorandum, number, now)
    begun, years = _first_day(session, memorandum, now)
    for year in (years, years + 1):
        if kept:
            break
        start, end = _midnight(anniversary(begun, year)), _midnight(anniversary(begun, year + 1))
        zone = memorandum.provider.time_zone
        for slot in spread(number, start, end, zone, _DRAW, max(start, now + drills.AHEAD)):
            if slot.at is not None and _insert(session, memorandum, start.year, slot, slot.at):
                kept, done = kept + 1, done + 1
    return done


def _take_over(
    session: Session, memorandum: Memorandum, number: int, now: datetime
) -> tuple[int, int]:
    """Drills ahead that an older version asked for are this one's, as many as it asks for.

    How many are ahead now, and how many rows were touched.
    """
    prefix = _prefix(memorandum)
    ahead = session.scalars(
        select(Drill)
        .where(Drill.slot.startswith(prefix, autoescape=True), Drill.planned_at > now)
        .with_for_update(of=Drill)
        .execution_options(populate_existing=True)
    ).all()
    for drill in ahead:
        drill.memorandum, drill.memorandum_id = memorandum, memorandum.id
        asked = int((drill.slot or "").rpartition(":")[2])
        if drill.state is DrillState.PLANNED and asked > number:
            drill.state, drill.ended_at = DrillState.CANCELLED, now
            drill.why = "The memorandum asks for fewer drills now."
    session.flush()
    return len(ahead), len(ahead)


def _first_day(session: Session, memorandum: Memorandum, now: datetime) -> tuple[date, int]:
    """When the first version came into force, and the number of the year that runs."""
    first = session.scalar(
        select(func.min(Memorandum.in_force_from)).where(
            Memorandum.authority_id == memorandum.authority_id,
            Memorandum.provider_id == memorandum.provider_id,
            Memorandum.state == MemorandumState.AGREED,
        )
    )
    begun = first or memorandum.in_force_from
    return begun, year_of(begun, now.astimezone(UTC).date()).year - begun.year


def _insert(session: Session, memorandum: Memorandum, year: int, slot: Slot, at: datetime) -> bool:
    return insert_once(
        session,
        Drill,
        {
            "id": new_id(),
            "memorandum_id": memorandum.id,
            "slot": f"{_prefix(memorandum)}{year}:{slot.number}",
            "urgency": slot.urgency,
            "announced": slot.announced,
            "planned_at": at,
            "state": DrillState.PLANNED,
            "planned_by": CLOCK.name,
            "put_off": 0,
        },
    )


def _prefix(memorandum: Memorandum) -> str:
    return f"{memorandum.authority_id}:{memorandum.provider_id}:"


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
