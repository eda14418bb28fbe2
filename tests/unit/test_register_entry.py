"""Entries of the register as they are read: every fault at once, what is read in normal form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.domain.register_entry import (
    differences,
    plain,
    read_authority,
    read_provider,
)
from liaison.domain.vocabulary import Status
from liaison.errors import Invalid

NORVIK: dict[str, Any] = {
    "name": "Norvik Mobile",
    "country": "am",
    "time_zone": "Asia/Yerevan",
    "domains": ["Norvik.example", "norvik.example", " "],
    "as_numbers": ["AS64497", 64501],
    "address_ranges": ["192.0.2.128/25", "203.0.113.4-203.0.113.9"],
    "phone_prefixes": ["+374 91"],
    "services": ["Mobile telephony"],
    "languages": ["HY", "en"],
}
POLICE: dict[str, Any] = {
    "code": "cp",
    "name": "National 24/7 Contact Point",
    "country": "AM",
    "time_zone": "Asia/Yerevan",
    "phone": "+374 10 000100",
    "email": "247CP@police.example",
    "domains": ["police.example"],
}


def _pointers(read: Any, data: dict[str, Any]) -> list[str]:
    with pytest.raises(Invalid) as refused:
        read(data)
    return [fault.pointer for fault in refused.value.errors]


def test_an_entry_is_read_in_normal_form() -> None:
    entry = read_provider(NORVIK)
    assert entry.legal_name == "Norvik Mobile"
    assert entry.country == "AM"
    assert entry.status is Status.ACTIVE
    assert entry.domains == ("norvik.example",)
    assert entry.as_numbers == (64497, 64501)
    assert entry.phone_prefixes == ("+37491",)
    assert read_provider(plain(entry)) == entry
    assert len(entry.held()) == 7


def test_every_fault_is_told_at_once_where_it_stands() -> None:
    faulty = {
        "name": " ",
        "legal_name": "evil\u202egnivil",
        "country": "ZZ",
        "time_zone": "Mars/Olympus",
        "status": "asleep",
        "domains": ["norvik.example", "co.uk"],
        "as_numbers": [0],
        "address_ranges": ["10.0.0.0/8", "x"],
        "phone_prefixes": ["91"],
        "services": ["a\x00b"],
        "languages": ["english"],
        "adress_ranges": [],
    }
    assert _pointers(read_provider, faulty) == [
        "/name",
        "/legal_name",
        "/country",
        "/time_zone",
        "/status",
        "/domains/1",
        "/as_numbers/0",
        "/address_ranges/0",
        "/address_ranges/1",
        "/phone_prefixes/0",
        "/services/0",
        "/languages/0",
        "/adress_ranges",
    ]
    assert _pointers(read_provider, {}) == ["/name", "/country", "/time_zone"]


def test_an_authority_is_read_alike() -> None:
    entry = read_authority(POLICE)
    assert (entry.code, entry.phone, entry.email) == ("CP", "+37410000100", "247cp@police.example")
    assert read_authority(plain(entry)) == entry
    faulty = {**POLICE, "code": "C", "phone": "100", "email": "cp@gmail.com", "domains": []}
    assert _pointers(read_authority, faulty) == ["/code", "/phone", "/email", "/domains"]


def test_what_changed_is_told_before_and_after() -> None:
    entry = read_provider(NORVIK)
    moved = read_provider({**NORVIK, "country": "GE", "services": []})
    assert differences(entry, moved) == {
        "country": {"before": "AM", "after": "GE"},
        "services": {"before": ["Mobile telephony"], "after": []},
    }
    assert differences(entry, entry) == {}
    assert differences(None, entry)["domains"] == {"before": None, "after": ["norvik.example"]}


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*NORVIK, *POLICE, "status", "kind", "x"]), JSON))
def test_whatever_is_given_is_read_or_refused(data: dict[str, Any]) -> None:
    for read in (read_provider, read_authority):
        try:
            entry = read(data)
        except Invalid:
            continue
        assert read(plain(entry)) == entry
