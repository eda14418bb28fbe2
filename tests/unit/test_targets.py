"""Identifiers: two spellings of one thing meet, and nonsense is refused with a way out."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liaison.domain.targets import guess, parse
from liaison.domain.vocabulary import TargetType as T


@pytest.mark.parametrize(
    ("kind", "typed", "normal"),
    [
        (T.IP_ADDRESS, "198.51.100.024", "198.51.100.24"),
        (T.IP_ADDRESS, " 2001:DB8:4F:0::9 ", "2001:db8:4f::9"),
        (T.IP_RANGE, "2001:db8:77::/48", "2001:db8:77::/48"),
        (T.IP_RANGE, "198.51.100.0 - 198.51.100.255", "198.51.100.0/24"),
        (T.IP_RANGE, "198.51.100.1-198.51.100.9", "198.51.100.1-198.51.100.9"),
        (T.EMAIL, "Elodie@Harbour-Mail.example", "Elodie@harbour-mail.example"),
        (T.PHONE, "+374 91 000 118", "+37491000118"),
        (T.PHONE, "+374 (91) 000-118", "+37491000118"),
        (T.IMEI, "49-015420-323751-8", "490154203237518"),
        (T.IMSI, "00101 0123456789", "001010123456789"),
        (T.MAC, "00-00-5E-00-53-AF", "00:00:5e:00:53:af"),
        (T.MAC, "0000.5e00.53af", "00:00:5e:00:53:af"),
        (T.DOMAIN, "Keys.Cold-Harbour.example.", "keys.cold-harbour.example"),
        (T.DOMAIN, "пример.example", "xn--e1afmkfd.example"),
        (T.DOMAIN, "_dmarc.keys.example", "_dmarc.keys.example"),
        (T.URL, "HTTPS://Keys.example:8443/A?b=C", "https://keys.example:8443/A?b=C"),
        (T.ACCOUNT, " k.m88 ", "k.m88"),
        (T.OTHER, ' " autofocus ', ' " autofocus '),
    ],
)
def test_an_identifier_has_one_normal_form(kind: T, typed: str, normal: str) -> None:
    found = parse(kind, typed)
    assert found.value == normal
    assert found.entered == typed


@pytest.mark.parametrize(
    ("kind", "typed", "advice"),
    [
        (T.IP_ADDRESS, "198.51.100.256", "no IP address"),
        (T.IP_ADDRESS, "fe80::1%eth0", "zone"),
        (T.IP_RANGE, "198.51.100.7/24", "no address range"),
        (T.IP_RANGE, "198.51.100.9-198.51.100.1", "no address range"),
        (T.IP_RANGE, "198.51.100.1-2001:db8::1", "no address range"),
        (T.EMAIL, "nobody", "no e-mail address"),
        (T.PHONE, "091000118", "country is missing"),
        (T.PHONE, "+374", "phone number"),
        (T.IMEI, "490154203237519", "check digit"),
        (T.IMEI, "4901542032375", "15 digits"),
        (T.IMSI, "123", "14 or 15"),
        (T.MAC, "00:00:5e:00:53", "12 hexadecimal"),
        (T.DOMAIN, "198.51.100.24", "IP address"),
        (T.DOMAIN, "nodots", "domain name"),
        (T.URL, "ftp://keys.example/", "http"),
        (T.URL, "https://keys.example:99999/", "web address"),
        (T.ACCOUNT, "   ", "Enter the identifier"),
        (T.OTHER, "x" * 2001, "at most"),
    ],
)
def test_nonsense_is_refused_with_what_to_do(kind: T, typed: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        parse(kind, typed)


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        (T.IP_ADDRESS, "198.51.100.024", "198.51.100.24"),
        (T.PHONE, "+374 91 000118", "+37491000118"),
        (T.EMAIL, "USER@mail.example", "user@mail.example"),
        (T.ACCOUNT, "K.M88", "k.m88"),
    ],
)
def test_two_spellings_meet_in_a_search(kind: T, one: str, other: str) -> None:
    assert parse(kind, one).search_key == parse(kind, other).search_key


def test_a_latin_and_a_cyrillic_letter_never_meet() -> None:
    latin, cyrillic = "admin@mail.example", "аdmin@mail.example"
    assert parse(T.EMAIL, latin).search_key != parse(T.EMAIL, cyrillic).search_key


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("198.51.100.24", T.IP_ADDRESS),
        ("2001:db8::/32", T.IP_RANGE),
        ("elodie@harbour-mail.example", T.EMAIL),
        ("+374 91 000 118", T.PHONE),
        ("https://keys.example/x", T.URL),
        ("00:00:5e:00:53:af", T.MAC),
        ("490154203237518", T.IMEI),
        ("keys.cold-harbour.example", T.DOMAIN),
        ("the house by the harbour", T.OTHER),
    ],
)
def test_the_kind_is_found_from_what_was_typed(typed: str, kind: T) -> None:
    assert guess(typed) is kind


@pytest.mark.parametrize(
    "typed",
    ["999.1.2.3", "2001:db8:::1", "198.51.100.7/24", "nobody@", "+374", "ftp://a.example/"],
)
def test_what_was_mistyped_is_refused_and_not_taken_for_free_text(typed: str) -> None:
    kind = guess(typed)
    assert kind is not T.OTHER
    with pytest.raises(ValueError):  # noqa: PT011 - which words, others test
        parse(kind, typed)


@given(st.sampled_from(T), st.text(max_size=60))
def test_a_normal_form_is_read_as_itself(kind: T, text: str) -> None:
    with suppress(ValueError):
        once = parse(kind, text)
        assert parse(kind, once.value).value == once.value
