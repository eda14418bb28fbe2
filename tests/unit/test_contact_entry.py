"""Reading a contact: every fault at once, and what a letter may show of a change."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from liaison.domain import contact_entry
from liaison.domain.contact_entry import AUTHORITY_FUNCTIONS, PROVIDER_FUNCTIONS, read
from liaison.domain.vocabulary import Channel, Function
from liaison.errors import Invalid

TODAY = date(2026, 11, 23)
GOOD = {
    "name": " Night desk ",
    "function": "noc",
    "email": "Desk@Carrier.example",
    "phone": "+374 10 000 777",
    "channels": ["call", "email"],
    "languages": "HY, en; en",
    "review_on": "",
}


def faults(**changes: Any) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        read({**GOOD, **changes}, PROVIDER_FUNCTIONS, ["meridian.example"], TODAY)
    return {fault.pointer: fault.detail for fault in refused.value.errors}


def test_what_is_right_comes_out_in_normal_form() -> None:
    entry = read(GOOD, PROVIDER_FUNCTIONS, ["meridian.example"], TODAY)
    assert entry.name == "Night desk"
    assert entry.function is Function.NOC
    assert entry.email == "Desk@carrier.example"
    assert entry.phone == "+37410000777"
    assert entry.channels == (Channel.EMAIL, Channel.CALL)
    assert entry.languages == ("hy", "en")
    assert entry.review_on == date(2027, 5, 22)


def test_every_fault_is_named_at_once() -> None:
    assert set(
        faults(
            name="",
            function="duty_officer",
            email="x",
            phone="112",
            channels=[],
            languages="",
            review_on="tomorrow",
        )
    ) == {"/name", "/function", "/email", "/phone", "/channels", "/languages", "/review_on"}


def test_nothing_given_is_as_many_faults_and_no_failure() -> None:
    with pytest.raises(Invalid) as refused:
        read({}, AUTHORITY_FUNCTIONS, [], TODAY)
    assert len(refused.value.errors) == 6


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("spoc@gmail.com", "open to anybody"),
        ("spoc@rneridian.example", "resembles"),
        ("spoc@meridian-support.example", "resembles"),
        ("spoc@meridian.test", "resembles"),
    ],
)
def test_addresses_that_are_refused(address: str, said: str) -> None:
    assert said in faults(email=address)["/email"]


@pytest.mark.parametrize("address", ["spoc@meridian.example", "noc@a.meridian.example"])
def test_ones_own_domain_is_no_look_alike(address: str) -> None:
    assert read({**GOOD, "email": address}, PROVIDER_FUNCTIONS, ["meridian.example"], TODAY)


@pytest.mark.parametrize("day", ["2026-11-23", "2020-01-01", "2027-11-25", "2027-13-01"])
def test_review_days_that_are_refused(day: str) -> None:
    assert set(faults(review_on=day)) == {"/review_on"}
    read({**GOOD, "review_on": "2027-11-24"}, PROVIDER_FUNCTIONS, [], TODAY)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "A\x00B"},
        {"phone": "+374\ud80010000777"},
        {"email": "a" * 300},
        {"languages": "english"},
        {"channels": ["fax"]},
    ],
)
def test_texts_that_no_database_keeps(changes: dict[str, Any]) -> None:
    assert set(faults(**changes)) == {f"/{name}" for name in changes}


def test_a_letter_shows_enough_to_recognise_and_not_the_number() -> None:
    values = {"phone": "+37477000242", "channels": ["call"], "email": "thief@carrier.example"}
    old = {
        "phone": "+37410000200",
        "channels": ["email", "call"],
        "email": "spoc@meridian.example",
        "function": "primary",
    }
    said = "; ".join(contact_entry.described(values, old))
    assert "the phone number, from +374 •••• 00 to +374 •••• 42" in said
    assert "from s•••@meridian.example to t•••@carrier.example" in said
    assert "from e-mail and phone call to phone call" in said
    assert "77000" not in said and "thief" not in said
    assert contact_entry.described({"removed": True}, old) == ["the whole entry: it is removed"]
    assert contact_entry.described({"function": "fallback"}, old) == [
        "the function, from SPOC to Fallback addressee"
    ]
