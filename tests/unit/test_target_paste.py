"""Targets pasted as lines or CSV: what each line is taken for, and what is said of a wrong one."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from time import process_time

import pytest

from liaison.domain.draft_targets import MOST_TARGETS
from liaison.domain.target_paste import Common, Pasted, kind_of, read
from liaison.domain.vocabulary import TargetType
from liaison.errors import Invalid
from liaison.portal.orders import moments
from tests.world import ORDERS

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
COMMON = Common(
    start="2026-11-20 01:00", end="2026-11-21 02:00", data=("subscriber",), relation="Seen there"
)


def moment(text: str) -> str:
    return moments.to_rfc3339(text, "UTC")


def taken(text: str, common: Common = COMMON) -> list[Pasted]:
    return list(read(text, common, moment, NOW).targets)


def faults(text: str, common: Common = COMMON) -> list[str]:
    with pytest.raises(Invalid) as caught:
        read(text, common, moment, NOW)
    assert {fault.pointer for fault in caught.value.errors} == {"/paste"}
    return [fault.detail for fault in caught.value.errors]


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("198.51.100.24", TargetType.IP_ADDRESS),
        ("198.51.100.024", TargetType.IP_ADDRESS),
        ("2001:db8::9", TargetType.IP_ADDRESS),
        ("198.51.100.0/24", TargetType.IP_RANGE),
        ("someone@example.org", TargetType.EMAIL),
        ("+374 91 000118", TargetType.PHONE),
        ("keys.example.net", TargetType.DOMAIN),
        ("https://example.net/a?b=1", TargetType.URL),
        ("00:11:22:33:44:55", TargetType.MAC),
        ("490154203237518", TargetType.IMEI),
        ("49-015420-323751-8", TargetType.IMEI),
        ("49015420323751", TargetType.IMEI),
        ("4901542032375180", TargetType.IMEI),
        ("283011234567890", TargetType.IMSI),
        ("351234567890123", None),  # most handsets begin so: a digit may be wrong
        ("012345678901234", None),
        ("0037491000118", None),
        ("123456789012", None),
        ("nobody", None),
    ],
)
def test_the_kind_is_found_or_a_person_must_say_it(typed: str, kind: TargetType | None) -> None:
    assert kind_of(typed) is kind


def test_one_identifier_a_line_with_all_else_in_common() -> None:
    found = taken("198.51.100.24\r\n\r\n  someone@example.org \n")
    assert [(t.line, t.type, t.value) for t in found] == [
        (1, "ip_address", "198.51.100.24"),
        (3, "email", "someone@example.org"),
    ]
    assert {(t.start, t.end, t.data, t.relation) for t in found} == {
        ("2026-11-20 01:00", "2026-11-21 02:00", ("subscriber",), "Seen there")
    }


@pytest.mark.parametrize("mark", ["\t", ";", ","])
def test_columns_in_their_order_go_before_what_is_common(mark: str) -> None:
    line = mark.join(
        [
            *("192.0.2.144", "40112", "TCP", "2026-11-18 17:05:02.250"),
            *("2026-11-18 21:05:09+04:00", "traffic+location", "Session 2", "", ""),
        ]
    )
    (target,) = taken(line)
    assert (target.port, target.protocol) == ("40112", "tcp")
    assert target.start == "2026-11-18 17:05:02.250"
    assert target.data == ("traffic", "location")
    assert target.relation == "Session 2"


def test_a_header_puts_columns_in_any_order_under_their_own_names() -> None:
    found = taken("Kind;Identifier;Service;Data\naccount;joe;Mail;\nIP address;192.0.2.1;;content")
    assert [(t.type, t.value, t.service, t.data) for t in found] == [
        ("account", "joe", "Mail", ("subscriber",)),
        ("ip_address", "192.0.2.1", "", ("content",)),
    ]


def test_a_spreadsheets_apostrophe_and_byte_order_mark_are_no_part_of_it() -> None:
    (target,) = taken("\ufeff'+37491000118")
    assert target.value == "+37491000118"


def test_an_address_with_a_comma_stands_in_quotation_marks() -> None:
    (target,) = taken('"https://example.net/a,b;c"')
    assert target.value == "https://example.net/a,b;c"
    (said,) = faults("https://example.net/a,b")
    assert "Line 1: port:" in said and "quotation marks" in said


def test_a_line_that_repeats_one_before_is_left_out_and_told() -> None:
    found = read("192.0.2.1\n192.0.2.2\n192.0.2.1", COMMON, moment, NOW)
    assert [t.value for t in found.targets] == ["192.0.2.1", "192.0.2.2"]
    assert found.repeated == (3,)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("192.0.2.1\nnobody", "Line 2: What “nobody” is cannot be told"),
        ("192.0.2.300", "Line 1: This is no IP address"),
        ("192.0.2.1;0", "Line 1: port: Enter a whole number"),
        ("192.0.2.1;1;icmp", "Line 1: protocol: Choose one of"),
        ("192.0.2.1;1;tcp;yesterday", "Line 1: from: Enter date and time"),
        ("192.0.2.1;;;2026-11-22 00:00", "Line 1: to: The period ends before it begins"),
        ("192.0.2.1;;;;;metadata", "Line 1: data: Choose from: subscriber"),
        ("someone@example.org;25", "Line 1: port: Only an IP address has one"),
        ("192.0.2.1;1;2;3;4;5;6;7;8;9", "Line 1: There are 10 columns"),
        ('192.0.2.1\n"192.0.2.2', "Line 2: A quotation mark is not closed"),
        ("value;colour\n192.0.2.1;red", "Line 1: There is no column “colour”"),
        ("value;value\n192.0.2.1;x", "Line 1: A column is named twice"),
        (";443", "Line 1: The identifier is missing"),
        ("192.0.2.1;;;;;;;;planet", "Line 1: type: Choose one of"),
        ("joe;;;;;;;;account", "Line 1: service: Name the service"),
        ("192.0.2.1\x00", "Line 1: Remove the NUL"),
        ("", "Paste at least one line"),
        (" \n\n", "Paste at least one line"),
    ],
)
def test_each_fault_is_named_by_its_line(text: str, said: str) -> None:
    assert any(detail.startswith(said) for detail in faults(text)), faults(text)


def test_without_anything_in_common_each_missing_thing_is_named() -> None:
    assert [detail.split(":")[1].strip() for detail in faults("192.0.2.1", Common())] == [
        "from",
        "to",
        "data",
        "relation",
    ]


def test_one_wrong_line_among_many_and_none_is_taken() -> None:
    text = "\n".join(["192.0.2.1"] * 16 + ["192.0.2.999"])
    (said,) = faults(text)
    assert said.startswith("Line 17: ")


def test_many_faults_are_counted_not_listed() -> None:
    said = faults("\n".join(["nobody"] * 80))
    assert len(said) == 51
    assert said[-1] == "And 30 more faults in later lines."


def test_more_lines_than_an_order_has_targets_are_refused_at_once() -> None:
    (said,) = faults("\n".join(f"host{n}.example.net" for n in range(MOST_TARGETS + 2)))
    assert f"at most {MOST_TARGETS}" in said
    (said,) = faults("x" * 1_000_001)
    assert "at most 1000000 characters" in said


def test_a_kind_for_all_lines_and_one_line_that_says_its_own() -> None:
    common = Common(**{**vars(COMMON), "kind": "account", "service": "Mail"})
    found = taken("joe\n192.0.2.1;;;;;;;;ip_address", common)
    assert [(t.type, t.service) for t in found] == [("account", "Mail"), ("ip_address", "")]


def test_two_hundred_and_forty_machines() -> None:
    data = json.loads((ORDERS / "07-botnet-240-targets.json").read_text())
    lines = [
        f"{t['value']},{t['port']},{t['protocol']},{t['from']},{t['to']},subscriber,{t['relation']}"
        for t in data["targets"]
    ]
    found = taken("\n".join(lines), Common())
    assert len(found) == 240
    assert [t.relation for t in found] == [t["relation"] for t in data["targets"]]


def test_a_value_far_too_long_is_of_no_kind_and_is_not_pored_over() -> None:
    started = process_time()
    assert kind_of(":" * 40_000 + "x") is None
    assert "cannot be told" in faults("\n".join(":" * 1_990 + f"x{n}" for n in range(60)))[0]
    assert process_time() - started < 8


@pytest.mark.parametrize("text", [":" * 20_000 + "x", ":" * 1_000_000, "a:" * 900 + "x"])
def test_what_kind_a_long_line_is_takes_no_time(text: str) -> None:
    began = process_time()
    for _ in range(20):
        assert kind_of(text) is None
    assert process_time() - began < 2
