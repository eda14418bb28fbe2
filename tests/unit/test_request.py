"""A counterpart's request: what is needed to register it, and what art. 29(2) still wants."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from liaison.domain.request import fold, letter_language, missing, read_request
from liaison.errors import Invalid
from tests.world import ORDERS, START

LEAST = {
    "party": "nl",
    "reference": " NL-247-2026-0417 ",
    "received_at": "2026-11-23T12:30:00+01:00",
    "contact": {"email": "247cp@Politie.example"},
    "language": "NL",
}


def faults(**changes: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        read_request(LEAST | changes, START)
    return {error.pointer: error.detail for error in caught.value.errors}


def lacking(**stated: Any) -> list[str]:
    whole = {
        "requesting_authority": "The desk",
        "offence": "Fraud",
        "facts": "Money went.",
        "targets": json.loads((ORDERS / "02-foreign-ransomware-hosting.json").read_text())[
            "targets"
        ],
        "custodian": "A server",
        "necessity": "It is wiped.",
        "mla_intended": True,
    }
    return [
        f"{letter} {said}" for letter, said in missing(SimpleNamespace(**whole | stated), START)
    ]


def test_little_is_needed_to_register() -> None:
    read = read_request(LEAST, START)
    assert (read.party, read.reference, read.language) == ("NL", "NL-247-2026-0417", "nl")
    assert read.contact_email == "247cp@politie.example"
    assert read.received_at.isoformat() == "2026-11-23T11:30:00+00:00"
    assert read.targets == []
    assert read.mla_intended is None
    assert {letter for letter, _ in missing(read, START)} == set("abcdef")


def test_whatever_is_needed_and_absent_is_named_at_once() -> None:
    with pytest.raises(Invalid) as caught:
        read_request({}, START)
    assert {error.pointer for error in caught.value.errors} == {
        "/party",
        "/reference",
        "/received_at",
        "/contact",
        "/language",
    }


@pytest.mark.parametrize(
    ("changes", "pointer", "said"),
    [
        ({"party": "Netherlands"}, "/party", "two letters"),
        ({"party": "QQ"}, "/party", "two letters"),
        ({"reference": "   "}, "/reference", "reference"),
        ({"reference": "NL\x00"}, "/reference", "NUL"),
        ({"received_at": "2026-11-24T12:00:00Z"}, "/received_at", "future"),
        ({"received_at": "23 Nov"}, "/received_at", "time zone"),
        ({"contact": {"email": "desk@gmail.com"}}, "/contact/email", "open to anybody"),
        ({"contact": {"email": "a@b.example,c@d.example"}}, "/contact/email", "no e-mail"),
        ({"language": "dutch"}, "/language", "two letters"),
        ({"duration_days": 30}, "/duration_days", "art. 29(7)"),
        ({"targets": [{"value": ["x"]}]}, "/targets/0/value", "text"),
        ({"targets": [{"walue": "x"}]}, "/targets/0/walue", "no such field"),
        ({"emergency_ground": "A life."}, "/emergency_ground", "Only an emergency"),
        ({"mla": {"intended": False, "expected_by": "2027-01-01"}}, "/mla/expected_by", "leave"),
        ({"previous": [{"date": "2026-01-01"}]}, "/previous/0/reference", "earlier reference"),
        ({"priority": 1}, "/priority", "no such field"),
    ],
)
def test_what_cannot_be_registered(changes: dict[str, Any], pointer: str, said: str) -> None:
    assert said in faults(**changes)[pointer]


def test_a_whole_request_lacks_nothing() -> None:
    assert lacking() == []


@pytest.mark.parametrize(
    ("stated", "letter"),
    [
        ({"requesting_authority": None}, "a"),
        ({"offence": None}, "b"),
        ({"facts": ""}, "b"),
        ({"targets": []}, "c"),
        ({"custodian": None}, "d"),
        ({"necessity": None}, "e"),
        ({"mla_intended": None}, "f"),
        ({"mla_intended": False}, "f"),
    ],
)
def test_each_letter_of_the_article_is_asked_for(stated: dict[str, Any], letter: str) -> None:
    assert [said[0] for said in lacking(**stated)] == [letter]


def test_a_target_that_is_not_whole_is_listed_by_its_number() -> None:
    targets = [{"value": "203.0.113.77", "type": "ip_address", "port": "https", "to": "now"}]
    said = lacking(targets=targets)
    assert "c Target 1: the beginning of the period is not stated." in said
    assert "c Target 1: the relation to the offence is not stated." in said
    assert any(text.startswith("c Target 1, port:") for text in said)
    assert "c Target 1: the end of the period has no time of day, or no zone." in said
    assert all(text.startswith("c ") for text in said)


def test_references_are_compared_without_case_width_and_white_space() -> None:
    assert fold("NL-247 2026 0417") == fold(" nl-247\u00a020260417") == fold("ＮＬ-24720260417")


def test_who_reads_a_language_without_letters_gets_english() -> None:
    assert (letter_language("fr"), letter_language("pt")) == ("fr", "en")
