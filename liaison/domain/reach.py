"""Where a provider's webhook may lead: an address of the public internet, by https.

A name is checked here as it is written, and at each sending by the addresses it stands for
(``delivery/guard.py``): who controls a name can let it stand for any address, at any time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import idna

from liaison.domain.reading import unstorable

LONGEST_URL = 500
PORTS = {"https": 443, "http": 80}

# IANA's special-purpose registries (RFC 6890), multicast, and what is reserved; last an address
# that looks public and is the machine's own platform: Azure's, which hands out its configuration.
_IPV4 = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24
    192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16 192.175.48.0/24
    198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
    168.63.129.16/32
"""
# IPv6 that carries or stands for IPv4 (compatible, mapped, translated, NAT64, 6to4, Teredo): what
# is embedded goes with it. Then documentation, discard, segment routing, local, link-local and
# multicast; last all else outside 2000::/3, the only part that was ever given out.
_IPV6 = """
    ::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 2002::/16 2001::/23
    2001:db8::/32 3fff::/20 100::/64 5f00::/16 fc00::/7 fe80::/10 fec0::/10 ff00::/8
    ::/3 4000::/2 8000::/1
"""
DENIED = tuple(ip_network(network) for network in (_IPV4 + _IPV6).split())
"""Ranges in which no webhook is delivered. ``ipaddress.is_global`` lets several of them pass."""

_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)


class Unreachable(ValueError):
    """No webhook goes there; the text says why, for whoever entered it."""


@dataclass(frozen=True)
class Target:
    """A webhook's address in parts, the host in ASCII and small letters."""

    scheme: str
    host: str
    port: int
    path: str
    """With its query, as it stands in a request."""

    @property
    def url(self) -> str:
        """The address in its one form."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}"


def is_denied(address: str, *, loopback: bool) -> bool:
    """Whether nothing is sent to an address. ``loopback``: 127.0.0.0/8 and ::1 are let through.

    What cannot be read as an address is denied.
    """
    try:
        read = ip_address(address)
    except ValueError:
        return True
    if loopback and read.is_loopback and not _is_mapped(read):
        return False
    return any(read.version == network.version and read in network for network in DENIED)


def _is_mapped(read: IPv4Address | IPv6Address) -> bool:
    return isinstance(read, IPv6Address) and read.ipv4_mapped is not None


def read_url(text: str, *, loopback: bool) -> Target:
    """The parts of a webhook's address, or ``Unreachable``.

    ``loopback``: an address on this machine counts too, by http as well (demo and test).
    """
    text = text.strip()
    if not text or len(text) > LONGEST_URL or unstorable(text) or re.search(r"[\s\\]", text):
        raise Unreachable(
            f"Enter an address such as https://hooks.example.net/liaison, "
            f"at most {LONGEST_URL} characters."
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise Unreachable("This is no address on the web.") from None
    if parts.username is not None or parts.password is not None:
        raise Unreachable("Leave user and password out: each request is signed.")
    if parts.fragment or parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise Unreachable("The address must begin with https:// and have no #.")
    host = _host(parts.hostname)
    literal = _literal(host)
    if literal is not None and is_denied(str(literal), loopback=loopback):
        raise Unreachable("Webhooks go to addresses of the public internet only.")
    here = loopback and (host == "localhost" or (literal is not None and literal.is_loopback))
    if not here and (host == "localhost" or host.endswith(".localhost")):
        raise Unreachable("Webhooks go to addresses of the public internet only.")
    if parts.scheme != "https" and not here:
        raise Unreachable("The address must begin with https://.")
    path = _ascii(parts.path or "/") + (f"?{_ascii(parts.query)}" if parts.query else "")
    return Target(parts.scheme, host, port or PORTS[parts.scheme], path)


def _host(text: str) -> str:
    """A name in ASCII, or an address in its one form; no number that only looks like a name."""
    try:
        return str(ip_address(text))
    except ValueError:
        pass
    try:
        host = idna.encode(text.rstrip("."), uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise Unreachable("The name in the address is none of the DNS.") from None
    labels = host.split(".")
    if len(host) > 253 or not all(_NAME.fullmatch(label) for label in labels):
        raise Unreachable("The name in the address is none of the DNS.")
    # 0x7f.1, 2130706433, 0177.0.0.1: look-ups read these as addresses.
    if _NUMBER.fullmatch(labels[-1]):
        raise Unreachable("Write an address as four numbers, or as a name.")
    return host


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _ascii(text: str) -> str:
    if not text.isascii():
        raise Unreachable("Write letters outside ASCII in the path as %XX.")
    return text
