"""How often and how long a preservation is extended, by whose say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from liaison.domain.extension import (
    Limit,
    Wish,
    left,
    longest,
    of_rule,
    of_terms,
    refusals,
    resolve,
)

CURRENT = datetime(2027, 2, 21, 12, tzinfo=UTC)
TERMS = of_terms("MoU-CP-Meridian", 90, 2)
LAW = of_rule("Romania", "Code of Criminal Procedure, art. 154", 30, 1)


def refused(wish: Wish, extended: int, *limits: Limit) -> list[tuple[str, str]]:
    until, faults = resolve(wish, CURRENT)
    assert until is not None, faults
    return [(f.pointer, f.detail) for f in refusals(wish, until, CURRENT, extended, limits)]


def test_days_count_from_the_promised_date() -> None:
    assert resolve(Wish(days=30), CURRENT) == (CURRENT + timedelta(days=30), [])


@pytest.mark.parametrize(
    ("wish", "pointer"),
    [
        (Wish(), "/days"),
        (Wish(days=0), "/days"),
        (Wish(days=3651), "/days"),
        (Wish(until=CURRENT), "/until"),
        (Wish(until=CURRENT + timedelta(hours=23)), "/until"),
        (Wish(days=1, until=CURRENT + timedelta(days=1)), "/until"),
    ],
)
def test_a_date_that_is_none_is_named(wish: Wish, pointer: str) -> None:
    until, faults = resolve(wish, CURRENT)
    assert until is None
    assert [f.pointer for f in faults] == [pointer]


def test_within_all_limits_nothing_stands_in_the_way() -> None:
    assert refused(Wish(days=90), 1, TERMS) == []
    assert refused(Wish(days=30), 0, TERMS, LAW) == []


def test_a_refusal_names_the_term_its_source_and_what_to_do() -> None:
    ((pointer, said),) = refused(Wish(days=90), 2, TERMS)
    assert pointer == ""
    assert "MoU-CP-Meridian, number of extensions: 2" in said
    assert "extended twice already" in said
    for way in ("Record the MLA request", "new order", "amendment of the memorandum"):
        assert way in said
    ((pointer, said),) = refused(Wish(days=91), 0, TERMS)
    assert pointer == "/days"
    assert "longest duration: 90" in said
    assert "22 May 2027" in said


def test_the_law_limits_too_and_no_amendment_helps_against_it() -> None:
    said = dict(refused(Wish(days=31), 0, TERMS, LAW))
    assert "“Romania”" in said["/days"]
    assert "Code of Criminal Procedure, art. 154" in said["/days"]
    ((_, often),) = refused(Wish(days=30), 1, TERMS, LAW)
    assert "amendment" not in often
    silent = of_rule("Canada", "Criminal Code", None, None)
    assert refused(Wish(days=90), 1, TERMS, silent) == []


def test_a_term_of_none_allows_none() -> None:
    ((_, said),) = refused(Wish(days=1), 0, of_terms("M", 90, 0))
    assert "number of extensions: none" in said


def test_a_date_has_a_days_grace_and_a_number_of_days_has_not() -> None:
    assert refused(Wish(until=CURRENT + timedelta(days=91)), 0, TERMS) == []
    assert refused(Wish(until=CURRENT + timedelta(days=91, minutes=1)), 0, TERMS)


def test_what_is_left_is_the_smallest_say() -> None:
    assert longest([TERMS, LAW]) == 30
    assert left(0, [TERMS, LAW]) == 1
    assert left(3, [TERMS]) == 0
    assert (longest([]), left(0, [])) == (None, None)
