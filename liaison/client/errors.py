"""What can go wrong for a provider's program, one class for each thing that is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class ClientError(Exception):
    """Any of them."""


class Unreachable(ClientError):
    """No answer within the time that was given; the text names the last reason."""


class Unreadable(ClientError):
    """An answer that is none of the endpoint's: a proxy's page, or another program's address."""


class TooLarge(Unreadable):
    """An answer larger than the client takes."""


@dataclass(frozen=True)
class FieldFault:
    """One fault in what was sent: a JSON pointer into the body, and what to do."""

    pointer: str
    detail: str


class Problem(ClientError):
    """The portal refused (RFC 9457). Go by ``status`` and ``slug``; ``detail`` is for people."""

    def __init__(
        self,
        status: int,
        *,
        type_: str = "about:blank",
        title: str = "",
        detail: str = "",
        instance: str = "",
        errors: tuple[FieldFault, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        told = [f"{status} {title}".strip(), detail]
        told += [f"{fault.pointer or 'the whole'}: {fault.detail}" for fault in errors]
        super().__init__(
            ": ".join(part for part in told[:2] if part) + "".join(f" {part}" for part in told[2:])
        )
        self.status, self.type, self.title, self.detail = status, type_, title, detail
        self.instance = instance
        """What to quote when you write to the contact point."""
        self.errors = errors
        self.retry_after = retry_after
        """Seconds, where the portal said so."""

    @property
    def slug(self) -> str:
        """The last part of ``type``: ``stale``, ``invalid-transition``, …"""
        return self.type.rpartition("/")[2]

    @property
    def is_key_refused(self) -> bool:
        """Whether the portal, and no proxy before it, says: wrong, revoked, expired, no scope."""
        return self.slug in ("unauthenticated", "forbidden")


class Fault(Enum):
    """What is wrong with a history."""

    CHANGED = "changed"
    DROPPED = "dropped"
    SWAPPED = "swapped"
    REWRITTEN = "rewritten"
    SHORTER = "shorter"


class HistoryBroken(ClientError):
    """The stream does not hold. Stop, keep what you have, and call the contact point.

    ``seq`` is the first entry that is not as it must be; the text says what is wrong with it.
    """

    def __init__(self, fault: Fault, seq: int, detail: str) -> None:
        super().__init__(detail)
        self.fault, self.seq, self.detail = fault, seq, detail
