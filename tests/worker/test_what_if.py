"""What the what-if page says is what the worker does, to the minute, when nobody answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.ladder import Ladder, Rung, Whom
from liaison.domain.terms import Window, terms_json
from liaison.domain.vocabulary import Channel, Function, Holidays, MemorandumState, Turn, Urgency
from liaison.models import (
    CallTask,
    Contact,
    Database,
    DutyOverride,
    Memorandum,
    Message,
    Order,
    Rota,
)
from liaison.models.work import TimerKind
from liaison.queries.what_if import PAGES, WhatIf, what_if
from liaison.worker import Work, run_once
from tests.register import terms
from tests.worker.looking import waiting
from tests.world import World

EMAIL, CALL = Channel.EMAIL, Channel.CALL
Change = Callable[[Session, Memorandum], None]
Act = tuple[datetime, UUID, Channel]
"""When, to whom, by which way."""

FILES = {
    Urgency.EMERGENCY: "01-emergency-missing-child.json",
    Urgency.URGENT: "02-foreign-ransomware-hosting.json",
    Urgency.ROUTINE: "03-cgnat-fraud-routine.json",
}


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


def of_meridian(session: Session, world: World) -> Memorandum:
    return session.scalars(
        select(Memorandum).where(
            Memorandum.authority_id == world.register.authorities["CP"],
            Memorandum.provider_id == world.register.providers["Meridian Telecom"],
        )
    ).one()


def contact(memorandum: Memorandum, function: Function) -> Contact:
    both = (*memorandum.provider.contacts, *memorandum.authority.contacts)
    (found,) = [c for c in both if c.function is function]
    return found


# What can be different in the register


def as_it_is(_session: Session, _memorandum: Memorandum) -> None:
    """Nothing."""


def rota(
    session: Session, of: Memorandum, *functions: Function, ours: bool = False, **own: Any
) -> None:
    """Daily turns that change hands at 08:00 in Yerevan, which is 04:00 UTC."""
    usual = {
        "authority_id": of.authority_id if ours else None,
        "provider_id": None if ours else of.provider_id,
        "name": "Day and night",
        "time_zone": "Asia/Yerevan",
        "turn": Turn.DAILY,
        "handover": "08:00",
        "weekday": 0,
        "starts_on": date(2026, 11, 1),
        "members": [str(contact(of, f).id) for f in functions],
        "windows": [],
        "holidays": Holidays.AS_USUAL,
        "made_by": "the tests",
        "made_at": datetime(2026, 11, 1, tzinfo=UTC),
    }
    session.add(Rota(**{**usual, **own}))


def rotas_on_both_sides(session: Session, of: Memorandum) -> None:
    """Ours changes hands too, and has a gap in the morning."""
    rota(session, of, Function.PRIMARY, Function.DEPUTY, Function.NOC)
    most = [{"days": list(range(7)), "opens": "08:40", "closes": "08:20"}]
    rota(session, of, Function.SUPERVISOR, Function.DUTY_OFFICER, ours=True, windows=most)


def somebody_steps_in(session: Session, of: Memorandum) -> None:
    """An override of twenty minutes around the first rungs."""
    rota(session, of, Function.PRIMARY, Function.DEPUTY)
    session.add(
        DutyOverride(
            provider_id=of.provider_id,
            contact_id=contact(of, Function.LEGAL_DESK).id,
            starts_at=datetime(2026, 11, 25, 3, 40, tzinfo=UTC),
            ends_at=datetime(2026, 11, 25, 4, 0, tzinfo=UTC),
            made_by="the tests",
            made_at=datetime(2026, 11, 24, tzinfo=UTC),
        )
    )


def repeats(_session: Session, of: Memorandum) -> None:
    """Rungs that repeat and overtake each other, one that names somebody, none at once."""
    rungs = (
        Rung(minutes(5), Whom.ON_DUTY, (EMAIL, CALL), repeats=6, every=minutes(7)),
        Rung(minutes(10), Whom.NAMED, (CALL,), str(contact(of, Function.NOC).id)),
        Rung(minutes(20), Whom.EVERY_SPOC, (CALL, EMAIL), repeats=2, every=minutes(10)),
        Rung(minutes(45), Whom.DUTY_OFFICER, (EMAIL,), repeats=3, every=minutes(5)),
    )
    ladder = Ladder(rungs, page_every=minutes(7))
    of.terms = terms_json(replace(terms(), ladders=dict.fromkeys(Urgency, ladder)))


def repeats_and_rotas(session: Session, of: Memorandum) -> None:
    """All of it together."""
    repeats(session, of)
    rotas_on_both_sides(session, of)


def unverified_and_cooling(_session: Session, of: Memorandum) -> None:
    """Ways that do not count, an entry that begins and one that ends within the climb."""
    spoc, fallback = contact(of, Function.PRIMARY), contact(of, Function.FALLBACK)
    spoc.email_verified_at = None
    fallback.email_verified_at = fallback.phone_verified_at = None
    contact(of, Function.DEPUTY).usable_from = datetime(2026, 11, 25, 3, 59, tzinfo=UTC)
    contact(of, Function.DUTY_OFFICER).removed_at = datetime(2026, 11, 25, 4, 10, tzinfo=UTC)


def closed_at_times(session: Session, of: Memorandum) -> None:
    """Office hours and holidays, rungs of both sides mixed, some that name somebody, a rota."""
    rungs = (
        Rung(minutes(0), Whom.ON_DUTY, (EMAIL, CALL), repeats=2, every=minutes(11 * 60)),
        Rung(minutes(9 * 60), Whom.NAMED, (CALL,), str(contact(of, Function.NOC).id)),
        Rung(minutes(10 * 60), Whom.NAMED, (CALL,), str(contact(of, Function.SUPERVISOR).id)),
        Rung(minutes(20 * 60), Whom.EVERY_SPOC, (EMAIL,)),
        Rung(minutes(26 * 60), Whom.DUTY_OFFICER, (EMAIL,), repeats=1, every=minutes(60)),
    )
    ladder = Ladder(rungs, page_every=minutes(240))
    of.terms = terms_json(
        replace(
            terms(),
            ladders=dict.fromkeys(Urgency, ladder),
            office_hours=(Window((0, 1, 2, 3, 4), "09:00", "18:00"),),
            observes_holidays=True,
        )
    )
    rota(session, of, Function.PRIMARY, Function.DEPUTY)


def nobody_at_the_provider(_session: Session, of: Memorandum) -> None:
    """Our own people are called in everybody's place."""
    for one in of.provider.contacts:
        one.removed_at = datetime(2026, 11, 1, tzinfo=UTC)


NIGHT = datetime(2026, 11, 25, 3, 37, tzinfo=UTC)
"""Twenty-three minutes before the hand-over in Yerevan."""

STORIES = [
    (as_it_is, Urgency.EMERGENCY, datetime(2026, 11, 25, 2, 14, 33, tzinfo=UTC)),
    (as_it_is, Urgency.ROUTINE, datetime(2026, 11, 27, 22, 59, tzinfo=UTC)),
    (rotas_on_both_sides, Urgency.EMERGENCY, NIGHT),
    (rotas_on_both_sides, Urgency.URGENT, NIGHT),
    (rotas_on_both_sides, Urgency.ROUTINE, NIGHT),
    (somebody_steps_in, Urgency.EMERGENCY, NIGHT),
    (repeats, Urgency.EMERGENCY, NIGHT),
    (repeats, Urgency.URGENT, NIGHT),
    (repeats_and_rotas, Urgency.EMERGENCY, NIGHT),
    (repeats_and_rotas, Urgency.ROUTINE, NIGHT),
    (closed_at_times, Urgency.ROUTINE, datetime(2026, 12, 30, 13, 40, tzinfo=UTC)),
    (closed_at_times, Urgency.URGENT, datetime(2026, 12, 30, 13, 40, tzinfo=UTC)),
    (unverified_and_cooling, Urgency.EMERGENCY, NIGHT),
    (nobody_at_the_provider, Urgency.EMERGENCY, NIGHT),
]


@pytest.mark.parametrize(
    ("change", "urgency", "at"),
    [pytest.param(*s, id=f"{s[0].__name__}-{s[1].value}-{s[2]:%a-%H%M}") for s in STORIES],
)
def test_what_is_told_is_what_the_worker_does(
    work: Work, world: World, database: Database, change: Change, urgency: Urgency, at: datetime
) -> None:
    """Issued at that moment and left alone: the same people, by the same ways, at the same time."""
    world.clock.set(at)
    with database.transaction() as session:
        change(session, of_meridian(session, world))
    told = ask(world, urgency, at)
    order = world.issue(FILES[urgency], provider="Meridian Telecom")
    assert (order.urgency, order.issued_at) == (urgency, at)
    assert (order.acknowledge_by, order.preserve_by) == (
        told.due.acknowledge_by,
        told.due.preserve_by,
    )
    last = told.moments[-1].at
    left_alone(work, world, database, order, last)
    assert done(database, order) == acts(told)
    assert sum(m.step is not None and m.step.at_top for m in told.moments) == PAGES
    assert all(m.called for m in told.moments), "no step is for nobody"


def test_the_ladder_is_climbed_again_when_the_page_says_so(
    work: Work, world: World, database: Database
) -> None:
    """Acknowledged in time, not preserved: at the end of that time, from its first rung."""
    world.clock.set(NIGHT)
    told = ask(world, Urgency.EMERGENCY, NIGHT)
    order = world.issue()
    run_once(work)
    world.clock.move(minutes=30)
    world.acknowledge(order)
    (timer,) = [t for t in waiting(database, order) if t.kind is TimerKind.LADDER]
    assert timer.due_at == told.due.preserve_by


def test_a_late_acknowledgement_leaves_the_time_that_the_page_says(
    work: Work, world: World, database: Database
) -> None:
    """Counted from the acknowledgement, so that nobody is paged the moment they answer."""
    world.clock.set(NIGHT)
    told = ask(world, Urgency.EMERGENCY, NIGHT)
    order = world.issue()
    late = told.due.preserve_by + timedelta(hours=1)
    left_alone(work, world, database, order, late)
    world.clock.set(late)
    world.acknowledge(order)
    (timer,) = [t for t in waiting(database, order) if t.kind is TimerKind.LADDER]
    assert timer.due_at == late + told.late_by


def test_it_says_whether_these_are_the_terms_of_an_order_issued_then(
    world: World, database: Database
) -> None:
    """A draft binds nobody, nor does one on a day outside its dates."""
    assert ask(world, Urgency.ROUTINE, NIGHT).binds
    assert not ask(world, Urgency.ROUTINE, datetime(2029, 1, 1, tzinfo=UTC)).binds
    with database.transaction() as session:
        of_meridian(session, world).state = MemorandumState.DRAFT
    assert not ask(world, Urgency.ROUTINE, NIGHT).binds


def ask(world: World, urgency: Urgency, at: datetime) -> WhatIf:
    """What the page is made of; the contacts stay readable."""
    with world.database.reading() as session:
        told = what_if(session, of_meridian(session, world), urgency, at)
        session.expunge_all()
        return told


def left_alone(work: Work, world: World, database: Database, order: Order, until: datetime) -> None:
    """Nobody answers: the clock goes from one timer to the next, up to a moment."""
    for _ in range(200):
        run_once(work)
        coming = [t.due_at for t in waiting(database, order) if t.kind is TimerKind.LADDER]
        if not coming or min(coming) > until:
            return
        world.clock.set(min(coming))
    raise AssertionError("the ladder has no end below the last page that was told")


def acts(told: WhatIf) -> list[Act]:
    """All that is told to happen, one line for each contact and way."""
    return sorted(
        (moment.at, called.contact.id, channel)
        for moment in told.moments
        for called in moment.called
        for channel in called.channels
    )


def done(database: Database, order: Order) -> list[Act]:
    """All that did happen."""
    with database.reading() as session:
        sent = session.scalars(select(Message).where(Message.order_id == order.id)).all()
        calls = session.scalars(select(CallTask).where(CallTask.order_id == order.id)).all()
        assert all(m.contact_id for m in sent)
        return sorted(
            [(m.created_at, m.contact_id, m.channel) for m in sent if m.contact_id]
            + [(c.opened_at, c.contact_id, CALL) for c in calls]
        )
