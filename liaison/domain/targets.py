"""Identifiers: each kind is parsed and written in one normal form, so that a search finds it.

``value`` is the normal form, ``entered`` what was typed, ``search_key`` the form under which two
spellings of the same thing meet. A ``ValueError`` says what is wrong and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network, summarize_address_range
from urllib.parse import urlsplit, urlunsplit

import idna
import phonenumbers
from email_validator import EmailNotValidError, validate_email

from liaison.domain.vocabulary import TargetType

LONGEST = 2000
"""Characters a value may have."""


@dataclass(frozen=True)
class Identifier:
    """One identifier in its normal form."""

    type: TargetType
    value: str
    entered: str
    search_key: str


def parse(kind: TargetType, text: str) -> Identifier:
    """The identifier that was typed."""
    if not text.strip():
        raise ValueError("Enter the identifier.")
    if len(text) > LONGEST:
        raise ValueError(f"Enter at most {LONGEST} characters.")
    normal = _PARSERS.get(kind, str)(text if kind in _AS_TYPED else text.strip())
    return Identifier(kind, normal, text, f"{kind}:{normal.strip().casefold()}")


def guess(text: str) -> TargetType:
    """The kind an identifier most likely is; ``other`` where nothing fits."""
    if len(text) > LONGEST:
        return TargetType.OTHER
    for kind in _GUESSES:
        try:
            parse(kind, text)
        except ValueError:
            continue
        return kind
    return _resembled(text.strip())


def _resembled(text: str) -> TargetType:
    """What a mistyped identifier was meant to be: it must be refused, not taken for free text."""
    return next((kind for kind, shape in _SHAPES if shape.fullmatch(text)), TargetType.OTHER)


def _address(text: str) -> str:
    return str(_one_address(text))


def _one_address(text: str) -> IPv4Address | IPv6Address:
    # 198.51.100.024: a leading zero is how logs pad; three decimal digits are never octal there.
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,3}){3}", text):
        text = ".".join(str(int(part)) for part in text.split("."))
    try:
        address = ip_address(text)
    except ValueError:
        raise ValueError(
            "This is no IP address. Enter IPv4 like 198.51.100.24 or IPv6 like 2001:db8::1."
        ) from None
    if isinstance(address, IPv6Address) and address.scope_id:
        raise ValueError("Leave out the zone after %; it means nothing to the provider.")
    return address


def _range(text: str) -> str:
    first, dash, last = (part.strip() for part in text.partition("-"))
    try:
        if not dash:
            if "/" not in text:
                raise ValueError
            return str(ip_network(text))
        low, high = _one_address(first), _one_address(last)
        blocks = list(summarize_address_range(low, high))
    except (ValueError, TypeError):
        raise ValueError(
            "This is no address range. Enter a network like 198.51.100.0/24 (no bits set behind "
            "the prefix) or first and last address like 198.51.100.1-198.51.100.9."
        ) from None
    return str(blocks[0]) if len(blocks) == 1 else f"{low}-{high}"


def _email(text: str) -> str:
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f"This is no e-mail address: {str(error).rstrip('.')}.") from None
    # The part before @ is the provider's business; only the domain is known to ignore case.
    return f"{found.local_part}@{found.domain.lower()}"


def _phone(text: str) -> str:
    hint = "Enter it in international form, beginning with + and the country code."
    if not text.startswith("+"):
        raise ValueError(f"The country is missing. {hint}")
    try:
        number = phonenumbers.parse(text)
    except phonenumbers.NumberParseException:
        raise ValueError(f"This is no phone number. {hint}") from None
    if not phonenumbers.is_possible_number(number):
        raise ValueError(f"This number has too few or too many digits. {hint}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _imsi(text: str) -> str:
    digits = re.sub(r"[\s-]", "", text)
    if not re.fullmatch(r"[0-9]{14,15}", digits):
        raise ValueError("An IMSI has 14 or 15 digits.")
    return digits


def _imei(text: str) -> str:
    digits = re.sub(r"[\s/.-]", "", text)
    if not re.fullmatch(r"[0-9]{14,16}", digits):
        raise ValueError("An IMEI has 15 digits, 14 without the check digit, or 16 as IMEISV.")
    if len(digits) == 15 and not _luhn(digits):
        raise ValueError(
            "The IMEI's check digit does not fit: a digit is wrong. Compare it with the source, "
            "or enter the first 14 digits only."
        )
    return digits


def _luhn(digits: str) -> bool:
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + index % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _mac(text: str) -> str:
    digits = re.sub(r"[\s:.-]", "", text).lower()
    if not re.fullmatch(r"([0-9a-f]{12}|[0-9a-f]{16})", digits):
        raise ValueError("A MAC address has 12 hexadecimal digits (16 as EUI-64).")
    return ":".join(digits[i : i + 2] for i in range(0, len(digits), 2))


def _domain(text: str) -> str:
    name = text.rstrip(".").lower()
    try:
        ascii_name = idna.encode(name, uts46=True).decode()
    except idna.IDNAError:
        # Real names break the rules of IDNA (underscores): the DNS itself allows them.
        ascii_name = name
    if len(ascii_name) > 253 or not re.fullmatch(
        r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}", ascii_name
    ):
        raise ValueError("This is no domain name. Enter one like keys.example.net.")
    if re.fullmatch(r"[0-9.]+", ascii_name):
        raise ValueError("This looks like an IP address: choose that type.")
    return ascii_name


def _url(text: str) -> str:
    problem = "This is no web address. Enter one that begins with http:// or https://."
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(problem) from None
    if parts.scheme.lower() not in ("http", "https") or not host or re.search(r"\s", text):
        raise ValueError(problem)
    place = f"[{host}]" if ":" in host else host
    if port is not None:
        place = f"{place}:{port}"
    if "@" in parts.netloc:
        place = f"{parts.netloc.rpartition('@')[0]}@{place}"
    return urlunsplit((parts.scheme.lower(), place, parts.path, parts.query, parts.fragment))


_PARSERS: dict[TargetType, Callable[[str], str]] = {
    TargetType.IP_ADDRESS: _address,
    TargetType.IP_RANGE: _range,
    TargetType.EMAIL: _email,
    TargetType.PHONE: _phone,
    TargetType.IMSI: _imsi,
    TargetType.IMEI: _imei,
    TargetType.MAC: _mac,
    TargetType.DOMAIN: _domain,
    TargetType.URL: _url,
}

_AS_TYPED = frozenset({TargetType.OTHER})
"""Free text is kept to the letter."""

_SHAPES = (
    (
        TargetType.IP_ADDRESS,
        re.compile(r"[0-9]+(\.[0-9]+){3}|[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:.]*"),
    ),
    (TargetType.IP_RANGE, re.compile(r"[0-9a-fA-F.:]+\s*[/-]\s*[0-9a-fA-F.:]+")),
    (TargetType.EMAIL, re.compile(r"[^\s@]*@[^\s@]*")),
    (TargetType.PHONE, re.compile(r"\+[0-9 ()./-]+")),
    (TargetType.URL, re.compile(r"\w+://.*")),
)

_GUESSES = (
    TargetType.IP_ADDRESS,
    TargetType.IP_RANGE,
    TargetType.EMAIL,
    TargetType.PHONE,
    TargetType.URL,
    TargetType.MAC,
    TargetType.IMEI,
    TargetType.DOMAIN,
)
"""From the narrowest to the widest; 15 digits that pass the check digit are a handset."""
