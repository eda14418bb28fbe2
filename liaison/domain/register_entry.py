"""An entry of the register as it is given: by form, by file or by command line, read alike.

Every fault is told at once, with the pointer of its field; what is read is in normal form.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from functools import cache
from typing import Any
from zoneinfo import available_timezones

import phonenumbers

from liaison.domain import addresses, holdings
from liaison.domain.reading import Faults, Reader, unstorable
from liaison.domain.vocabulary import AuthorityKind, Status
from liaison.errors import Invalid

LONGEST_NAME, LONGEST_LINE, LONGEST_ADDRESS = 200, 200, 1000
"""Characters of a name, of one entry of a list, of a postal address."""

MOST = {
    "domains": 500,
    "as_numbers": 500,
    "address_ranges": 2000,
    "phone_prefixes": 1000,
    "services": 100,
    "languages": 50,
}
"""Entries of each list; an entry with more is kept as several providers."""

COUNTRIES = frozenset(phonenumbers.SUPPORTED_REGIONS) - {"AC", "TA"}
"""ISO 3166-1 codes of countries with a numbering plan, and XK, which is used for Kosovo."""


@dataclass(frozen=True)
class ProviderEntry:
    """What is registered about a provider, in normal form."""

    name: str
    legal_name: str
    country: str
    time_zone: str
    status: Status
    domains: tuple[str, ...]
    as_numbers: tuple[int, ...]
    address_ranges: tuple[str, ...]
    phone_prefixes: tuple[str, ...]
    services: tuple[str, ...]
    languages: tuple[str, ...]

    def held(self) -> list[holdings.Held]:
        """The keys the provider is found by."""
        return holdings.holdings(
            self.domains, self.address_ranges, self.phone_prefixes, self.as_numbers
        )


@dataclass(frozen=True)
class AuthorityEntry:
    """What is registered about an authority, in normal form."""

    code: str
    name: str
    legal_name: str
    kind: AuthorityKind
    status: Status
    country: str
    time_zone: str
    languages: tuple[str, ...]
    postal_address: str
    phone: str
    email: str
    office_hours: str
    preferred_answer: str
    domains: tuple[str, ...]


Entry = ProviderEntry | AuthorityEntry

PROVIDER_FIELDS = tuple(field.name for field in fields(ProviderEntry))
AUTHORITY_FIELDS = tuple(field.name for field in fields(AuthorityEntry))


def read_provider(data: Mapping[str, object]) -> ProviderEntry:
    """The entry; ``Invalid`` names every fault: ``/name``, ``/address_ranges/0``."""
    faults = Faults()
    given = Reader(data, "", faults)
    name = _line(given, "name", "Enter the provider’s name.")
    entry = ProviderEntry(
        name=name,
        legal_name=_line(given, "legal_name") or name,
        country=_country(given),
        time_zone=_zone(given),
        status=given.term("status", Status, Status.ACTIVE) or Status.ACTIVE,
        domains=_list(given, "domains", holdings.domain),
        as_numbers=_list(given, "as_numbers", holdings.as_number),
        address_ranges=_list(given, "address_ranges", holdings.address_range),
        phone_prefixes=_list(given, "phone_prefixes", holdings.phone_prefix),
        services=_list(given, "services", _clean),
        languages=_list(given, "languages", _language),
    )
    given.done()
    if faults.found:
        raise Invalid(faults.found)
    return entry


def read_authority(data: Mapping[str, object]) -> AuthorityEntry:
    """The entry of an authority; its mail domains are whom its administrators may invite."""
    faults = Faults()
    given = Reader(data, "", faults)
    name = _line(given, "name", "Enter the authority’s name.")
    entry = AuthorityEntry(
        code=_code(given),
        name=name,
        legal_name=_line(given, "legal_name") or name,
        kind=given.term("kind", AuthorityKind, AuthorityKind.POLICE) or AuthorityKind.POLICE,
        status=given.term("status", Status, Status.ACTIVE) or Status.ACTIVE,
        country=_country(given),
        time_zone=_zone(given),
        languages=_list(given, "languages", _language),
        postal_address=(given.text("postal_address", longest=LONGEST_ADDRESS) or "").strip(),
        phone=_read(given, "phone", addresses.phone_number),
        email=_read(given, "email", addresses.institutional_email).lower(),
        office_hours=_line(given, "office_hours") or "24/7",
        preferred_answer=_line(given, "preferred_answer") or "Through this portal",
        domains=_list(given, "domains", holdings.domain, "Enter at least one mail domain."),
    )
    given.done()
    if faults.found:
        raise Invalid(faults.found)
    return entry


def name_key(name: str) -> str:
    """A name as it is looked for: in any case, in any script, however its accents are typed."""
    folded = unicodedata.normalize("NFC", name.strip()).casefold()
    return unicodedata.normalize("NFC", folded)


def differences(before: Entry | None, after: Entry) -> dict[str, dict[str, Any]]:
    """What changed, field by field: ``{"country": {"before": "AM", "after": "GE"}}``.

    Of a new entry everything that is not empty.
    """
    was = asdict(before) if before is not None else {}
    found = {}
    for name, value in asdict(after).items():
        old = was.get(name)
        if old != value and (before is not None or value):
            found[name] = {"before": _plain(old), "after": _plain(value)}
    return found


def plain(entry: Entry) -> dict[str, Any]:
    """The entry as JSON has it; read again, it gives the same entry."""
    return {name: _plain(value) for name, value in asdict(entry).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return str(value) if isinstance(value, str) else value


def _line(given: Reader, name: str, needed: str = "") -> str:
    """One line of text without characters that cannot be seen; empty where there is a fault."""
    text = given.text(name, needed=needed, longest=LONGEST_NAME)
    try:
        return _clean(text) if text else ""
    except ValueError as error:
        given.fault(name, str(error))
        return ""


def _clean(text: str) -> str:
    """Control and format characters turn lines around or hide letters: names are shown alone."""
    if any(unicodedata.category(letter) in ("Cc", "Cf", "Cs") for letter in text.strip()):
        raise ValueError("This holds characters that cannot be seen. Type it anew.")
    return text.strip()


def _read(given: Reader, name: str, read: Callable[[str], str]) -> str:
    try:
        return read(given.text(name, longest=LONGEST_LINE) or "")
    except ValueError as error:
        given.fault(name, str(error))
        return ""


def _code(given: Reader) -> str:
    code = (given.text("code", longest=LONGEST_LINE) or "").strip().upper()
    if not re.fullmatch(r"[A-Z][A-Z0-9]{1,9}", code):
        given.fault("code", "A code has 2 to 10 letters or digits, like CP.")
    return code


def _country(given: Reader) -> str:
    code = (given.text("country", longest=LONGEST_LINE) or "").strip().upper()
    if code not in COUNTRIES:
        given.fault("country", "Enter the country’s code of two letters (ISO 3166-1), like AM.")
    return code


def _zone(given: Reader) -> str:
    zone = (given.text("time_zone", longest=LONGEST_LINE) or "").strip()
    if zone not in zones():
        given.fault("time_zone", "Enter a time zone like Asia/Yerevan or Europe/Amsterdam.")
    return zone


@cache
def zones() -> frozenset[str]:
    """The zones of the tz database that this machine knows."""
    return frozenset(available_timezones()) - {"Factory", "localtime", "posixrules"}


def _language(text: str) -> str:
    code = text.strip().lower()
    if not re.fullmatch(r"[a-z]{2,3}", code, re.ASCII):
        raise ValueError("Enter a language’s code of two or three letters (ISO 639), like hy.")
    return code


def _list(
    given: Reader, name: str, read: Callable[[Any], Any], needed: str = ""
) -> tuple[Any, ...]:
    """A list read one by one, each once, empty lines left out."""
    found: dict[Any, None] = {}
    for place, value in enumerate(given.items(name, needed=needed, most=MOST[name])):
        if isinstance(value, str) and not value.strip():
            continue
        try:
            found[read(_entry(value))] = None
        except ValueError as error:
            given.faults.add(f"{given.at(name)}/{place}", str(error))
    return tuple(found)


def _entry(value: object) -> str:
    """One entry of a list before it is read: a text of a length, or a whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise ValueError("This must be a text.")  # noqa: TRY004 - told as a fault of the entry
    if unstorable(value):
        raise ValueError("Remove the NUL character or broken character from this text.")
    if len(value) > LONGEST_LINE:
        raise ValueError(f"Enter at most {LONGEST_LINE} characters; there are {len(value)}.")
    return value
