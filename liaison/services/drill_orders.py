"""A drill's order: begun, broken off, ended. It is marked TEST and goes the whole way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from liaison.domain import drills as rules
from liaison.domain import targets
from liaison.domain.actors import CLOCK
from liaison.domain.lifecycle import OrderState
from liaison.domain.terms import Terms, terms_from_json
from liaison.domain.vocabulary import (
    DrillState,
    Instrument,
    OrderStatus,
    OriginKind,
    Status,
    TargetType,
    Urgency,
)
from liaison.models import Drill, Memorandum, Order, OrderTarget, Timer
from liaison.models.work import TimerKind, TimerState
from liaison.queries import issue as issuing
from liaison.queries import registry
from liaison.services import ledger, order_rows, serving, timers

LASTS = timedelta(hours=24)
"""How long a drill waits for an answer, or until its time to preserve is over if that is longer."""
LONGEST = timedelta(days=7)
"""No drill lasts longer, whatever its time to preserve: the provider's other drills wait for it."""
LATER = timedelta(hours=6)
"""By how much a drill is put off while something stands in its way."""
GOES_ON = timedelta(days=14)
"""So long an open emergency keeps drills away; later only while its ladder still calls people.

One that nobody closes for weeks would else put an end to all drills of its authority.
"""

# Another authority's emergencies are not told of: they are to be read neither here nor there.
EMERGENCY = "A real emergency is open: no drill begins meanwhile."
ANOTHER = "Another drill is running there."
NOT_NOW = "It could not be held now; it is tried again."
BROKEN_OFF = "A real emergency came: the drill is broken off."
NOT_ON = "The drill could not go on: it is broken off."
FEWER = "The memorandum asks for fewer drills now."
UNANSWERED = "The drill ended unanswered."
NO_MEMORANDUM = "No memorandum with the provider is in force."

OPEN = tuple(state for state in OrderState if state.is_open)


def start(session: Session, drill: Drill, now: datetime) -> None:
    """Begins a planned drill that the caller has locked; or puts it off, or cancels it.

    None begins while a real emergency is open at that provider or of that authority.
    """
    memorandum = agreed_for(session, drill, now, now)
    if memorandum is None:
        return
    drill.memorandum, drill.memorandum_id = memorandum, memorandum.id
    order = _written(drill, terms_from_json(memorandum.terms), now)
    serving.hold_provider(session, order)
    if why := _in_the_way(session, order, now):
        put_off(drill, now + LATER, why, now)
        return
    # Who may issue is no question here: nobody does.
    ruling = issuing.rule(session, order, replace(CLOCK, roles=frozenset()), now)
    if ruling.breaches:
        drop(drill, ruling.breaches[0].detail, now)
        return
    session.add(order)
    session.flush()
    told = {"provider": order.provider.name, "urgency": order.urgency.value, "test": True}
    drafted = ledger.own(order, "order.drafted", CLOCK, told)
    entries = serving.serve(session, order, ruling, CLOCK, now)
    assert order.preserve_by is not None
    over = min(max(now + LASTS, order.preserve_by), now + LONGEST)
    timers.plan(session, order, TimerKind.DRILL_END, "end", over, {})
    drill.state, drill.started_at, drill.why = DrillState.RUNNING, now, None
    drill.order, drill.order_id = order, order.id
    ledger.record(session, now, drafted, *entries)


def agreed_for(session: Session, drill: Drill, at: datetime, now: datetime) -> Memorandum | None:
    """The memorandum under which a drill is held at a moment.

    Where none is in force, or the one that is does not ask for it, the drill is cancelled.
    """
    agreed = drill.memorandum
    found = registry.memorandum_in_force(
        session, agreed.authority_id, agreed.provider_id, at.astimezone(UTC).date()
    )
    if found is None:
        drop(drill, NO_MEMORANDUM, now)
        return None
    if drill.slot is not None and number(drill) > int(found.terms["drills_a_year"]):
        drop(drill, FEWER, now)
        return None
    return found


def number(drill: Drill) -> int:
    """Which of its year's drills it is, of those a memorandum asks for; from 1."""
    return int((drill.slot or "").rpartition(":")[2])


def inactive(memorandum: Memorandum) -> str:
    """Which of the two is suspended or closed in the register; empty where none is."""
    for side in (memorandum.provider, memorandum.authority):
        if side.status is not Status.ACTIVE:
            return f"{side.name} is {side.status.label.lower()} in the register."
    return ""


def put_off(drill: Drill, until: datetime, why: str, now: datetime) -> None:
    """Another time; how often and why is kept with the drill.

    An announced one is announced anew, a whole day before.
    """
    if drill.announced and until < now + rules.ANNOUNCED_AHEAD:
        until += timedelta(days=1)
    drill.planned_at, drill.why, drill.announced_at = until, why, None
    drill.put_off += 1


def drop(drill: Drill, why: str, now: datetime) -> None:
    """A planned drill that does not begin."""
    drill.state, drill.why, drill.ended_at = DrillState.CANCELLED, why, now


def _in_the_way(session: Session, order: Order, now: datetime) -> str:
    """Why it cannot begin now. What is another authority's is not named."""
    own, there = Order.authority_id == order.authority_id, Order.provider_id == order.provider_id
    calls = select(Timer.id).where(
        Timer.order_id == Order.id,
        # Held by a person, it calls people again.
        Timer.kind.in_((TimerKind.LADDER, TimerKind.PAUSE_END)),
        Timer.state == TimerState.WAITING,
    )
    opened = select(Order.id).where(Order.state.in_(OPEN))
    real = opened.where(
        Order.urgency == Urgency.EMERGENCY,
        Order.test.is_(False),
        or_(Order.issued_at > now - GOES_ON, calls.exists()),
    )
    drill = opened.where(there, Order.test.is_(True))
    for query, why in (
        (real.where(own), EMERGENCY),
        (drill.where(own), ANOTHER),
        (real.where(there), NOT_NOW),
        (drill, NOT_NOW),
    ):
        if session.scalar(query.limit(1)) is not None:
            return why
    return ""


def give_way(session: Session, order: Order, now: datetime) -> list[ledger.Record]:
    """Breaks off what drills run at the provider of a real emergency that is being issued."""
    if order.urgency is not Urgency.EMERGENCY or order.test:
        return []
    serving.hold_provider(session, order)
    running = session.scalars(
        select(Order)
        .where(
            Order.provider_id == order.provider_id,
            Order.state.in_(OPEN),
            Order.test.is_(True),
        )
        .order_by(Order.id)
        .with_for_update(of=Order)
        .execution_options(populate_existing=True)
    ).all()
    entries: list[ledger.Record] = []
    for drill in running:
        why = BROKEN_OFF if drill.authority_id == order.authority_id else NOT_ON
        entries += serving.take_back(session, drill, CLOCK, why, now)
        settle(session, drill, now, state=DrillState.CANCELLED, why=why)
    return entries


def end(session: Session, _timer: Timer, order: Order, now: datetime) -> None:
    """The drill's time is over: one that nobody answered is taken back."""
    entries: list[ledger.Record] = []
    if order.state.is_open:
        entries = serving.take_back(session, order, CLOCK, UNANSWERED, now)
        settle(session, order, now, why=UNANSWERED)
    else:
        settle(session, order, now)
    if entries:
        ledger.record(session, now, *entries)


def settle(
    session: Session,
    order: Order,
    now: datetime,
    *,
    state: DrillState = DrillState.ENDED,
    why: str | None = None,
) -> None:
    """Notes with the drill that its order was answered or taken back; a real order has none.

    The caller holds the order's lock.
    """
    if not order.test:
        return
    drill = session.scalars(
        select(Drill)
        .where(Drill.order_id == order.id, Drill.state == DrillState.RUNNING)
        .with_for_update(of=Drill)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if drill is None:
        return
    drill.state, drill.why, drill.ended_at = state, why, now
    session.flush()
    timers.cancel(session, order, TimerKind.DRILL_END, now)


def _written(drill: Drill, terms: Terms, now: datetime) -> Order:
    """The order of a drill: TEST in every text, nobody's data, one day, no case."""
    memorandum, text = drill.memorandum, rules.TEXTS
    authority = memorandum.authority
    order = Order(
        state=OrderState.DRAFT,
        test=True,
        authority=authority,
        authority_id=authority.id,
        provider=memorandum.provider,
        provider_id=memorandum.provider_id,
        urgency=drill.urgency,
        status=OrderStatus.NEW,
        origin_kind=OriginKind.DOMESTIC,
        origin={},
        issuing_officer={"name": f"{rules.MARK}: no officer, a drill"},
        confirmation_contact={
            "name": authority.name,
            "function": "24/7 contact point",
            "phone": authority.phone,
            "email": authority.email,
        },
        investigating_authority={"name": authority.name, "case_number": text["case"]},
        legal_basis=[{"instrument": Instrument.OTHER.value, "articles": [text["case"]]}],
        offence=text["offence"],
        facts=text["facts"],
        necessity=text["necessity"],
        duration_days=1,
        no_user_notice=False,
        partial_disclosure=False,
        mla_intended=False,
        emergency_ground=text["ground"] if drill.urgency is Urgency.EMERGENCY else None,
        created_at=now,
        targets=[_target(terms, now)],
    )
    order_rows.complete_officer(order, authority, CLOCK.name, "")
    return order


def _target(terms: Terms, now: datetime) -> OrderTarget:
    kind, value = rules.example(terms.target_types)
    found = targets.parse(kind, value)
    return OrderTarget(
        position=0,
        type=found.type,
        value=found.value,
        entered=found.entered,
        search_key=found.search_key,
        service=rules.MARK if kind is TargetType.ACCOUNT else None,
        start=now - timedelta(days=1),
        end=now - timedelta(hours=23),
        start_offset=0,
        end_offset=0,
        data=[category.value for category in rules.asked_for(terms.categories)],
        relation=rules.TEXTS["relation"],
    )
