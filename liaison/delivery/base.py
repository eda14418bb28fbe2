"""What every way out has in common: one notice in, a reference or one error out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

LONGEST = 20.0
"""Seconds that one sending may take in all, whatever the other side does."""


@dataclass(frozen=True)
class Outgoing:
    """One notice, ready to leave. ``idem`` is its stable key: a repeat carries the same."""

    address: str
    subject: str
    text: str
    html: str
    idem: str
    written_at: datetime


class DeliveryError(Exception):
    """The notice did not leave. ``permanent``: no repeat can help, a person must act."""

    def __init__(
        self, detail: str, *, permanent: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.permanent = permanent
        self.retry_after = retry_after


class Sender(Protocol):
    """A way out. ``send`` returns the other side's reference, or raises ``DeliveryError``."""

    def send(self, outgoing: Outgoing) -> str:
        """Hands one notice over, within ``LONGEST`` seconds."""
        ...
