"""Addresses at an organisation's registered domains, and at domains made to look like them."""

from __future__ import annotations

import pytest

from liaison.domain.lookalike import check_domain
from liaison.domain.password_rules import GUESSED, LENGTH, fault

REGISTERED = ["police.example"]


@pytest.mark.parametrize(
    "address",
    [
        "desk@police.example",
        "desk@POLICE.example",
        "desk@cyber.police.example",
        "desk@a.b.police.example",
    ],
)
def test_a_registered_domain_and_what_lies_below_it(address: str) -> None:
    check_domain(address, REGISTERED)


@pytest.mark.parametrize(
    ("domain", "how"),
    [
        ("po1ice.example", "“1” stands in place of “l”"),
        ("p0lice.example", "“0” stands in place of “o”"),
        ("pоlice.example", "“о” (cyrillic small letter o) stands in place of “o”"),
        ("xn--plice-jye.example", "“о” (cyrillic small letter o) stands in place of “o”"),
        ("policé.example", "latin small letter e with acute"),
        ("police-example.example", "adds to the name police"),
        ("policeexample.org", "adds to the name police"),
        ("my-police.example", "adds to the name police"),
        ("pol-ice.example", "the hyphens differ"),
        ("police.example.evil.example", "police.example stands at its beginning"),
        ("pоlice.example.evil.example", "whoever holds evil.example made it"),
        ("police.org", "the same name, but under .org"),
        ("police.co.uk", "the same name, but under .co.uk"),
        ("polcie.example", "two letters changed places"),
        ("policee.example", "one letter differs"),
        ("polce.example", "one letter differs"),
        ("poiice.example", "one letter differs"),
        ("mail.po1ice.example", "“1” stands in place of “l”"),
    ],
)
def test_a_look_alike_is_refused_and_told_how_it_differs(domain: str, how: str) -> None:
    with pytest.raises(ValueError, match="resembles it") as refused:
        check_domain(f"desk@{domain}", REGISTERED)
    assert "is not police.example, but resembles it" in str(refused.value)
    assert how in str(refused.value)


@pytest.mark.parametrize("domain", ["evil.example", "notpolice.example", "example", "politie.nl"])
def test_any_other_domain_is_refused(domain: str) -> None:
    with pytest.raises(ValueError, match=r"no registered domain|no e-mail address") as refused:
        check_domain(f"desk@{domain}", REGISTERED)
    assert "resembles" not in str(refused.value)


def test_free_mail_is_refused_even_where_it_is_registered() -> None:
    with pytest.raises(ValueError, match="open to anybody"):
        check_domain("desk@gmail.com", ["gmail.com"])


def test_nobody_is_below_a_public_suffix() -> None:
    check_domain("desk@gov.uk", ["gov.uk"])
    for suffix in ("gov.uk", "github.io"):
        with pytest.raises(ValueError, match="no registered domain"):
            check_domain(f"desk@evil.{suffix}", [suffix])


def test_an_organisation_without_domains_invites_nobody() -> None:
    with pytest.raises(ValueError, match="registered first"):
        check_domain("desk@police.example", [])


def test_any_of_several_domains_will_do_and_each_is_guarded() -> None:
    domains = ["police.example", "xn--80ahyaffgm.example"]
    check_domain("desk@xn--80ahyaffgm.example", domains)
    with pytest.raises(ValueError, match=r"is not police\.example"):
        check_domain("desk@po1ice.example", domains)


OWN = ("Anahit Petrosyan", "a.petrosyan@police.example", "National 24/7 Contact Point")


@pytest.mark.parametrize("password", ["short", "elevenchars", "x" * 129, ""])
def test_a_password_has_12_to_128_characters(password: str) -> None:
    assert fault(password) == LENGTH


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "P@ssw0rd2026!",
        "letmeinletmein",
        "iloveyou!iloveyou",
        "123456789012",
        "qwertyuiopas",
        "1q2w3e4r5t6y",
        "zaq12wsxcde3",
        "aaaaaaaaaaaa",
        "121212121212",
        "abcabcabcabc",
        "............",
        "Liaison2026!!",
        "police officer order",
        "summer-2026-yerevan",
        "пароль123456",
        "AnahitPetrosyan1",
        "petrosyan.1987",
        "contactpoint24/7",
    ],
)
def test_a_password_that_is_guessed_first_is_refused(password: str) -> None:
    assert fault(password, OWN) == GUESSED


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "anahit likes violet trains",
        "four unrelated words here",
        "k8Tz!pQ2wLm9",
        "a3f9-11be-09cd-77aa",
        "հեռավոր կապույտ լուսին",
        "x" * 6 + "kvartal-mosaic" + "y" * 108,
    ],
)
def test_any_other_will_do_whatever_its_characters(password: str) -> None:
    assert fault(password, OWN) is None
