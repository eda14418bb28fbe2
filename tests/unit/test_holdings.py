"""What a provider is found by, in its normal forms, and the keys that cover what is asked for."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.domain import holdings as held
from liaison.domain.vocabulary import HoldingKind


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Meridian.Example.", "meridian.example"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.meridian.example", "meridian.example"),
        ("github.io", "github.io"),
    ],
)
def test_a_domain_has_one_form(text: str, normal: str) -> None:
    assert held.domain(text) == normal


@pytest.mark.parametrize("text", ["co.uk", "gov.uk", "com", "example", "192.0.2.1", "a b.example"])
def test_a_name_that_is_everybodys_or_none_is_no_providers(text: str) -> None:
    with pytest.raises(ValueError, match="Enter"):
        held.domain(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("198.51.100.0/24", "198.51.100.0/24"),
        ("198.51.100.0 - 198.51.100.255", "198.51.100.0/24"),
        ("198.51.100.4-198.51.100.9", "198.51.100.4-198.51.100.9"),
        ("198.51.100.024", "198.51.100.24/32"),
        ("2001:DB8::/32", "2001:db8::/32"),
        ("::ffff:198.51.100.0/120", "198.51.100.0/24"),
        ("::ffff:198.51.100.1-::ffff:198.51.100.9", "198.51.100.1-198.51.100.9"),
    ],
)
def test_a_range_has_one_form(text: str, normal: str) -> None:
    assert held.address_range(text) == normal
    assert held.address_range(normal) == normal


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0.0.0.0/0", "too wide"),
        ("::/0", "too wide"),
        ("::ffff:0:0/96", "too wide"),
        ("12.0.0.0/7", "too wide"),
        ("2600::/18", "too wide"),
        ("10.20.0.0/16", "private"),
        ("100.64.3.0/24", "carrier-grade NAT"),
        ("fd00::/48", "private"),
        ("198.51.100.7/24", "198.51.100.0/24 if the whole network is meant"),
        ("198.51.100.9-198.51.100.4", "no address range"),
        ("::ffff:198.51.100.1-198.51.100.9", "no address range"),
        ("::1.2.3.4-::ffff:1.2.3.9", "begins as IPv6 and ends as IPv4"),
        ("meridian.example", "no address range"),
    ],
)
def test_a_range_that_leads_to_nobody_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        held.address_range(text)


def test_phone_prefixes_and_network_numbers() -> None:
    assert held.phone_prefix(" +374 (91) ") == "+37491"
    assert held.as_number("as 64500") == held.as_number(64500) == held.as_number("AS64500") == 64500
    for text in ("+1", "37491", "+999", "+0374", "+3749100000000000", "+٣٧٤"):
        with pytest.raises(ValueError, match="like \\+37491"):
            held.phone_prefix(text)
    for value in ("0", "AS", "4294967296", "64500.1", True, None, "٣"):
        with pytest.raises(ValueError, match="like AS64500"):
            held.as_number(value)


def test_the_keys_of_an_entry_are_each_there_once() -> None:
    found = held.holdings(
        ["meridian.example", "Meridian.example"],
        ["198.51.100.4-198.51.100.9", "198.51.100.8/31"],
        ["+37491"],
        [64500, "AS64500"],
    )
    assert [(kind, key) for kind, key, _ in found] == [
        (HoldingKind.AS_NUMBER, "AS64500"),
        (HoldingKind.DOMAIN, "meridian.example"),
        (HoldingKind.PHONE, "+37491"),
        (HoldingKind.RANGE, "198.51.100.4/30"),
        (HoldingKind.RANGE, "198.51.100.8/31"),
    ]


@pytest.mark.parametrize(
    ("text", "nearest", "count"),
    [
        ("198.51.100.24", "198.51.100.24/32", 25),
        ("::ffff:198.51.100.24", "198.51.100.24/32", 25),
        ("2001:db8::1", "2001:db8::1/128", 110),
        ("2001:db8:77::/48", "2001:db8:77::/48", 30),
        ("198.51.100.1-198.51.100.9", "198.51.100.0/28", 21),
        ("k.hovsepyan@mail.meridian.example", "mail.meridian.example", 2),
        ("https://a.Meridian.example:8443/x?y", "a.meridian.example", 2),
        ("https://[2001:db8::1]/", "2001:db8::1/128", 110),
        ("http://198.51.100.24/", "198.51.100.24/32", 25),
        ("+374 91 000 118", "+37491000118", 10),
        ("AS64500", "AS64500", 1),
        ("bücher.example", "xn--bcher-kva.example", 1),
    ],
)
def test_every_key_that_would_cover_it_the_longest_first(
    text: str, nearest: str, count: int
) -> None:
    found = held.candidates(text)
    assert found[0].key == nearest
    assert len(found) == count
    assert [h.length for h in found] == sorted((h.length for h in found), reverse=True)


@pytest.mark.parametrize(
    "text", ["", "  ", "elodie-m-1987", "490154203237518", "AS0", "@", "x" * 9999, "http://x/"]
)
def test_what_is_neither_address_nor_name_is_covered_by_nothing(text: str) -> None:
    assert held.candidates(text) == []


@given(st.ip_addresses(), st.integers(0, 128))
def test_the_keys_of_an_address_are_the_networks_it_lies_in(address: object, bits: int) -> None:
    found = {h.key for h in held.candidates(str(address))}
    entered = ip_address(str(address))
    meant = getattr(entered, "ipv4_mapped", None) or entered
    bits = min(max(bits, held.SHORTEST[meant.version]), meant.max_prefixlen)
    assert str(ip_network((meant, bits), strict=False)) in found
    assert len(found) == meant.max_prefixlen - held.SHORTEST[meant.version] + 1


@given(st.text())
def test_no_text_breaks_the_reading(text: str) -> None:
    held.candidates(text)
    for read in (held.domain, held.address_range, held.phone_prefix, held.as_number):
        with suppress(ValueError):
            read(text)
