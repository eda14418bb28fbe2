"""What a provider is found by: domains, networks, phone prefixes, AS numbers.

Each has one normal form, the key under which it is registered. What an order names is covered by
a few keys only (25 or 110 networks, the names above a name, the beginnings of a number): they are
looked up, nothing is searched through. A ``ValueError`` says what is wrong and what to do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
    summarize_address_range,
)
from typing import NamedTuple
from urllib.parse import urlsplit

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE
from publicsuffixlist import PublicSuffixList

from liaison.domain import targets
from liaison.domain.vocabulary import HoldingKind, TargetType

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

SHORTEST = {4: 8, 6: 19}
"""Bits of the widest network one provider can register; the registries gave out no wider one."""

HIGHEST_AS = 2**32 - 1
"""RFC 6793."""

_MAPPED = ip_network("::ffff:0:0/96")
_NOBODYS = tuple(
    (ip_network(network), why)
    for network, why in (
        ("0.0.0.0/8", "means “this network”"),
        ("10.0.0.0/8", "is private (RFC 1918)"),
        ("100.64.0.0/10", "is shared behind carrier-grade NAT (RFC 6598)"),
        ("127.0.0.0/8", "is every machine itself"),
        ("169.254.0.0/16", "is link-local"),
        ("172.16.0.0/12", "is private (RFC 1918)"),
        ("192.168.0.0/16", "is private (RFC 1918)"),
        ("224.0.0.0/4", "is multicast"),
        ("240.0.0.0/4", "is reserved"),
        ("fc00::/7", "is private (RFC 4193)"),
        ("fe80::/10", "is link-local"),
        ("ff00::/8", "is multicast"),
    )
)
"""Used in many networks at once, or in none: they point at nobody."""


class Held(NamedTuple):
    """A key and how much of an identifier it fixes: labels, bits or digits."""

    kind: HoldingKind
    key: str
    length: int


def domain(text: str) -> str:
    """A registered domain in ASCII and lower case; no public suffix such as ``co.uk``."""
    name = targets.parse(TargetType.DOMAIN, text.strip().removeprefix("*.")).value
    if _suffixes().privatesuffix(name) is None:
        raise ValueError(
            f"{name} is open to everybody: strangers to each other register names below it. "
            "Enter the provider’s own name, like provider.example."
        )
    return name


def address_range(text: str) -> str:
    """A network ``198.51.100.0/24``, or ``first-last`` where it is no single network."""
    networks = _checked(text)
    first, last = networks[0], networks[-1]
    return str(first) if first is last else f"{first[0]}-{last[-1]}"


def phone_prefix(text: str) -> str:
    """The beginning of numbers in international form: ``+37491``."""
    digits = re.sub(r"[\s().-]", "", text)
    if not re.fullmatch(r"\+[1-9][0-9]{1,14}", digits, re.ASCII):
        raise ValueError(
            f"“{text.strip()}” is no phone prefix. Enter the beginning of the numbers in "
            "international form, + and 2 to 15 digits, like +37491."
        )
    if not any(int(digits[1 : 1 + n]) in COUNTRY_CODE_TO_REGION_CODE for n in (1, 2, 3)):
        raise ValueError(f"{digits} begins with no country code. Enter it like +37491.")
    return digits


def as_number(value: object) -> int:
    """The number of an autonomous system, with or without ``AS``."""
    text = str(value).strip() if isinstance(value, (str, int)) else ""
    found = re.fullmatch(r"(?:AS)?\s?([0-9]{1,10})", text, re.ASCII | re.IGNORECASE)
    number = int(found[1]) if found and not isinstance(value, bool) else 0
    if not 1 <= number <= HIGHEST_AS:
        raise ValueError(
            f"“{text}” is no network number. Enter one like AS64500, from 1 to {HIGHEST_AS}."
        )
    return number


def holdings(
    domains: Iterable[str] = (),
    address_ranges: Iterable[str] = (),
    phone_prefixes: Iterable[str] = (),
    as_numbers: Iterable[object] = (),
) -> list[Held]:
    """The keys of what a provider has registered, each once, in order of their keys."""
    found = {_of_domain(domain(text)) for text in domains}
    # As they were given: joined networks would hide that another provider has one of them.
    found |= {_of_network(network) for text in address_ranges for network in _checked(text)}
    found |= {_of_prefix(phone_prefix(text)) for text in phone_prefixes}
    found |= {_of_as(as_number(value)) for value in as_numbers}
    return sorted(found)


def candidates(text: str) -> list[Held]:
    """Every key that would cover what was typed, the longest first; none where nothing can."""
    wanted = text.strip()[: targets.LONGEST]
    if re.fullmatch(r"AS\s?[0-9]{1,10}", wanted, re.ASCII | re.IGNORECASE):
        try:
            return [_of_as(as_number(wanted))]
        except ValueError:
            return []
    kind = targets.guess(wanted)
    try:
        value = targets.parse(kind, wanted).value
    except ValueError:
        return []
    if kind is TargetType.URL:
        value = urlsplit(value).hostname or ""
        kind = targets.guess(value)
    return _covering(kind, value)


def _covering(kind: TargetType, value: str) -> list[Held]:
    if kind is TargetType.IP_ADDRESS:
        address = _plain(ip_address(value))
        return _above(address, address)
    if kind is TargetType.IP_RANGE:
        networks = _networks(value)
        return _above(networks[0][0], networks[-1][-1])
    if kind in (TargetType.EMAIL, TargetType.DOMAIN):
        return _names(value.rpartition("@")[2])
    if kind is TargetType.PHONE:
        return [_of_prefix(value[:end]) for end in range(min(len(value), 16), 2, -1)]
    return []


def _above(low: Address, high: Address) -> list[Held]:
    """Every network that holds both and can be registered, the narrowest first."""
    number, size = int(low), low.max_prefixlen
    differing = (number ^ int(high)).bit_length()
    found, written, first = [], "", -1
    for bits in range(size - differing, SHORTEST[low.version] - 1, -1):
        masked = number >> size - bits << size - bits
        if masked != first:  # writing an address takes most of the time
            first, written = masked, str(type(low)(masked))
        found.append(Held(HoldingKind.RANGE, f"{written}/{bits}", bits))
    return found


def _names(name: str) -> list[Held]:
    """The name and all above it that have at least two labels."""
    try:
        labels = targets.parse(TargetType.DOMAIN, name).value.split(".")
    except ValueError:
        return []
    return [_of_domain(".".join(labels[start:])) for start in range(len(labels) - 1)]


def _of_domain(name: str) -> Held:
    return Held(HoldingKind.DOMAIN, name, name.count(".") + 1)


def _of_network(network: Network) -> Held:
    return Held(HoldingKind.RANGE, str(network), network.prefixlen)


def _of_prefix(digits: str) -> Held:
    return Held(HoldingKind.PHONE, digits, len(digits) - 1)


def _of_as(number: int) -> Held:
    return Held(HoldingKind.AS_NUMBER, f"AS{number}", 32)


def _checked(text: str) -> list[Network]:
    networks = _networks(text)
    for network in networks:
        _check(network)
    return networks


def _check(network: Network) -> None:
    shortest = SHORTEST[network.version]
    if network.prefixlen < shortest:
        raise ValueError(
            f"{network} is too wide: no provider holds more than a /{shortest}. "
            "Enter the networks that are the provider’s own."
        )
    for nobodys, why in _NOBODYS:
        if _lies_in(network, nobodys):
            raise ValueError(f"{network} {why}: it leads to no provider. Leave it out.")


def _networks(text: str) -> list[Network]:
    """The networks a range consists of, in order; IPv4 written as IPv6 is IPv4."""
    _say_host_bits(text.strip())
    value = targets.parse(TargetType.IP_RANGE, _with_length(text.strip())).value
    low, dash, high = value.partition("-")
    if dash:
        first, last = _plain(ip_address(low)), _plain(ip_address(high))
        if first.version != last.version:
            raise ValueError(f"{value} begins as IPv{first.version} and ends as IPv{last.version}.")
        return list(summarize_address_range(first, last))
    return [_plain_network(ip_network(value))]


def _with_length(text: str) -> str:
    """A single address is a network of one."""
    return text if "/" in text or "-" in text else f"{text}-{text}"


def _say_host_bits(text: str) -> None:
    """A network with bits set behind its prefix is a slip of the pen: which part is right?"""
    if "/" not in text:
        return
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        return
    if meant[0] != ip_address(text.partition("/")[0]):
        raise ValueError(
            f"{text} has bits set behind its prefix. Enter {meant} if the whole network is meant."
        )


def _lies_in(network: Network, wider: Network) -> bool:
    same = network.version == wider.version
    return same and wider[0] <= network[0] and network[-1] <= wider[-1]  # type: ignore[operator]


def _plain(address: Address) -> Address:
    """IPv4 written as IPv6 (``::ffff:198.51.100.24``, RFC 4291) is IPv4."""
    return (address.version == 6 and address.ipv4_mapped) or address


def _plain_network(network: Network) -> Network:
    if not _lies_in(network, _MAPPED):
        return network
    return IPv4Network((int(network[0]) & 0xFFFFFFFF, network.prefixlen - 96))


@cache
def _suffixes() -> PublicSuffixList:
    """The list that came with the package, without its private part: a host's own suffixes
    (``github.io``) are names of one provider, and what lies below them is on its machines."""
    return PublicSuffixList(only_icann=True)
