"""Where mail is handed over and where letters come back to, as the settings name them.

Read here for everybody: what `liaison check` calls right is what the worker takes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.utils import parseaddr
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from liaison.errors import SettingsError

SMTP_PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
IMAP_PORTS = {"imap": 143, "imaps": 993, "imap+starttls": 143}

_SMTP_HINT = "LIAISON_SMTP_URL must look like smtp+starttls://user:password@mail.example:587."
_IMAP_HINT = "LIAISON_BOUNCE_URL must look like imaps://user:password@mail.example/INBOX."
_FROM_HINT = "LIAISON_MAIL_FROM must look like Liaison <liaison@police.example>."
_FOLDER = re.compile(r"[A-Za-z0-9 ._/-]{1,200}")


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over, read from ``LIAISON_SMTP_URL``."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)

    @classmethod
    def from_url(cls, url: str) -> MailServer:
        """Reads ``smtp://``, ``smtps://`` or ``smtp+starttls://``, with ``user:password@``."""
        parts, host, port = _split(url, SMTP_PORTS, _SMTP_HINT)
        user, password = _who(parts)
        if user and parts.scheme == "smtp" and not is_loopback(host):
            raise SettingsError(
                "LIAISON_SMTP_URL would send its password in the clear. "
                "Use smtps:// or smtp+starttls://."
            )
        return cls(parts.scheme, host, port, user, password)


@dataclass(frozen=True)
class Place:
    """Where letters come back to, read from ``LIAISON_BOUNCE_URL``."""

    scheme: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str

    @classmethod
    def from_url(cls, url: str) -> Place:
        """Reads ``imaps://`` or ``imap+starttls://``, with ``user:password@host/INBOX``."""
        parts, host, port = _split(url, IMAP_PORTS, _IMAP_HINT)
        user, password = _who(parts)
        folder = unquote(parts.path.strip("/")) or "INBOX"
        if not (user and password) or not _FOLDER.fullmatch(folder):
            raise SettingsError(_IMAP_HINT)
        if parts.scheme == "imap" and not is_loopback(host):
            raise SettingsError(
                "LIAISON_BOUNCE_URL would send its password in the clear. "
                "Use imaps:// or imap+starttls://."
            )
        return cls(parts.scheme, host, port, user, password, folder)


def sender(mail_from: str) -> tuple[str, str]:
    """Name and address of ``LIAISON_MAIL_FROM``."""
    name, address = parseaddr(mail_from)
    try:
        Address(addr_spec=address)
    except (ValueError, IndexError):
        raise SettingsError(_FROM_HINT) from None
    if "@" not in address:
        raise SettingsError(_FROM_HINT)
    return name, address


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split(url: str, ports: dict[str, int], hint: str) -> tuple[SplitResult, str, int]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise SettingsError(hint) from None
    if parts.scheme not in ports or not host:
        raise SettingsError(hint)
    return parts, host, port or ports[parts.scheme]


def _who(parts: SplitResult) -> tuple[str, str]:
    return unquote(parts.username or ""), unquote(parts.password or "")
