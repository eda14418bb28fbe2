"""What an order's page shows, gathered once: for the contact point and for the provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action, OrderState
from liaison.domain.vocabulary import DataCategory, Outcome
from liaison.models import Order, Report
from liaison.portal.filters import span
from liaison.portal.orders import words
from liaison.portal.orders.deadline import Deadline, deadline
from liaison.queries import four_eyes, reports
from liaison.queries.ladder import LadderView, ladder_of
from liaison.queries.timeline import Item, for_order


@dataclass(frozen=True)
class Line:
    """One line of the timeline."""

    item: Item
    told: words.Told
    via: str


@dataclass(frozen=True)
class OrderPage:
    """An order as one viewer sees it."""

    order: Order
    viewer: Actor
    acts: frozenset[Action]
    mine: bool
    """Whether the viewer wrote any part of it, so that another person must act."""
    others: list[str]
    """Who can stand behind it as the second person, where one is waited for."""
    deadline: Deadline
    ladder: LadderView
    lines: list[Line]
    lead: str
    zone: str
    """The other side's zone, shown beside UTC."""
    zone_of: str

    def may(self, *names: str) -> bool:
        """Whether the viewer may do one of these acts now."""
        return any(Action(name) in self.acts for name in names)


def order_page(session: Session, viewer: Actor, order: Order, now: datetime) -> OrderPage:
    """Everything the page of an order tells."""
    ladder = ladder_of(session, order)
    lines = [
        Line(item, words.tell(item), words.via(item)) for item in for_order(session, viewer, order)
    ]
    theirs = order.authority if viewer.is_provider else order.provider
    return OrderPage(
        order=order,
        viewer=viewer,
        acts=four_eyes.open_acts(order, viewer),
        mine=four_eyes.has_written(session, order, viewer),
        others=_others(session, viewer, order),
        deadline=deadline(order, ladder, now, provider=viewer.is_provider),
        ladder=ladder,
        lines=lines,
        lead=lead(order, viewer),
        zone=theirs.time_zone,
        zone_of="at the contact point" if viewer.is_provider else "at the provider",
    )


def lead(order: Order, viewer: Actor) -> str:
    """The order in two sentences: who must do what, and where it stands."""
    who = "You" if viewer.is_provider else order.provider.name
    asked = f"{categories(order)} for {_number(len(order.targets))}"
    opened = ""
    if order.state.is_open and not viewer.is_provider:
        opened = (
            " It has been opened there." if order.fetched_at else " Nobody there has opened it yet."
        )
    return {
        OrderState.DRAFT: f"A draft: nothing was sent. {who} would have to preserve {asked}.",
        OrderState.SUBMITTED: f"Nothing was sent. Once another person has authorised it, {who} "
        f"must preserve {asked}.",
        OrderState.ISSUED: f"{who} must acknowledge this order, then preserve {asked}.{opened}",
        OrderState.ACKNOWLEDGED: f"{who} acknowledged and must now preserve {asked}.",
        OrderState.PRESERVED: f"{who} confirmed: {_kept(order.report)}.",
        OrderState.DECLINED: f"{who} declined to preserve {asked}.",
        OrderState.WITHDRAWN: f"Nothing more is asked of {who if who != 'You' else 'you'}.",
        OrderState.RELEASED: f"{who} need not keep the data any longer.",
        OrderState.DISPOSED: f"{who} confirmed that the data are gone.",
        OrderState.EXPIRED: "The promised date has passed; nobody asked for more.",
    }[order.state]


def _others(session: Session, viewer: Actor, order: Order) -> list[str]:
    awaited = order.state is OrderState.SUBMITTED or four_eyes.awaits_ratification(order)
    return four_eyes.others(session, order) if awaited and viewer.is_contact_point else []


def categories(order: Order) -> str:
    """The categories of data that any target asks for."""
    wanted = {category for target in order.targets for category in target.data}
    return words.listing(c.label.lower() for c in DataCategory if c.value in wanted)


def lasting(length: timedelta) -> str:
    """How long a period is; to the millisecond where it is short: shared addresses need that."""
    if length < timedelta(minutes=2):
        return f"{length.total_seconds():.3f}".rstrip("0").rstrip(".") + " s"
    return span(length)


def _kept(report: Report | None) -> str:
    if report is None:
        return "preservation"
    if report.outcome is Outcome.PARTIAL and len(report.targets) > 1:
        found = reports.summary(report).said
        return f"partly preserved, of {len(report.targets)} targets {found}"
    return report.outcome.label.lower()


def _number(count: int) -> str:
    return "one target" if count == 1 else f"{count} targets"
