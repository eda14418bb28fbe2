"""The worker's look at drills: those the memoranda ask for are planned, announced and begun."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from random import SystemRandom
from uuid import UUID

import structlog
from sqlalchemy import ColumnElement, Select, TextClause, and_, func, or_, select, text, tuple_
from sqlalchemy.orm import Session, aliased

from liaison.clock import rfc3339
from liaison.domain.actors import CLOCK
from liaison.domain.drills import Slot, anniversary, spread, year_of
from liaison.domain.ladder import Whom
from liaison.domain.vocabulary import DrillState, MemorandumState, Status
from liaison.models import Authority, Drill, Memorandum, Order, Provider
from liaison.models.base import insert_once, new_id
from liaison.models.contact_rows import AnyContact
from liaison.queries import registry
from liaison.services import apart, drill_orders, drills, outbox

log = structlog.get_logger("liaison.drills")

PLANNED = text("drill.state = 'planned'")
"""As text: only so may SQLite use the index of planned drills (see ``timers.WAITING``)."""

MISSED = timedelta(hours=1)
"""A drill that is so late was meant for another hour of the day: it waits for that hour again."""

BATCH = 20
"""Memoranda whose drills are planned in one transaction."""

_DRAW = SystemRandom().randrange


def is_due(session: Session, now: datetime) -> bool:
    """Whether a drill is to begin or to be announced, or a memorandum's are to be planned.

    The first is one look into an index; the second looks at each memorandum in force.
    """
    if session.execute(select(Drill.id).where(*_due(now)).limit(1)).first() is not None:
        return True
    return session.execute(_to_plan(now, 1)).first() is not None


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
            _tell(session, drill, f"{base_url}/drills", now)
        session.flush()
        return 1
    done = 0
    for memorandum in session.scalars(_to_plan(now, BATCH)).all():
        done += _plan_alone(session, memorandum, now)
    return done


def _due(now: datetime) -> tuple[ColumnElement[bool] | TextClause, ...]:
    untold = and_(Drill.announced.is_(True), Drill.announced_at.is_(None))
    return (
        PLANNED,
        Drill.planned_at <= now + drills.ANNOUNCED_AHEAD,
        or_(Drill.planned_at <= now, untold),
    )


def _failure(session: Session, act: Callable[[], None]) -> str:
    """Does what concerns one drill or memorandum; the kind of error that undid it, if any.

    What is broken must not stand in the way of all others. Where the database gives way to
    somebody else, or is gone, the whole portion is tried again.
    """

    def done() -> str:
        act()
        return ""

    return apart.done(session, done, lambda error: type(error).__name__)


def _begin(session: Session, drill: Drill, now: datetime) -> None:
    if drill.announced and drill.announced_at is None:
        then = now + drills.ANNOUNCED_AHEAD
        drill_orders.put_off(drill, then, "It was not announced in time.", now)
        return
    late = now - drill.planned_at
    if late > MISSED:
        days = late // timedelta(days=1) + 1
        then = drill.planned_at + timedelta(days=days)
        why = "Nothing could begin it at its hour: another day, same hour."
        drill_orders.put_off(drill, then, why, now)
        return
    failure = _failure(session, lambda: drill_orders.start(session, drill, now))
    if failure:
        session.refresh(drill)
        log.warning("drill not begun", drill=str(drill.id), error=failure)
        why = f"It could not begin ({failure})."
        drill_orders.put_off(drill, now + drill_orders.LATER, why, now)


def _tell(session: Session, drill: Drill, link: str, now: datetime) -> None:
    failure = _failure(session, lambda: _announce(session, drill, link, now))
    if failure:
        session.refresh(drill)
        log.warning("drill not announced", drill=str(drill.id), error=failure)
        then = max(drill.planned_at, now + drills.ANNOUNCED_AHEAD) + drill_orders.LATER
        drill_orders.put_off(drill, then, f"It could not be announced ({failure}).", now)


def _announce(session: Session, drill: Drill, link: str, now: datetime) -> None:
    """Tells the provider, a whole day before: one that is told of later comes a day later."""
    early = now + drills.ANNOUNCED_AHEAD
    if drill.planned_at < early - MISSED:
        then = drill.planned_at + timedelta(days=1)
        drill_orders.put_off(drill, then, "It was not announced in time.", now)
        return
    at = max(drill.planned_at, early)
    memorandum = drill_orders.agreed_for(session, drill, at, now)
    if memorandum is None:
        return
    if why := drill_orders.inactive(memorandum):
        drill_orders.drop(drill, why, now)
        return
    drill.planned_at = at
    for contact in _addressees(session, drill):
        params = {
            "name": contact.name,
            "authority": drill.memorandum.authority.name,
            "provider": drill.memorandum.provider.name,
            "urgency": drill.urgency.label,
            "at": rfc3339(at),
            "link": link,
        }
        # With its time: one that was put off is announced anew.
        key = f"drill:{drill.id}:{rfc3339(at)}"
        outbox.queue_letter(session, contact.email, "register/drill_announced", params, key, now)
    drill.announced_at = now


def _addressees(session: Session, drill: Drill) -> Sequence[AnyContact]:
    """Whoever would be on duty then, and every SPOC; each once, verified addresses only."""
    agreed = drill.memorandum
    # The register's own rule is asked, with an order never stored.
    order = Order(provider_id=agreed.provider_id, authority_id=agreed.authority_id)
    found: dict[str, AnyContact] = {}
    for whom in (Whom.ON_DUTY, Whom.EVERY_SPOC):
        for contact in registry.addressees(session, order, whom, drill.planned_at):
            if contact.email_verified_at is not None:
                found.setdefault(contact.email, contact)
    return list(found.values())


# Planning


def _to_plan(now: datetime, most: int) -> Select[Memorandum]:
    """Memoranda in force, between active sides, whose drills are to be planned; locked.

    Those that ask for drills and have none ahead, of whatever state; and those that took the
    place of one which has drills planned, whatever number they ask for.

    The lock leaves the key free: an order that is issued under the memorandum must not wait. They
    come in no order, so that broken ones do not stand before all others.
    """
    today, current = now.astimezone(UTC).date(), aliased(Memorandum)
    ahead = select(Drill.id).where(
        Drill.memorandum_id == current.id, Drill.slot.is_not(None), Drill.planned_at > now
    )
    asks = and_(current.terms["drills_a_year"].as_integer() > 0, ~ahead.exists())
    return (
        select(current)
        .where(
            current.state == MemorandumState.AGREED,
            current.in_force_from <= today,
            or_(current.in_force_to.is_(None), current.in_force_to >= today),
            ~_newer(current, today).exists(),
            current.provider.has(Provider.status == Status.ACTIVE),
            current.authority.has(Authority.status == Status.ACTIVE),
            or_(asks, _left_behind(current).exists()),
        )
        .order_by(func.random())
        .limit(most)
        .with_for_update(skip_locked=True, key_share=True, of=current)
        .execution_options(populate_existing=True)
    )


def _newer(current: type[Memorandum], today: date) -> Select[UUID]:
    """What took its place, for good: ``registry.memorandum_in_force`` in the other direction."""
    ours = tuple_(current.in_force_from, current.version, current.id)
    return select(Memorandum.id).where(
        Memorandum.provider_id == current.provider_id,
        Memorandum.authority_id == current.authority_id,
        *registry.begun(today),
        tuple_(Memorandum.in_force_from, Memorandum.version, Memorandum.id) > ours,
    )


def _left_behind(current: type[Memorandum]) -> Select[UUID]:
    """Planned drills that another version between the two asked for."""
    other = aliased(Memorandum)
    return (
        select(Drill.id)
        .join(other, other.id == Drill.memorandum_id)
        .where(
            other.provider_id == current.provider_id,
            other.authority_id == current.authority_id,
            other.id != current.id,
            Drill.slot.is_not(None),
            PLANNED,
        )
    )


def _plan_alone(session: Session, memorandum: Memorandum, now: datetime) -> int:
    name, done = str(memorandum.id), []
    failure = _failure(session, lambda: done.append(_plan(session, memorandum, now)))
    if failure:
        log.warning("drills not planned", memorandum=name, error=failure)
        return 0
    return sum(done)


def _plan(session: Session, memorandum: Memorandum, now: datetime) -> int:
    """What is missing of the memorandum's year; the next one's where none of this is ahead.

    A memorandum's year runs from anniversary to anniversary of the first version between the two,
    so that an amendment in its middle asks nobody for the same drill twice. One that asks for more
    has the rest of the year filled up, and the next where that is planned already.
    """
    number = int(memorandum.terms["drills_a_year"])
    taken = _take_over(session, memorandum, number, now)
    kept, done = sum(drill.planned_at > now for drill in taken), len(taken)
    planned = {(drill.slot or "").split(":")[-2] for drill in taken}
    begun, years = _first_day(session, memorandum, now)
    for year in (years, years + 1):
        start, end = _midnight(anniversary(begun, year)), _midnight(anniversary(begun, year + 1))
        if year > years and kept and str(start.year) not in planned:
            break
        zone = memorandum.provider.time_zone
        for slot in spread(number, start, end, zone, _DRAW, max(start, now + drills.AHEAD)):
            if slot.at is not None and _insert(session, memorandum, start.year, slot, slot.at):
                kept, done = kept + 1, done + 1
    return done


def _take_over(
    session: Session, memorandum: Memorandum, number: int, now: datetime
) -> Sequence[Drill]:
    """Drills to come that an older version asked for are this one's, as many as it asks for."""
    prefix = _prefix(memorandum)
    found = session.scalars(
        select(Drill)
        .where(Drill.slot.startswith(prefix, autoescape=True), or_(Drill.planned_at > now, PLANNED))
        .with_for_update(of=Drill)
        .execution_options(populate_existing=True)
    ).all()
    for drill in found:
        drill.memorandum, drill.memorandum_id = memorandum, memorandum.id
        wanted = drill_orders.number(drill) <= number
        if drill.state is DrillState.PLANNED and not wanted:
            drill_orders.drop(drill, drill_orders.FEWER, now)
        elif drill.why == drill_orders.FEWER and wanted:
            drill.state, drill.why, drill.ended_at = DrillState.PLANNED, None, None
            drill.announced_at = None
    session.flush()
    return found


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
