"""A provider's report: every target has an outcome and a date, and no date is invented."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from liaison.domain.answer import Preservation, Refusal, TargetAnswer, check_refusal, resolve
from liaison.domain.vocabulary import Ground, Outcome
from liaison.errors import Invalid
from tests.world import START

ONE, TWO = uuid4(), uuid4()
LONGEST = 180


def resolved(**given: Any) -> Any:
    return resolve(Preservation(**given), [ONE, TWO], LONGEST, START)


def pointers(**given: Any) -> list[str]:
    with pytest.raises(Invalid) as caught:
        resolved(**given)
    return [fault.pointer for fault in caught.value.errors]


def test_ninety_days_count_from_now_for_every_target() -> None:
    report = resolved(days=90)
    assert report.outcome is Outcome.PRESERVED
    assert report.until == START + timedelta(days=90)
    assert [t.until for t in report.targets] == [report.until, report.until]


def test_one_target_without_a_record_makes_the_report_partial() -> None:
    found = (TargetAnswer(ONE, Outcome.PRESERVED), TargetAnswer(TWO, Outcome.NOTHING_HELD))
    report = resolved(days=90, targets=found)
    assert report.outcome is Outcome.PARTIAL
    assert report.targets[1].until is None


def test_nothing_held_at_all_needs_no_date_and_gets_none() -> None:
    found = tuple(TargetAnswer(t, Outcome.NOTHING_HELD) for t in (ONE, TWO))
    report = resolved(targets=found)
    assert (report.outcome, report.until) == (Outcome.NOTHING_HELD, None)


def test_the_report_lasts_as_long_as_its_longest_target() -> None:
    later = START + timedelta(days=120)
    found = (TargetAnswer(ONE, Outcome.PRESERVED), TargetAnswer(TWO, Outcome.PRESERVED, later))
    assert resolved(days=30, targets=found).until == later


def test_dates_for_each_target_are_enough() -> None:
    later = START + timedelta(days=40)
    found = tuple(TargetAnswer(t, Outcome.PRESERVED, later) for t in (ONE, TWO))
    assert resolved(targets=found).until == later


@pytest.mark.parametrize("days", [0, -1, LONGEST + 1])
def test_days_outside_the_memorandum_are_refused(days: int) -> None:
    assert pointers(days=days) == ["/days"]


def test_no_date_at_all_is_refused() -> None:
    assert pointers() == ["/days"]


def test_two_dates_are_one_too_many() -> None:
    assert pointers(days=90, until=START + timedelta(days=90)) == ["/until"]


def test_a_date_that_has_passed_is_refused() -> None:
    assert pointers(until=START) == ["/until"]


def test_a_promise_of_hours_is_none() -> None:
    assert pointers(until=START + timedelta(hours=23)) == ["/until"]
    assert resolved(until=START + timedelta(hours=25))


def test_data_were_not_kept_before_anybody_asked() -> None:
    assert pointers(days=90, preserved_at=START.replace(year=1)) == ["/preserved_at"]


def test_a_date_beyond_the_longest_duration_is_refused() -> None:
    assert pointers(until=START + timedelta(days=LONGEST + 2)) == ["/until"]


def test_a_target_nobody_asked_for_is_named() -> None:
    found = tuple(TargetAnswer(t, Outcome.PRESERVED) for t in (ONE, TWO, uuid4()))
    assert pointers(days=90, targets=found) == ["/targets/2/id"]


def test_a_target_answered_twice_is_named_and_the_other_missed() -> None:
    found = (TargetAnswer(ONE, Outcome.PRESERVED), TargetAnswer(ONE, Outcome.NOTHING_HELD))
    assert pointers(days=90, targets=found) == ["/targets/1/id", "/targets"]


def test_a_target_that_was_forgotten_is_not_taken_for_preserved() -> None:
    assert pointers(days=90, targets=(TargetAnswer(ONE, Outcome.PRESERVED),)) == ["/targets"]


def test_a_report_from_the_future_is_refused_but_a_skewed_clock_is_not() -> None:
    assert pointers(days=90, preserved_at=START + timedelta(minutes=6)) == ["/preserved_at"]
    assert resolved(days=90, preserved_at=START + timedelta(minutes=4))


def test_a_fingerprint_has_64_digits() -> None:
    assert pointers(days=90, sha256="ab" * 31) == ["/sha256"]
    assert resolved(days=90, sha256="AB" * 32)


def test_a_refusal_has_a_ground_and_a_sentence() -> None:
    with pytest.raises(Invalid) as caught:
        check_refusal(Refusal((), "  ", preserved_meanwhile=False))
    assert [f.pointer for f in caught.value.errors] == ["/grounds", "/explanation"]
    check_refusal(Refusal((Ground.OVERBROAD,), "A whole network.", preserved_meanwhile=True))
