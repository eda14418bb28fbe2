"""A memorandum's terms: clocks, limits, and what an order outside them is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.domain.terms import (
    Clocks,
    Deadlines,
    Terms,
    Window,
    breaches,
    deadlines,
    second_climb_start,
    terms_from_json,
    terms_json,
)
from liaison.domain.vocabulary import DataCategory, Role, TargetType, Urgency
from liaison.errors import FieldError
from tests.register import ladder, terms

ISSUED = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
OFFICER = frozenset({Role.OFFICER})

spans = st.integers(0, 100_000).map(lambda m: timedelta(minutes=m))
windows = st.builds(
    Window,
    days=st.lists(st.integers(0, 6), min_size=1, unique=True).map(tuple),
    opens=st.sampled_from(["00:00", "08:30"]),
    closes=st.sampled_from(["17:00", "23:59"]),
)
agreed = st.builds(
    Terms,
    clocks=st.fixed_dictionaries({u: st.builds(Clocks, spans, spans) for u in Urgency}),
    ladders=st.just({u: ladder(0, 15, 30, 45) for u in Urgency}),
    answer=spans,
    clock_stops=st.booleans(),
    default_days=st.integers(1, 90),
    longest_days=st.integers(1, 3650),
    extensions=st.integers(0, 5),
    categories=st.frozensets(st.sampled_from(DataCategory)),
    target_types=st.frozensets(st.sampled_from(TargetType)),
    emergency_windows=st.lists(windows, max_size=3).map(tuple),
    languages=st.lists(st.sampled_from(["en", "hy", "nl"]), unique=True).map(tuple),
    issuers=st.frozensets(st.sampled_from([Role.OFFICER, Role.SUPERVISOR])),
    ratification=spans,
    drills_a_year=st.integers(0, 12),
    disposal_confirmation=st.booleans(),
    office_hours=st.lists(windows, max_size=3).map(tuple),
    observes_holidays=st.booleans(),
    reply_acknowledges=st.booleans(),
)
wanted = st.lists(
    st.tuples(st.sampled_from(TargetType), st.lists(st.sampled_from(DataCategory), unique=True)),
    max_size=6,
)


def found(
    which: Terms,
    days: int = 90,
    targets: object = ((TargetType.PHONE, (DataCategory.SUBSCRIBER,)),),
    roles: frozenset[Role] = OFFICER,
) -> list[FieldError]:
    """What stands in the way of an order."""
    return breaches(which, "MoU-7", duration_days=days, targets=targets, roles=roles)  # type: ignore[arg-type]


@given(agreed)
def test_terms_written_as_data_read_back_the_same(which: Terms) -> None:
    assert terms_from_json(json.loads(json.dumps(terms_json(which)))) == which


LATER = {"office_hours", "observes_holidays", "reply_acknowledges"}
"""Terms that came when memoranda had been signed without them."""


@given(agreed)
def test_what_was_signed_before_a_term_was_there_keeps_its_fingerprint(which: Terms) -> None:
    """It reads as agreed without the term, and is written again as it was."""
    old = {name: value for name, value in terms_json(which).items() if name not in LATER}
    read = terms_from_json(old)
    assert (read.office_hours, read.observes_holidays, read.reply_acknowledges) == (
        (),
        False,
        False,
    )
    assert json.dumps(terms_json(read)) == json.dumps(old)


def test_terms_as_data_are_written_alike_each_time() -> None:
    """They are copied onto the order at issue: sets must not shuffle between two writings."""
    assert json.dumps(terms_json(terms())) == json.dumps(terms_json(terms()))
    assert terms_json(terms())["categories"] == sorted(c.value for c in DataCategory)


@pytest.mark.parametrize(
    ("urgency", "acknowledge", "preserve"),
    [
        (Urgency.EMERGENCY, "2026-11-23T13:00Z", "2026-11-23T16:00Z"),
        (Urgency.URGENT, "2026-11-23T20:00Z", "2026-11-24T12:00Z"),
        (Urgency.ROUTINE, "2026-11-25T12:00Z", "2026-11-28T12:00Z"),
    ],
)
def test_both_clocks_count_from_issue(urgency: Urgency, acknowledge: str, preserve: str) -> None:
    due = deadlines(terms(), urgency, ISSUED)
    assert due == Deadlines(datetime.fromisoformat(acknowledge), datetime.fromisoformat(preserve))


@given(agreed, st.sampled_from(Urgency))
def test_a_deadline_is_the_issue_and_its_clock(which: Terms, urgency: Urgency) -> None:
    due = deadlines(which, urgency, ISSUED)
    assert due.acknowledge_by - ISSUED == which.clocks[urgency].acknowledge
    assert due.preserve_by - ISSUED == which.clocks[urgency].preserve


def test_acknowledged_in_time_the_second_climb_waits_for_the_time_to_preserve() -> None:
    due = deadlines(terms(), Urgency.EMERGENCY, ISSUED)
    assert second_climb_start(due, ISSUED + timedelta(minutes=5)) == due.preserve_by
    assert second_climb_start(due, due.acknowledge_by) == due.preserve_by


def test_acknowledged_late_the_span_between_the_clocks_is_left() -> None:
    """Nobody is paged the moment they answer."""
    due = deadlines(terms(), Urgency.EMERGENCY, ISSUED)
    late = due.preserve_by + 2 * HOUR
    assert second_climb_start(due, late) == late + 3 * HOUR


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(0, 30_000))
def test_the_second_climb_is_never_early_and_never_at_the_answer(
    acknowledge: int, longer: int, answered: int
) -> None:
    due = Deadlines(
        ISSUED + timedelta(minutes=acknowledge), ISSUED + timedelta(minutes=acknowledge + longer)
    )
    at = ISSUED + timedelta(minutes=answered)
    start = second_climb_start(due, at)
    assert start >= due.preserve_by
    if at <= due.acknowledge_by:
        assert start == due.preserve_by
    else:
        assert start - at >= timedelta(minutes=longer)


def test_an_order_within_the_terms_meets_nothing() -> None:
    assert found(terms()) == []


def test_the_longest_duration_is_allowed_and_a_day_more_is_not() -> None:
    assert found(terms(), days=90) == []
    (fault,) = found(terms(), days=91)
    assert fault.pointer == "/duration_days"
    assert "MoU-7" in fault.detail
    assert "longest duration: 90 days" in fault.detail
    assert "Ask for 90 days or fewer" in fault.detail


def test_a_category_that_is_not_covered_is_named_at_its_target() -> None:
    targets = [
        (TargetType.PHONE, [DataCategory.SUBSCRIBER]),
        (TargetType.PHONE, [DataCategory.TRAFFIC, DataCategory.LOCATION]),
    ]
    (fault,) = found(terms(DataCategory.LOCATION), targets=targets)
    assert fault.pointer == "/targets/1/data"
    assert "Location data not covered" in fault.detail
    assert "Traffic" not in fault.detail
    assert "agree an amendment" in fault.detail


def test_a_target_type_that_is_not_covered_is_named() -> None:
    which = replace(terms(), target_types=frozenset({TargetType.IP_ADDRESS}))
    (fault,) = found(which)
    assert fault.pointer == "/targets/0/type"
    assert "“Phone number” is not covered" in fault.detail


def test_who_may_not_issue_is_told_who_may() -> None:
    which = replace(terms(), issuers=frozenset({Role.SUPERVISOR}))
    (fault,) = found(which)
    assert (fault.pointer, "Supervisor" in fault.detail) == ("", True)
    assert found(which, roles=frozenset({Role.OFFICER, Role.SUPERVISOR})) == []


@given(agreed, st.integers(1, 4000), wanted)
def test_each_breach_is_told_once_and_nothing_else_is(
    which: Terms,
    days: int,
    targets: list[tuple[TargetType, list[DataCategory]]],
) -> None:
    pointers = [fault.pointer for fault in found(which, days, targets)]
    expected = [] if OFFICER & which.issuers else [""]
    expected += ["/duration_days"] if days > which.longest_days else []
    for index, (kind, categories) in enumerate(targets):
        expected += [f"/targets/{index}/type"] if kind not in which.target_types else []
        uncovered = set(categories) - which.categories
        expected += [f"/targets/{index}/data"] if uncovered else []
    assert pointers == expected
