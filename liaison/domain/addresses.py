"""Names, institutional e-mail addresses and registered phone numbers of people who act.

Accounts at free-mail domains are refused: anybody can open one, so it proves no office
(24/7 contact points' meeting, The Hague 2017).
"""

from __future__ import annotations

import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email

# fmt: off
FREE_MAIL = frozenset(
    {
        "126.com", "163.com", "aol.com", "bigmir.net", "duck.com", "fastmail.com",
        "freemail.hu", "free.fr", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de",
        "gmx.net", "googlemail.com", "hey.com", "hotmail.co.uk", "hotmail.com", "hotmail.de",
        "hotmail.fr", "hotmail.it", "hushmail.com", "i.ua", "icloud.com", "inbox.lv",
        "inbox.ru", "laposte.net", "libero.it", "list.ru", "live.co.uk", "live.com", "live.fr",
        "live.nl", "mac.com", "mail.bg", "mail.com", "mail.de", "mail.ee", "mail.ru",
        "mailbox.org", "mailfence.com", "mailinator.com", "me.com", "meta.ua", "msn.com",
        "naver.com", "o2.pl", "onet.pl", "orange.fr", "outlook.com", "outlook.de", "outlook.es",
        "outlook.fr", "outlook.it", "pm.me", "posteo.de", "proton.me", "protonmail.ch",
        "protonmail.com", "qq.com", "rambler.ru", "rediffmail.com", "rocketmail.com",
        "seznam.cz", "sina.com", "t-online.de", "tuta.com", "tutanota.com", "ukr.net", "vk.com",
        "web.de", "wp.pl", "ya.ru", "yahoo.ca", "yahoo.co.in", "yahoo.co.jp", "yahoo.co.uk",
        "yahoo.com", "yahoo.com.br", "yahoo.de", "yahoo.es", "yahoo.fr", "yahoo.it",
        "yandex.com", "yandex.ru", "yeah.net", "ymail.com", "zoho.com", "zohomail.com",
    }
)
# fmt: on
"""Domains at which anybody gets a mailbox; data, not law: add to it as they appear."""


def institutional_email(text: str) -> str:
    """An e-mail address of an institution, its domain in lower case; else ``ValueError``."""
    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise ValueError("This is no e-mail address. Enter one like desk@police.example.") from None
    domain = (found.ascii_domain or found.domain).lower()
    if any(domain == free or domain.endswith(f".{free}") for free in FREE_MAIL):
        raise ValueError(
            f"{domain} is open to anybody. Enter the person's address at their institution."
        )
    return f"{found.local_part}@{found.domain.lower()}"


LONGEST_NAME = 100


def person_name(text: str) -> str:
    """A person's name as it is shown beside what they did; else ``ValueError``.

    Control and format characters (Unicode Cc, Cf) turn lines around, hide letters or begin new
    lines: a name with them can pass for another. So can surrogates, which are no text at all.
    """
    name = text.strip()
    if not name:
        raise ValueError("Enter the person's name.")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"Give the name in at most {LONGEST_NAME} characters.")
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs") for letter in name):
        raise ValueError("The name holds characters that cannot be seen. Type it anew.")
    return name


def phone_number(text: str) -> str:
    """A phone number in international form (E.164); else ``ValueError``."""
    try:
        number = phonenumbers.parse(text.strip())
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise ValueError("Enter the number in international form, like +37410000100.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
