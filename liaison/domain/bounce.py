"""What a mail server says of a letter it could not deliver."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

LONGEST_SAID = 400
"""Characters of the server's reason that are kept."""


@dataclass(frozen=True)
class Returned:
    """One report on one letter. ``final``: no server tries it any more (RFC 3464, ``failed``).

    ``recipients`` are the names the report has for one addressee; one of them must be whom the
    letter went to, or somebody made the report up.
    """

    number: UUID
    recipients: tuple[str, ...]
    final: bool
    said: str

    def is_about(self, address: str) -> bool:
        """Whether the letter to this address is meant."""
        return address_key(address) in {address_key(named) for named in self.recipients}


def address_key(address: str) -> str:
    """An address as two spellings of it are compared: any case, either form of its domain."""
    user, _, host = address.strip().strip("<>").rpartition("@")
    with suppress(UnicodeError):
        host = host.encode("idna").decode()
    return f"{user}@{host}".lower()


def one_line(text: str) -> str:
    """A reason without control characters and line breaks, as much as is kept of it."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+", " ", text).strip()[:LONGEST_SAID]
