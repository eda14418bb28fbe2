"""Figures of a contact point's own orders; drills are never counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, case, func, or_, select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.figures import Group, Period, grouped, together
from liaison.domain.lifecycle import OrderState
from liaison.domain.permissions import Verb, demand
from liaison.domain.vocabulary import OriginKind
from liaison.models import Authority, Order
from liaison.queries.orders import visible

_KEPT = (OrderState.PRESERVED, OrderState.RELEASED, OrderState.EXPIRED, OrderState.DISPOSED)
_ENDED = (OrderState.RELEASED, OrderState.EXPIRED, OrderState.DISPOSED)


@dataclass(frozen=True)
class NoMla:
    """How often no MLA request followed, of orders served in a period."""

    period: Period
    whole: Group
    parties: list[Group]
    units: list[Group]


def no_mla(session: Session, actor: Actor, period: Period, now: datetime) -> NoMla:
    """Of preserved orders with a request announced: those without one, by Party and by unit.

    The Party is the one that asks; of a domestic order, the authority's own country. The unit is
    the investigating authority that the order names. Left aside are orders that were declined or
    withdrawn, and those under which nothing is held: there is nothing to request.
    """
    demand(actor, Verb.READ_FIGURES)
    authority = session.get_one(Authority, actor.authority_id)
    today = now.astimezone(ZoneInfo(authority.time_zone)).date()
    party = case(
        (Order.origin_kind == OriginKind.FOREIGN, Order.origin["party"].as_string()),
        else_=authority.country,
    )
    parties = _groups(session, actor, period, party, today)
    units = _groups(
        session, actor, period, Order.investigating_authority["name"].as_string(), today
    )
    return NoMla(period, together(parties), parties, units)


def _groups(
    session: Session, actor: Actor, period: Period, by: ColumnElement[str], today: date
) -> list[Group]:
    recorded = Order.mla_recorded_at.is_not(None)
    passed = and_(Order.mla_expected_by.is_not(None), Order.mla_expected_by < today)
    judged = or_(recorded, Order.state.in_(_ENDED), passed)
    # First each order with its name, then the sums: what is grouped by is a column then.
    one = (
        select(
            by.label("name"),
            case((judged, 1), else_=0).label("judged"),
            case((and_(judged, ~recorded), 1), else_=0).label("without"),
        )
        .where(
            visible(actor),
            Order.test.is_(False),
            Order.mla_intended.is_(True),
            Order.state.in_(_KEPT),
            Order.preserved_until.is_not(None),
            Order.issued_at >= period.start,
            Order.issued_at < period.end,
        )
        .subquery()
    )
    sums = select(
        one.c.name, func.count(), func.sum(one.c.judged), func.sum(one.c.without)
    ).group_by(one.c.name)
    return grouped(
        (name, kept, int(judged), int(without))
        for name, kept, judged, without in session.execute(sums)
    )
