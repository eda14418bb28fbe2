"""Cases: orders of one authority that belong together, each to its own provider.

A case is the contact point's own matter: its provider never hears of it, and the version of an
order that is served does not move when it is put into one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.errors import FieldError, Invalid, NotFound
from liaison.models import CaseFile, Order
from liaison.queries import cases as queries
from liaison.queries import orders
from liaison.services import ledger
from liaison.services import orders as verbs

MOST_TOGETHER = 20
"""Providers that one form can draft for at once."""


def draft_together(
    session: Session,
    actor: Actor,
    data: Sequence[Mapping[str, Any]],
    now: datetime,
    *,
    request_id: UUID | None = None,
) -> list[Order]:
    """One draft for each provider, all or none; several are tied as a case.

    ``request_id``: the counterpart's request they are made from.
    """
    names = [str(one.get("provider")) for one in data]
    if len(set(names)) < len(names):
        said = "Each further provider is another one than the first."
        raise Invalid([FieldError("/further", said)])
    if len(data) > MOST_TOGETHER:
        said = f"Write to at most {MOST_TOGETHER} providers at once; there are {len(data)}."
        raise Invalid([FieldError("/further", said)])
    made = []
    for number, one in enumerate(data):
        try:
            made.append(verbs.draft(session, actor, one, now, request_id=request_id))
        except Invalid as error:
            if number == 0:
                raise
            raise Invalid([_of_further(fault, names[number]) for fault in error.errors]) from None
    for other in made[1:]:
        tie(session, other, made[0], actor, now)
    return made


def tie(session: Session, order: Order, other: Order, actor: Actor, now: datetime) -> CaseFile:
    """Puts an order into the case of another; where there is none, one is opened.

    Both are of the actor's authority, or ``NotFound``. ``Invalid`` where the two stand in
    different cases already.
    """
    _demand_own(actor, order, other)
    if order.id == other.id:
        raise Invalid([FieldError("/other", "Name another order than this one.")])
    known = {one.case_id for one in (order, other) if one.case_id is not None}
    if len(known) > 1:
        said = "Both stand in a case already, and in different ones. Take one of them out first."
        raise Invalid([FieldError("/other", said)])
    case = session.get_one(CaseFile, known.pop()) if known else _opened(session, other, actor, now)
    for one in (other, order):
        if one.case_id is None:
            _put(session, one, case.id)
            entry = ledger.own(one, "order.tied", actor, {"case": case.name})
            ledger.record(session, now, entry)
    return case


def add(session: Session, actor: Actor, name: str, other: str, now: datetime) -> CaseFile:
    """The same for two orders that are named by ref or id, both locked."""
    order, second = _locked(session, actor, name, other)
    return tie(session, order, second, actor, now)


def add_to(session: Session, actor: Actor, name: str, case_id: UUID, now: datetime) -> CaseFile:
    """Puts an order into a case; ``NotFound`` for another authority's."""
    case = queries.case(session, actor, case_id)
    (order,) = _locked(session, actor, name)
    _demand_own(actor, order)
    if order.case_id == case.id:
        return case
    if order.case_id is not None:
        said = "This order stands in another case already. Take it out of that one first."
        raise Invalid([FieldError("/case", said)])
    _put(session, order, case.id)
    ledger.record(session, now, ledger.own(order, "order.tied", actor, {"case": case.name}))
    return case


def take_out(session: Session, actor: Actor, name: str, now: datetime) -> Order:
    """Takes an order out of its case; nothing happens where it stands in none."""
    (order,) = _locked(session, actor, name)
    _demand_own(actor, order)
    if order.case_id is not None:
        case = session.get_one(CaseFile, order.case_id)
        _put(session, order, None)
        ledger.record(session, now, ledger.own(order, "order.untied", actor, {"case": case.name}))
    return order


def _locked(session: Session, actor: Actor, *names: str) -> list[Order]:
    """The orders in the order they were named, locked in that of their ids: none waits for both."""
    found = [orders.find(session, actor, name) for name in names]
    for order in sorted({order.id for order in found}):
        orders.find(session, actor, str(order), lock=True)
    return found


def _demand_own(actor: Actor, *both: Order) -> None:
    decide(OrderState.DRAFT, Action.EDIT, actor.roles)
    if any(order.authority_id != actor.authority_id for order in both):
        raise NotFound


def _opened(session: Session, order: Order, actor: Actor, now: datetime) -> CaseFile:
    name = str(order.investigating_authority.get("case_number") or order.name)
    case = CaseFile(authority_id=order.authority_id, name=name, opened_at=now, opened_by=actor.name)
    session.add(case)
    session.flush()
    return case


def _put(session: Session, order: Order, case_id: UUID | None) -> None:
    # The row's version stays: the provider's answer must not be stale by what it cannot see.
    session.flush()
    session.execute(
        update(Order)
        .where(Order.id == order.id)
        .values(case_id=case_id, version=Order.version)
        .execution_options(synchronize_session=False)
    )
    set_committed_value(order, "case_id", case_id)


def _of_further(fault: FieldError, provider: str) -> FieldError:
    return FieldError("/further", f"{provider}: {fault.detail}")
