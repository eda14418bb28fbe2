"""How long an order's data are kept, why longer, and what is open: a panel of the order's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from liaison.domain.lifecycle import Action, OrderState
from liaison.domain.vocabulary import Outcome
from liaison.models import Extension, FollowUp, Order
from liaison.queries.extension_limits import confirmed, open_wish

_OVER = (OrderState.RELEASED, OrderState.EXPIRED, OrderState.DISPOSED, OrderState.WITHDRAWN)
_SHOWN = (OrderState.PRESERVED, OrderState.RELEASED, OrderState.EXPIRED, OrderState.DISPOSED)


@dataclass(frozen=True)
class Keeping:
    """What is promised by now, what moved it, and who owes something."""

    shown: bool
    until: datetime | None
    """The promised date, while it counts."""
    until_decided: bool
    """Whether an MLA request or production order has suspended the date."""
    wish: Extension | None
    extensions: list[Extension]
    follow_ups: list[FollowUp]
    disposal_open: bool
    acts: frozenset[Action]
    """Of the acts here those that make sense now, whoever may do them."""
    over: bool
    """Whether the provider need keep nothing any more."""
    partly: bool
    """Whether the latest report keeps less than all that was asked for."""
    moved: datetime | None
    """The date that an extension gave after the latest report; None where there was none."""
    reported_at: datetime | None
    reported_until: datetime | None
    """What the latest report says; a target may have an earlier date, which no extension moves."""


def keeping_of(order: Order) -> Keeping:
    """The panel of an order. Of a drill there is none: no data are kept."""
    ended = order.state in (OrderState.RELEASED, OrderState.EXPIRED)
    report = order.report
    holds = report is not None and report.outcome is not Outcome.NOTHING_HELD
    until_decided = order.state is OrderState.PRESERVED and order.mla_recorded_at is not None
    dated = order.state is OrderState.PRESERVED and order.preserved_until is not None
    wish = open_wish(order) if dated else None
    disposal_open = ended and order.disposal_wanted
    return Keeping(
        shown=order.state in _SHOWN and holds and not order.test,
        until=order.preserved_until if dated else None,
        until_decided=until_decided,
        wish=wish,
        extensions=confirmed(order),
        follow_ups=list(order.follow_ups),
        disposal_open=disposal_open,
        acts=_acts(order, dated=dated, wish=wish, disposal_open=disposal_open),
        over=order.state in _OVER,
        partly=report is not None and report.outcome is Outcome.PARTIAL,
        moved=_moved(order),
        reported_at=report.reported_at if report else None,
        reported_until=report.until if report else None,
    )


def _moved(order: Order) -> datetime | None:
    """A report that was amended after an extension gives the date itself."""
    given, report = confirmed(order), order.report
    last = given[-1] if given else None
    if last is None or last.confirmed_at is None or report is None:
        return None
    return last.confirmed_until if last.confirmed_at >= report.reported_at else None


def _acts(
    order: Order, *, dated: bool, wish: Extension | None, disposal_open: bool
) -> frozenset[Action]:
    acts = {Action.RELEASE}
    if dated and not order.test:
        acts.add(Action.RECORD_MLA)
        if order.mla_recorded_at is None:
            acts.add(Action.EXTEND if wish else Action.ASK_EXTENSION)
    if disposal_open:
        acts.add(Action.DISPOSE)
    return frozenset(acts)
