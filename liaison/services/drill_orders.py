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
    TargetType,
    Urgency,
)
from liaison.models import Drill, Order, OrderTarget, Timer
from liaison.models.work import TimerKind
from liaison.queries import issue as issuing
from liaison.queries import registry
from liaison.services import ledger, order_rows, serving, timers

LASTS = timedelta(hours=24)
"""How long a drill waits for an answer, or until its time to preserve is over if that is longer."""
LATER = timedelta(hours=6)
"""By how much a drill is put off while something stands in its way."""

BROKEN_OFF = "A real emergency came: the drill is broken off."
UNANSWERED = "The drill ended unanswered."
NO_MEMORANDUM = "No memorandum with the provider is in force."

OPEN = tuple(state for state in OrderState if state.is_open)


def start(session: Session, drill: Drill, now: datetime) -> None:
    """Begins a planned drill that the caller has locked; or puts it off, or cancels it.

    None begins while a real emergency is open at that provider or of that authority.
    """
    agreed = drill.memorandum
    memorandum = registry.memorandum_in_force(
        session, agreed.authority_id, agreed.provider_id, now.astimezone(UTC).date()
    )
    if memorandum is None:
        _drop(drill, NO_MEMORANDUM, now)
        return
    drill.memorandum, drill.memorandum_id = memorandum, memorandum.id
    order = _written(drill, terms_from_json(memorandum.terms), now)
    serving.hold_provider(session, order)
    if why := _in_the_way(session, order):
        put_off(drill, now + LATER, why)
        return
    # Who may issue is no question here: nobody does.
    ruling = issuing.rule(session, order, replace(CLOCK, roles=frozenset()), now)
    if ruling.breaches:
        _drop(drill, ruling.breaches[0].detail, now)
        return
    session.add(order)
    session.flush()
    told = {"provider": order.provider.name, "urgency": order.urgency.value, "test": True}
    drafted = ledger.own(order, "order.drafted", CLOCK, told)
    entries = serving.serve(session, order, ruling, CLOCK, now)
    assert order.preserve_by is not None
    timers.plan(session, order, TimerKind.DRILL_END, "end", max(now + LASTS, order.preserve_by), {})
    drill.state, drill.started_at, drill.why = DrillState.RUNNING, now, None
    drill.order, drill.order_id = order, order.id
    ledger.record(session, now, drafted, *entries)


def put_off(drill: Drill, until: datetime, why: str) -> None:
    """Another time; how often and why is kept with the drill."""
    drill.planned_at, drill.why = until, why
    drill.put_off += 1


def _drop(drill: Drill, why: str, now: datetime) -> None:
    drill.state, drill.why, drill.ended_at = DrillState.CANCELLED, why, now


def _in_the_way(session: Session, order: Order) -> str:
    here = or_(Order.provider_id == order.provider_id, Order.authority_id == order.authority_id)
    real = select(Order.id).where(
        Order.state.in_(OPEN), Order.urgency == Urgency.EMERGENCY, Order.test.is_(False), here
    )
    if session.scalar(real.limit(1)) is not None:
        return "A real emergency is open: no drill begins meanwhile."
    other = select(Order.id).where(
        Order.provider_id == order.provider_id, Order.state.in_(OPEN), Order.test.is_(True)
    )
    if session.scalar(other.limit(1)) is not None:
        return "Another drill is running there."
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
        entries += serving.take_back(session, drill, CLOCK, BROKEN_OFF, now)
        settle(session, drill, now, state=DrillState.CANCELLED, why=BROKEN_OFF)
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
    order_rows.complete_officer(order, authority, CLOCK, "")
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
