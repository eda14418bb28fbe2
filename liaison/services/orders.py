"""What the contact point does to an order: draft, edit, issue, withdraw; and its expiry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from liaison.domain.actors import Actor
from liaison.domain.draft import OrderDraft, parse_draft
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.vocabulary import DrillState, Urgency
from liaison.errors import FieldError, Forbidden, Invalid, InvalidTransition
from liaison.models import Order, Provider
from liaison.queries import four_eyes, orders, registry
from liaison.services import (
    drill_orders,
    endings,
    issuance,
    ledger,
    order_keys,
    order_rows,
    ratification,
    requests,
    serving,
    writers,
)
from liaison.services.guards import order_for

ONLY_EMERGENCIES = (
    "Only an emergency is issued at once, and nothing was sent. Submit this order for "
    "authorisation: another officer or supervisor authorises it, and it is issued in that act."
)


def draft(
    session: Session,
    actor: Actor,
    data: object,
    now: datetime,
    *,
    request_id: UUID | None = None,
) -> Order:
    """A new draft; ``Invalid`` names every fault, and then nothing is stored.

    ``request_id``: the counterpart's request it is made from.
    """
    decide(OrderState.DRAFT, Action.EDIT, actor.roles)
    if actor.authority_id is None:
        raise Forbidden("Only a contact point drafts orders.")
    written, provider = _read(session, data, now)
    made_from = request_id and requests.for_draft(session, actor, request_id, written)
    order = Order(
        state=OrderState.DRAFT,
        authority_id=actor.authority_id,
        request_id=made_from,
        officer_id=actor.person_id,
        created_at=now,
    )
    order_rows.write(order, written, provider)
    session.add(order)
    writers.note_writer(session, order, actor.writer_id, now)
    if made_from:
        requests.note_writers(session, made_from, order, now)
    order_keys.write(session, order)
    told = {"provider": provider.name, "urgency": order.urgency.value}
    ledger.record(session, now, ledger.own(order, "order.drafted", actor, told))
    return order


def edit(
    session: Session, actor: Actor, name: str, data: object, version: int, now: datetime
) -> Order:
    """Writes a draft anew, all of it. A program's has its first person in charge by this."""
    order, _ = order_for(session, actor, name, Action.EDIT, version)
    writers.demand_own_draft(order, actor)
    written, provider = _read(session, data, now)
    if order.request is not None:
        requests.same_origin(order.request, written)
    order.targets.clear()
    session.flush()  # the old positions must be free before the new ones take them
    order_rows.write(order, written, provider)
    if order.officer_id is None:
        order.officer_id = actor.person_id
    flag_modified(order, "urgency")  # the version moves, even where only targets have changed
    writers.note_writer(session, order, actor.writer_id, now)
    order_keys.write(session, order)
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
    """Issues an emergency at once: the clocks run, the SPOC is told, the ladder is armed.

    Any other order is submitted and authorised by another person (``services/authorising.py``);
    here another one must ratify within the term's time. Needs a second factor given within the
    last five minutes (a passkey of a day's age where the authority says so) and a memorandum that
    allows the order; its terms and ladders are copied onto it, so that later changes do not reach
    it. A drill at that provider gives way.
    """
    order, _ = order_for(session, actor, name, Action.ISSUE, version)
    if order.urgency is not Urgency.EMERGENCY:
        raise InvalidTransition(ONLY_EMERGENCIES)
    issuance.demand_factor(session, order, actor, now)
    ruling = issuance.within_terms(session, order, actor, now)
    issuance.put_in_charge(session, order, actor)
    writers.note_writer(session, order, actor.person_id, now)
    order.returned_note = None
    assert ruling.terms is not None, "what is within the terms has some"
    order.ratify_by = now + ruling.terms.ratification
    entries = issuance.serve(session, order, ruling, actor, now)
    ratification.begin(session, order, now)
    ledger.record(session, now, *entries)
    return order


def withdraw(
    session: Session,
    actor: Actor,
    name: str,
    reason: str,
    now: datetime,
    version: int | None = None,
    *,
    beside: Sequence[ledger.Record] = (),
) -> Order:
    """Takes an order back. The provider is told where it was served; a draft just ends.

    ``beside`` are entries of the act that withdraws it: recorded together, for streams are locked
    in one order.
    """
    order, state = order_for(session, actor, name, Action.WITHDRAW, version)
    writers.demand_own_draft(order, actor)
    check_texts(("/reason", reason, LONGEST_REASON))
    served = orders.is_served(order)
    if served and not reason.strip():
        raise Invalid([FieldError("/reason", "Say why: the provider reads it.")])
    if not served:
        order.state, order.withdrawal = state, reason.strip() or None
        endings.end(session, order, now)
        ledger.record(session, now, ledger.own(order, "order.discarded", actor, {}), *beside)
        return order
    unratified = four_eyes.awaits_ratification(order)
    entries = serving.take_back(session, order, actor, reason.strip(), now)
    if unratified:
        ratification.tell_withdrawn(session, order, now)
    drill_orders.settle(session, order, now, state=DrillState.CANCELLED, why=reason.strip())
    ledger.record(session, now, *entries, *beside)
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
