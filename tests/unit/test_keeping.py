"""The plan of what is kept: which timers must wait, told from the order's dates alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from liaison.domain.keeping import Kept, Nag, expected_timers
from liaison.domain.lifecycle import OrderState

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def kept(days: float = 90, **more: object) -> Kept:
    return Kept(**{"state": OrderState.PRESERVED, "until": NOW + days * DAY, **more})  # type: ignore[arg-type]


def told(plan: Kept, now: datetime = NOW) -> list[tuple[str, float]]:
    return [(p.nag.value, (p.due_at - NOW) / DAY) for p in expected_timers(plan, now)]


def test_the_contact_point_is_reminded_at_14_7_and_2_days() -> None:
    nags = [("expiry_nears", 76), ("expiry_nears", 83), ("expiry_nears", 88)]
    assert told(kept()) == [*nags, ("expiry", 90)]


def test_only_what_lies_ahead_is_planned() -> None:
    assert told(kept(10)) == [("expiry_nears", 3), ("expiry_nears", 8), ("expiry", 10)]
    assert told(kept(2)) == [("expiry", 2)], "the last reminder would be this very moment"
    assert told(kept(), NOW + 91 * DAY) == [("expiry", 90)], "an expiry that is late still comes"


@pytest.mark.parametrize(
    "gone", [{"test": True}, {"mla_recorded": True}, {"nothing_held": True, "until": None}]
)
def test_a_drill_a_recorded_request_and_nothing_held_have_no_dates(gone: dict[str, Any]) -> None:
    assert told(kept(**{"mla_expected_by": date(2027, 1, 15), **gone})) == []


def test_an_announced_request_is_asked_for_a_week_before_and_on_the_day_after() -> None:
    plan = kept(mla_expected_by=date(2027, 1, 15), time_zone="Asia/Yerevan")
    due = [p.due_at for p in expected_timers(plan, NOW) if p.nag is Nag.PROMISE]
    # Eight in the morning there.
    assert due == [
        datetime(2027, 1, 8, 4, tzinfo=UTC),
        datetime(2027, 1, 16, 4, tzinfo=UTC),
    ]
    waiting = Kept(OrderState.ACKNOWLEDGED, mla_expected_by=date(2027, 1, 15))
    assert [p.nag for p in expected_timers(waiting, NOW)] == [Nag.PROMISE, Nag.PROMISE]
    assert expected_timers(Kept(OrderState.ISSUED, mla_expected_by=date(2027, 1, 15)), NOW) == []


@pytest.mark.parametrize("day", [date.min, date.max])
def test_a_day_at_the_calendars_end_breaks_nothing(day: date) -> None:
    assert told(kept(mla_expected_by=day))[-1] == ("expiry", 90)


def test_disposal_is_asked_for_after_14_and_28_days() -> None:
    for state in (OrderState.RELEASED, OrderState.EXPIRED):
        ended = Kept(state, disposal_wanted=True, ended_at=NOW, mla_recorded=True)
        assert told(ended) == [("disposal", 14), ("disposal", 28)]
        assert told(Kept(state, disposal_wanted=False, ended_at=NOW)) == []
    assert told(Kept(OrderState.DISPOSED, disposal_wanted=True, ended_at=NOW)) == []


@pytest.mark.parametrize(
    "state",
    [s for s in OrderState if s not in (OrderState.PRESERVED, OrderState.ACKNOWLEDGED)],
)
def test_no_other_state_has_a_date_to_pass(state: OrderState) -> None:
    assert told(kept(state=state, mla_expected_by=date(2027, 1, 15))) == []
