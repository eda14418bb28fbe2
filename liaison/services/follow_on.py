"""The follow-on order: what one provider could not keep is asked of the one it named."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action, OrderState, decide
from liaison.domain.vocabulary import OrderStatus, Status
from liaison.errors import FieldError, Invalid, InvalidTransition, NotFound
from liaison.models import Order, OrderTarget, Provider, Route
from liaison.queries import orders, registry
from liaison.services import cases, ledger, requests, writers
from liaison.services import orders as verbs

MOST_PREVIOUS = 50
"""Earlier requests that an order names."""


def make(
    session: Session,
    actor: Actor,
    name: str,
    route_id: UUID,
    now: datetime,
    *,
    provider: str | None = None,
) -> Order:
    """A draft to the provider that was named, with the same content: once, however often asked.

    Status and previous reference say what it follows; both orders belong to one case. Only the
    target that the provider named, where it named one. ``provider`` is needed where the register
    does not know who was meant. Whoever wrote the order has written this one; a counterpart's
    request that was refused or closed without a result gets no further order.
    """
    order = orders.find(session, actor, name, lock=True)
    decide(OrderState.DRAFT, Action.EDIT, actor.roles)
    route = _route(order, route_id)
    if order.test:
        raise InvalidTransition("This is a drill: no order follows on it.")
    if made := made_of(session, order, route):
        return made
    asked = _asked(session, order, route, provider)
    draft = verbs.draft(session, actor, content(order, route, asked), now)
    writers.take_over(session, order, [draft], now)
    draft.follows_id = order.id
    # The same counterpart hears of it.
    draft.request_id = order.request_id and requests.for_follow_on(session, order.request_id)
    route.followed_at, route.provider_id = now, asked.id
    session.flush()
    cases.tie(session, draft, order, actor, now)
    told = {"provider": asked.name, "order": str(draft.id)}
    ledger.record(session, now, ledger.own(order, "order.followed_on", actor, told))
    return draft


def made_of(session: Session, order: Order, route: Route) -> Order | None:
    """The follow-on order of a route, as long as it was not discarded."""
    if route.followed_at is None:
        return None
    return session.scalars(
        select(Order).where(
            Order.follows_id == order.id,
            Order.created_at == route.followed_at,
            Order.provider_id == route.provider_id,
            ~((Order.state == OrderState.WITHDRAWN) & Order.ref.is_(None)),
        )
    ).first()


def _route(order: Order, route_id: UUID) -> Route:
    found = next((route for route in order.routes if route.id == route_id), None)
    if found is None:
        raise NotFound
    return found


def _asked(session: Session, order: Order, route: Route, named: str | None) -> Provider:
    if named:
        found = registry.provider_named(session, named)
    elif route.provider_id is not None:
        found = session.get(Provider, route.provider_id)
    else:
        # The register may have learned of it since.
        found = registry.provider_named(session, route.named)
    if found is None:
        detail = f"“{route.named}” is not in the register. Choose the provider to ask."
        raise Invalid([FieldError("/provider", detail)])
    if found.id == order.provider_id:
        detail = "This is the provider that was asked already. Choose another one."
        raise Invalid([FieldError("/provider", detail)])
    if found.status is not Status.ACTIVE:
        detail = f"{found.name} is {found.status.label.lower()}. Choose another provider."
        raise Invalid([FieldError("/provider", detail)])
    return found


def content(order: Order, route: Route, asked: Provider) -> dict[str, Any]:
    """The follow-on order as JSON, in the format of a draft."""
    data: dict[str, Any] = {
        "provider": asked.name,
        "urgency": order.urgency.value,
        "status": OrderStatus.FOLLOW_UP_PRESERVATION.value,
        "origin": {
            "kind": order.origin_kind.value,
            **order.origin,
            "previous": _previous(order),
        },
        "issuing_officer": _officer(order),
        "confirmation_contact": order.confirmation_contact,
        "investigating_authority": order.investigating_authority,
        "prosecution": order.prosecution,
        "legal_basis": order.legal_basis,
        "offence": order.offence,
        "facts": order.facts,
        "necessity": order.necessity,
        # The custodian or system was one of the provider that was asked first.
        "targets": [
            _target(target)
            for target in order.targets
            if route.target_id is None or target.id == route.target_id
        ],
        "duration_days": order.duration_days,
        "confidential_until": order.confidential_until and order.confidential_until.isoformat(),
        "no_user_notice": order.no_user_notice,
        "partial_disclosure": order.partial_disclosure,
        "mla": {
            "intended": order.mla_intended,
            "expected_by": order.mla_expected_by and order.mla_expected_by.isoformat(),
        },
        "emergency_ground": order.emergency_ground,
    }
    return {name: value for name, value in data.items() if value is not None}


def _previous(order: Order) -> list[dict[str, Any]]:
    issued = order.issued_at or order.created_at
    earlier = list(order.origin.get("previous") or [])[-(MOST_PREVIOUS - 1) :]
    return [*earlier, {"date": issued.date().isoformat(), "reference": order.name}]


def _officer(order: Order) -> dict[str, Any] | None:
    """What was typed of the issuing officer; whoever issues the new one completes the rest."""
    known = dict(order.issuing_officer)
    if order.officer is not None and known.get("name") == order.officer.name:
        known = {name: known[name] for name in known if name not in ("name", "email", "cell")}
    return known or None


def _target(target: OrderTarget) -> dict[str, Any]:
    data = {
        "type": target.type.value,
        "value": target.entered,
        "port": target.port,
        "protocol": target.protocol,
        "service": target.service,
        "from": _as_given(target.start, target.start_offset),
        "to": _as_given(target.end, target.end_offset),
        "data": target.data,
        "relation": target.relation,
    }
    return {name: value for name, value in data.items() if value is not None}


def _as_given(moment: datetime, offset: int) -> str:
    """A moment in the zone in which it was given; ``offset`` is minutes east of UTC."""
    try:
        return moment.astimezone(timezone(timedelta(minutes=offset))).isoformat()
    except OverflowError:
        return rfc3339(moment)
