"""How much one side writes into a thread: enough for every order, and not without end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from liaison.domain.thread_limits import BYTES, HOURLY, MOST, Said, check
from liaison.errors import Invalid, RateLimited

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def said(number: int, apart: timedelta = timedelta(hours=3), size: int = 0) -> list[Said]:
    """Messages of one side, the last of them ``apart`` ago."""
    return [Said(NOW - n * apart, size) for n in range(number, 0, -1)]


def test_as_many_as_there_may_be_and_not_one_more() -> None:
    check(said(MOST - 1), 0, NOW, owed=False)
    with pytest.raises(Invalid) as caught:
        check(said(MOST), 0, NOW, owed=False)
    assert [fault.pointer for fault in caught.value.errors] == ["/text"]


def test_within_an_hour_and_when_it_goes_on() -> None:
    check(said(HOURLY - 1, MINUTE), 0, NOW, owed=False)
    with pytest.raises(RateLimited) as caught:
        check(said(HOURLY, MINUTE), 0, NOW, owed=False)
    assert caught.value.retry_after == (60 - HOURLY) * 60
    check(said(HOURLY, MINUTE), 0, NOW + timedelta(seconds=caught.value.retry_after), owed=False)


def test_files_of_all_messages_together() -> None:
    check(said(4, size=BYTES // 4), 0, NOW, owed=False)
    check(said(3, size=BYTES // 4), BYTES // 4, NOW, owed=False)
    for owed in (True, False):
        with pytest.raises(Invalid) as caught:
            check(said(4, size=BYTES // 4), 1, NOW, owed=owed)
        assert [fault.pointer for fault in caught.value.errors] == ["/attachments"]


def test_an_answer_that_is_owed_always_finds_room() -> None:
    check(said(MOST + HOURLY, MINUTE), 0, NOW, owed=True)
