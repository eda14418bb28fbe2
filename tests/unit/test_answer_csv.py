"""A report as a table: every wrong line is named, and with one of them nothing is taken."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from time import process_time
from uuid import uuid4

import pytest

from liaison.documents import targets_csv
from liaison.domain import answer_csv
from liaison.domain.answer_csv import Line, Target, decode, named, read
from liaison.domain.vocabulary import Outcome
from liaison.errors import Invalid

VALUES = ("198.51.100.24", "+37410000100", "=cmd|'/c calc'!A1", "490154203237518")
TARGETS = [Target(uuid4(), value) for value in VALUES]
HEAD = "number,id,value,outcome,until,note"


def faults(text: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        read(text, TARGETS, "/pasted")
    assert {fault.pointer for fault in caught.value.errors} == {"/pasted"}
    return [fault.detail for fault in caught.value.errors]


def one(line: str, head: str = HEAD) -> Line:
    (found,) = read(f"{head}\n{line}", TARGETS, "/pasted")
    return found


def test_a_line_is_about_the_target_with_this_number_or_id() -> None:
    assert one("2,,,nothing_held,,").target_id == TARGETS[1].id
    assert one(f",{TARGETS[2].id},,preserved,,").target_id == TARGETS[2].id
    assert one(f"3,{str(TARGETS[2].id).upper()},,preserved,,").target_id == TARGETS[2].id
    assert one("2.0,,,preserved,,").target_id == TARGETS[1].id


@pytest.mark.parametrize("word", ["partial", " Partial ", "Partly preserved", "partly"])
def test_outcomes_as_people_write_them(word: str) -> None:
    assert one(f"1,,,{word},,").outcome is Outcome.PARTIAL


@pytest.mark.parametrize(
    ("typed", "moment"),
    [
        ("2027-02-21 12:00", datetime(2027, 2, 21, 12, tzinfo=UTC)),
        ("2027-02-21T12:00:00Z", datetime(2027, 2, 21, 12, tzinfo=UTC)),
        ("2027-02-21 12:00+04:00", datetime(2027, 2, 21, 8, tzinfo=UTC)),
        ("", None),
    ],
)
def test_dates_are_utc_where_they_do_not_say_otherwise(typed: str, moment: datetime) -> None:
    assert one(f"1,,,preserved,{typed},").until == moment


@pytest.mark.parametrize(
    "typed", ["2027-02-21", "21.02.2027 12:00", "soon", "9999-12-31 23:59-12:00"]
)
def test_a_date_without_its_time_is_none(typed: str) -> None:
    (fault,) = faults(f"{HEAD}\n1,,,preserved,{typed},")
    assert fault.startswith("Line 2: ")
    assert "2027-02-21 12:00" in fault


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_delimiter_order_of_columns_and_case(delimiter: str) -> None:
    rows = (("Outcome", "Comment", "NUMBER"), ("nothing_held", "x", "4"))
    text = "\r\n".join(delimiter.join(row) for row in rows)
    assert read(text, TARGETS, "/pasted") == [Line(TARGETS[3].id, Outcome.NOTHING_HELD, None, None)]


def test_lines_that_say_nothing_change_nothing() -> None:
    found = read(f"{HEAD}\n1,,,,,\n\n2,,,preserved,,\n3,,,,,\n", TARGETS, "/pasted")
    assert [line.target_id for line in found] == [TARGETS[1].id]


def test_every_wrong_line_is_named_and_nothing_is_taken() -> None:
    text = "\n".join(
        [
            HEAD,
            "1,,,preserved,,",
            "9,,,preserved,,",
            f"2,{TARGETS[0].id},,preserved,,",
            "2,,198.51.100.99,preserved,,",
            "1,,,preserved,,",
            "3,,,,2027-02-21 12:00,",
            "4,,,gone,,",
            ",,,preserved,,",
            ",nonsense,,preserved,,",
            "4,,,preserved,,a,b",
            '3,,,preserved,,"two',
            'lines"',
            "4,,,preserved,soon," + "x" * 5001,
        ]
    )
    said = faults(text)
    numbers = [int(fault.split(":")[0].removeprefix("Line ")) for fault in said]
    assert numbers == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 14, 14], "a cell may have two lines"
    assert "answered in line 2" in said[3]
    assert "sorted column by column" in said[2]


def test_a_quotation_mark_left_open_is_named() -> None:
    (fault,) = faults(f'{HEAD}\n1,,,preserved,,\n2,,,preserved,,"open')
    assert fault.startswith("Line 3: ")


def test_what_a_spreadsheet_did_to_a_long_number_is_no_fault() -> None:
    assert one("4,,4.90154E+14,preserved,,").target_id == TARGETS[3].id


@pytest.mark.parametrize(
    "head", ["number,note", "outcome,note", "number,outcome,outcome", "", "1,preserved"]
)
def test_the_first_line_names_the_columns(head: str) -> None:
    assert faults(f"{head}\n1,preserved,\n")


@pytest.mark.parametrize(
    "text",
    [
        "number,outcome,note\n1,preserved," + "'" * 40_000 + "x",
        "number,outcome,note\n1,preserved," + "'" * 20_000 + " " * 20_000 + "x",
        "'" * 12_000 + "x,outcome,number\n,preserved,1",
        "number,outcome\n1,preserved" + "," * 150_000,
    ],
    ids=["note", "spaces", "header", "cells"],
)
def test_a_line_is_read_through_once_however_long_it_is(text: str) -> None:
    started = process_time()
    with suppress(Invalid):
        read(text, TARGETS, "/pasted")
    with suppress(Invalid):
        named(text, TARGETS, "/listed")
    assert process_time() - started < 4


@pytest.mark.parametrize(
    ("cell", "note"),
    [
        ("'=1+1", "=1+1"),
        ("'  =1+1", "=1+1"),
        ("''=1+1", "'=1+1"),
        ("'\ttab", "tab"),
        ("'\uff1d1", "\uff1d1"),
        ("'tis so", "'tis so"),
        ("'tis '=so", "'tis '=so"),
    ],
)
def test_only_the_apostrophe_that_hides_a_formula_goes(cell: str, note: str) -> None:
    assert one(f"1,,,preserved,,{cell}").note == note


def test_many_faults_are_bounded() -> None:
    said = faults(HEAD + "\n" + "9,,,preserved,,\n" * 500)
    assert len(said) == answer_csv.MOST_FAULTS + 1
    assert said[-1] == "And 450 more lines."


def test_a_file_of_nothing_but_lines_takes_no_minute_to_refuse() -> None:
    body = HEAD + "\n" + "9,,,preserved,,\n" * 120_000
    assert len(body) < answer_csv.LARGEST
    assert faults(body) == ["A file has at most 10000 lines."]


def test_the_file_that_is_taken_away_is_read_again_as_the_same() -> None:
    notes = ("=1+1", "plain", "'=2", "two, with; all\tthree")
    rows = [
        {
            "number": str(place),
            "id": str(target.id),
            "value": target.value,
            "outcome": "partial",
            "note": notes[place - 1],
        }
        for place, target in enumerate(TARGETS, 1)
    ]
    text = "".join(targets_csv.write(rows))
    assert "\"'=cmd" in text
    assert '"\'=1+1"' in text, "no spreadsheet takes it for a formula"
    for file in (text.encode(), text.encode("utf-16")):
        found = read(decode(file, "/file"), TARGETS, "/file")
        assert [line.target_id for line in found] == [t.id for t in TARGETS]
        assert [line.note for line in found][:2] == ["=1+1", "plain"]


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04rest", b"number,outcome\n1,\xff\n", b"x" * (answer_csv.LARGEST + 1)]
)
def test_what_is_no_csv_file_is_told_so(content: bytes) -> None:
    with pytest.raises(Invalid):
        decode(content, "/file")


def test_targets_are_listed_by_number_id_or_value() -> None:
    twice = [*TARGETS, Target(uuid4(), VALUES[0])]
    text = f"2\r\n{TARGETS[2].id}\n\n198.51.100.24\n2\n490154203237518"
    assert named(text, twice, "/listed") == [
        TARGETS[1].id,
        TARGETS[2].id,
        TARGETS[0].id,
        twice[-1].id,
        TARGETS[3].id,
    ]
    with pytest.raises(Invalid) as caught:
        named("1\n99\n192.0.2.1", TARGETS, "/listed")
    assert [e.detail.partition(":")[0] for e in caught.value.errors] == ["Line 2", "Line 3"]
    with pytest.raises(Invalid):
        named(" \n", TARGETS, "/listed")
