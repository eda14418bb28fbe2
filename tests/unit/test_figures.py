"""Periods and groups of the figures."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from liaison.domain.figures import Group, grouped, period, periods, together

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_a_period_is_the_last_months_or_a_year() -> None:
    assert [p.key for p in periods(NOW)] == ["3m", "12m", "36m", "2026", "2025"]
    chosen = period("2025", NOW)
    assert (chosen.start.isoformat(), chosen.end.isoformat()) == (
        "2025-01-01T00:00:00+00:00",
        "2026-01-01T00:00:00+00:00",
    )
    assert period("2019", NOW).label == "2019"


@pytest.mark.parametrize("key", ["", "13m", "2027", "1999", "٢٠٢٥", "20255", "'--"])
def test_what_is_no_period_is_twelve_months(key: str) -> None:
    assert period(key, NOW).key == "12m"


def test_spellings_are_one_group_and_the_worst_is_first() -> None:
    rows = [("Regional Police", 2, 2, 1), ("regional  police ", 1, 1, 1), ("Coast Guard", 5, 5, 3)]
    found = grouped([*rows, (None, 1, 0, 0)])
    assert [(g.name, g.kept, g.without) for g in found] == [
        ("Coast Guard", 5, 3),
        ("Regional Police", 3, 2),
        ("Not named", 1, 0),
    ]
    whole = together(found)
    assert (whole.kept, whole.judged, whole.without, whole.open, whole.percent) == (9, 8, 5, 1, 62)


def test_a_share_of_nothing_is_none() -> None:
    assert Group("x", 4, 0, 0).percent is None
