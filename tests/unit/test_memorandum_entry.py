"""A memorandum as it is typed: times, hours of the week, and every fault by its place."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.documents.memorandum_json import Signed, content_sha256
from liaison.domain import memorandum_entry, spans, terms_defaults, windows
from liaison.domain.ladder import Climb, outline
from liaison.domain.memorandum_entry import read, written
from liaison.domain.terms import Window, terms_json
from liaison.domain.terms_words import span, window
from liaison.domain.vocabulary import Urgency
from liaison.errors import Invalid
from tests.register import terms
from tests.world import START

FIRST, LAST = date(2027, 1, 1), date(2028, 12, 31)


def typed(**changes: Any) -> dict[str, Any]:
    return {**written("MoU-12/2026", FIRST, LAST, terms()), **changes}


def faults(**changes: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        read(typed(**changes), terms().ladders)
    return {fault.pointer: fault.detail for fault in refused.value.errors}


def test_what_is_written_is_read_as_it_was() -> None:
    entry = read(typed(), terms().ladders)
    assert (entry.reference, entry.in_force_from, entry.in_force_to) == ("MoU-12/2026", FIRST, LAST)
    assert entry.terms == terms()


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("45 min", 45),
        ("1 h 30 min", 90),
        ("1h30min", 90),
        ("24 hours", 1440),
        ("5 days", 7200),
        ("1 day and 6 hours", 1800),
        ("2 weeks", 20160),
        ("2 days, 3 h", 3060),
        (" 90 MINUTES ", 90),
    ],
)
def test_times_are_typed_as_a_lawyer_would(text: str, minutes: int) -> None:
    assert spans.parse(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize(
    "text",
    ["", "90", "soon", "1 month", "30 min 1 h", "1 h 1 h", "-1 h", "1.5 h", "९ h", "367 days", "9"],
)
def test_a_time_without_its_unit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Write a time"):
        spans.parse(text)


@given(st.integers(min_value=1, max_value=366 * 1440))
def test_every_time_comes_back_to_the_minute(minutes: int) -> None:
    length = timedelta(minutes=minutes)
    assert spans.parse(span(length)) == length


@pytest.mark.parametrize(
    ("text", "days", "opens", "closes"),
    [
        ("Monday to Friday, 08:00 to 20:00", (0, 1, 2, 3, 4), "08:00", "20:00"),
        ("mon-fri 8:00-20.00", (0, 1, 2, 3, 4), "08:00", "20:00"),
        ("Saturday, Sunday, 10:00 to 14:00", (5, 6), "10:00", "14:00"),
        ("Sat and Sun 10:00 – 24:00", (5, 6), "10:00", "24:00"),
        ("Fri-Mon, 00:00 to 06:30", (0, 4, 5, 6), "00:00", "06:30"),
        ("every day 06:00 to 22:00", tuple(range(7)), "06:00", "22:00"),
    ],
)
def test_hours_of_the_week_are_typed_in_words(
    text: str, days: tuple[int, ...], opens: str, closes: str
) -> None:
    assert windows.parse(text) == Window(days, opens, closes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "08:00 to 20:00",
        "Monday",
        "Someday, 08:00 to 20:00",
        "Monday, 20:00 to 08:00",
        "Monday, 08:00 to 08:00",
        "Monday, 08:00 to 24:30",
        "Monday, 25:00 to 26:00",
        "Monday, 08:60 to 20:00",
        "M, 08:00 to 20:00",
    ],
)
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Write"):
        windows.parse(text)


@given(st.sets(st.integers(0, 6), min_size=1), st.integers(0, 1439), st.integers(min_value=1))
def test_every_window_comes_back(days: set[int], opens: int, more: int) -> None:
    closes = opens + 1 + more % (1440 - opens)
    hours = Window(
        tuple(sorted(days)),
        f"{opens // 60:02}:{opens % 60:02}",
        f"{closes // 60:02}:{closes % 60:02}",
    )
    assert windows.parse(window(hours)) == hours


@pytest.mark.parametrize(
    ("name", "value", "pointer"),
    [
        ("reference", "", "/reference"),
        ("reference", "x" * 61, "/reference"),
        ("reference", "MoU\u202e-1", "/reference"),
        ("reference", "<b>", "/reference"),
        ("reference", "MoU\n1", "/reference"),
        ("in_force_from", "", "/in_force_from"),
        ("in_force_from", "1.1.2027", "/in_force_from"),
        ("in_force_to", "2026-12-31", "/in_force_to"),
        ("answer", "0 min", "/answer"),
        ("ratification", "never", "/ratification"),
        ("default_days", 91, "/default_days"),
        ("default_days", 0, "/default_days"),
        ("longest_days", 3651, "/longest_days"),
        ("longest_days", "90", "/longest_days"),
        ("extensions", -1, "/extensions"),
        ("drills_a_year", 53, "/drills_a_year"),
        ("categories", [], "/categories"),
        ("categories", ["thoughts"], "/categories"),
        ("target_types", [], "/target_types"),
        ("issuers", [], "/issuers"),
        ("issuers", ["auditor"], "/issuers"),
        ("emergency_windows", ["Monday"], "/emergency_windows"),
        ("office_hours", ["Monday to Friday"], "/office_hours"),
        ("observes_holidays", "on", "/observes_holidays"),
        ("reply_acknowledges", 1, "/reply_acknowledges"),
        ("languages", [], "/languages"),
        ("languages", ["english"], "/languages"),
        ("clock_stops", "yes", "/clock_stops"),
        ("clocks", None, "/clocks"),
        ("ladders", {}, "/ladders"),
    ],
)
def test_a_fault_is_named_by_its_place(name: str, value: Any, pointer: str) -> None:
    assert list(faults(**{name: value})) == [pointer]


def test_preserving_never_comes_before_acknowledging() -> None:
    clocks = {**typed()["clocks"], "urgent": {"acknowledge": "4 h", "preserve": "3 h 59 min"}}
    assert list(faults(clocks=clocks)) == ["/clocks/urgent/preserve"]
    same = {**clocks, "urgent": {"acknowledge": "4 h", "preserve": "4 h"}}
    assert read(typed(clocks=same), terms().ladders)


def test_all_faults_are_named_at_once() -> None:
    clocks = {**typed()["clocks"], "emergency": {"acknowledge": "60"}}
    found = faults(reference="", answer="", issuers=[], clocks=clocks, typo=1)
    assert set(found) == {
        "/reference",
        "/answer",
        "/issuers",
        "/clocks/emergency/acknowledge",
        "/clocks/emergency/preserve",
        "/typo",
    }


def test_what_is_no_object_is_refused() -> None:
    with pytest.raises(Invalid):
        read([], terms().ladders)


def test_the_fingerprint_changes_with_everything_that_is_signed() -> None:
    whole: dict[str, Any] = {
        "authority": "a",
        "provider": "p",
        "reference": "MoU-1",
        "version": 1,
        "in_force_from": FIRST,
        "in_force_to": None,
        "terms": terms_json(terms()),
        "document_sha256": None,
    }
    others = {
        "authority": "b",
        "provider": "q",
        "reference": "MoU-2",
        "version": 2,
        "in_force_from": LAST,
        "in_force_to": LAST,
        "terms": {**whole["terms"], "extensions": 2},
        "document_sha256": "0" * 64,
    }
    prints = {content_sha256(Signed(**whole))}
    prints |= {content_sha256(Signed(**{**whole, name: other})) for name, other in others.items()}
    assert len(prints) == 1 + len(others)
    turned = dict(reversed(whole["terms"].items()))
    assert content_sha256(Signed(**{**whole, "terms": turned})) in prints


def test_what_a_first_draft_proposes_is_whole() -> None:
    proposed = terms_defaults.terms(("hy",))
    data = written("MoU-1", FIRST, None, proposed)
    assert read(data, proposed.ladders).terms == proposed
    for urgency in Urgency:
        steps = outline(proposed.ladders[urgency], Climb.ACKNOWLEDGE, START)
        assert steps[0].due_at == START
        assert steps[-2].due_at == START + proposed.clocks[urgency].acknowledge
    assert terms_defaults.terms(()).languages == ("en",)
    assert memorandum_entry.ISSUERS
