"""``Retry-After``: one reading of it for every way out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from liaison.delivery.exchange import Answer

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7),
        (" 0 ", 0),
        ("12345678", 12345678),
        ("9" * 5000, 10**8),
        ("Mon, 23 Nov 2026 12:01:00 GMT", 60),
        ("Mon, 23 Nov 2026 12:01:00 -0000", 60),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
        ("soon", None),
        ("-3", None),
        ("٧", None),
        ("", None),
    ],
)
def test_it_counts_in_seconds_and_as_a_date_and_else_not_at_all(
    said: str, seconds: int | None
) -> None:
    waits = Answer(429, {"retry-after": said}, "").wait(NOW)
    assert waits == (None if seconds is None else timedelta(seconds=seconds))


def test_who_says_nothing_of_it_asks_for_no_wait() -> None:
    assert Answer(429, {}, "").wait(NOW) is None


@pytest.mark.parametrize(
    ("status", "said"),
    [(500, "500 no"), (404, "404 no"), (302, "302: redirects are not followed.")],
)
def test_a_refusal_says_what_came_back(status: int, said: str) -> None:
    error = Answer(status, {}, "no").refusal(None)
    assert (error.detail, error.status, error.permanent) == (said, status, False)
