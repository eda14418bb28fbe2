"""What the contact point does to an order: draft, edit, issue, withdraw; and its expiry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import CLOCK, Actor
from liaison.domain.draft import OrderDraft, parse_draft
from liaison.domain.ladder import Whom
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.vocabulary import DrillState
from liaison.errors import FieldError, Forbidden, Invalid, OutsideTerms
from liaison.models import Order, Person, Provider, Timer
from liaison.models.work import Wanted
from liaison.queries import issue as issuing
from liaison.queries import orders, registry
from liaison.services import drill_orders, endings, ledger, order_rows, outbox, passkeys, serving
from liaison.services.guards import fresh_factor, order_for


def draft(session: Session, actor: Actor, data: object, now: datetime) -> Order:
    """A new draft; ``Invalid`` names every fault, and then nothing is stored."""
    decide(OrderState.DRAFT, Action.EDIT, actor.roles)
    if actor.authority_id is None:
        raise Forbidden("Only a contact point drafts orders.")
    written, provider = _read(session, data, now)
    order = Order(
        state=OrderState.DRAFT,
        authority_id=actor.authority_id,
        officer_id=actor.person_id,
        created_at=now,
    )
    order_rows.write(order, written, provider)
    session.add(order)
    session.flush()
    told = {"provider": provider.name, "urgency": order.urgency.value}
    ledger.record(session, now, ledger.own(order, "order.drafted", actor, told))
    return order


def edit(
    session: Session, actor: Actor, name: str, data: object, version: int, now: datetime
) -> Order:
    """Writes a draft anew, all of it."""
    order, _ = order_for(session, actor, name, Action.EDIT, version)
    written, provider = _read(session, data, now)
    order.targets.clear()
    session.flush()  # the old positions must be free before the new ones take them
    order_rows.write(order, written, provider)
    told = {"provider": provider.name, "urgency": order.urgency.value}
    ledger.record(session, now, ledger.own(order, "order.edited", actor, told))
    return order


def _read(session: Session, data: object, now: datetime) -> tuple[OrderDraft, Provider]:
    faults: list[FieldError] = []
    named = data.get("provider") if isinstance(data, Mapping) else None
    provider = None
    if isinstance(named, str) and named.strip() and "\x00" not in named:
        provider = registry.provider_named(session, named)
        if provider is None:
            detail = "No provider of this name or domain is registered. See the list of providers."
            faults.append(FieldError("/provider", detail))
    written = None
    try:
        written = parse_draft(data, now)
    except Invalid as error:
        faults = error.errors + faults
    if faults or written is None or provider is None:
        raise Invalid(faults)
    return written, provider


def issue(session: Session, actor: Actor, name: str, version: int | None, now: datetime) -> Order:
    """Serves a draft on its provider: the clocks run, the SPOC is told, the ladder is armed.

    Needs a second factor given within the last five minutes (a passkey of a day's age where the
    authority says so) and a memorandum that allows the order; its terms and ladders are copied
    onto it, so that later changes do not reach it. A drill at that provider gives way to an
    emergency.
    """
    order, _ = order_for(session, actor, name, Action.ISSUE, version)
    fresh_factor(actor, now, passkey=order.authority.passkey_to_issue)
    if order.authority.passkey_to_issue:
        passkeys.demand_settled(session, actor, now)
    ruling = _within_terms(session, order, actor, now)
    officer = session.get(Person, actor.person_id) if actor.person_id else None
    order.officer, order.officer_id = officer, actor.person_id
    order_rows.complete_officer(order, order.authority, actor, officer.email if officer else "")
    broken_off = drill_orders.give_way(session, order, now)
    entries = serving.serve(session, order, ruling, actor, now)
    ledger.record(session, now, *broken_off, *entries)
    return order


def _within_terms(session: Session, order: Order, actor: Actor, now: datetime) -> issuing.Ruling:
    ruling = issuing.rule(session, order, actor, now)
    if ruling.breaches:
        raise OutsideTerms(
            ruling.breaches, "The memorandum does not allow this order. Nothing was sent."
        )
    return ruling


def withdraw(
    session: Session,
    actor: Actor,
    name: str,
    reason: str,
    now: datetime,
    version: int | None = None,
) -> Order:
    """Takes an order back. The provider is told where it was served; a draft just ends."""
    order, state = order_for(session, actor, name, Action.WITHDRAW, version)
    check_texts(("/reason", reason, LONGEST_REASON))
    served = orders.is_served(order)
    if served and not reason.strip():
        raise Invalid([FieldError("/reason", "Say why: the provider reads it.")])
    if not served:
        order.state, order.withdrawal = state, reason.strip() or None
        endings.end(session, order, now)
        ledger.record(session, now, ledger.own(order, "order.discarded", actor, {}))
        return order
    entries = serving.take_back(session, order, actor, reason.strip(), now)
    drill_orders.settle(session, order, now, state=DrillState.CANCELLED, why=reason.strip())
    ledger.record(session, now, *entries)
    return order


def note_fetched(session: Session, actor: Actor, name: str, now: datetime) -> None:
    """Notes that the provider has opened the order: once, whoever is first."""
    order = orders.find(session, actor, name)
    if not actor.is_provider or order.fetched_at is not None:
        return
    # The row's version stays: reading an order must not make anybody's answer stale.
    result = session.execute(
        update(Order)
        .where(Order.id == order.id, Order.fetched_at.is_(None))
        .values(fetched_at=now, version=Order.version)
        .execution_options(synchronize_session=False)
    )
    if isinstance(result, CursorResult) and result.rowcount == 1:
        ledger.record(session, now, *ledger.act(order, "order.fetched", actor, {}))


def expire(session: Session, _timer: Timer, order: Order, now: datetime) -> None:
    """The promised date has passed; nothing happens where it was moved meanwhile."""
    until = order.preserved_until
    if order.state is not OrderState.PRESERVED or until is None or until > now:
        return
    order.state = decide(order.state, Action.EXPIRE, CLOCK.roles)
    endings.end(session, order, now)
    notice = outbox.Notice("order_expired", Wanted.ALWAYS, "expired", {})
    for contact in registry.addressees(session, order, Whom.DUTY_OFFICER, now):
        outbox.queue(session, order, contact, notice, now)
    told = {"preserved_until": rfc3339(until)}
    ledger.record(session, now, *ledger.act(order, "order.expired", CLOCK, told))
