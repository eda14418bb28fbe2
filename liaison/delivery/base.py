"""What every way out has in common: one notice in, a receipt or one error out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from liaison.domain.vocabulary import Channel

LONGEST = 20.0
"""Seconds that one sending may take in all, whatever the other side does."""

LONGEST_ANSWER = 500
"""Characters of what the other side said that are kept."""


@dataclass(frozen=True)
class Outgoing:
    """One notice, ready to leave. ``idem`` is its stable key: a repeat carries the same.

    ``number`` is the message's own id, stable too, where a key of our own making is too telling.
    A letter has ``subject``, ``text`` and ``html``; a text message and an automatic call have
    ``text`` alone, a webhook has ``body`` and the ``secrets`` that sign it, newest first.
    """

    address: str
    subject: str
    text: str
    html: str
    idem: str
    written_at: datetime
    channel: Channel = Channel.EMAIL
    number: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Receipt:
    """The other side took it. ``reference`` is its own name for it, ``answer`` what it said."""

    reference: str
    status: int | None = None
    answer: str = ""


class DeliveryError(Exception):
    """The notice did not leave. ``permanent``: no repeat can help, a person must act.

    ``gone``: the address says that it wants nothing any more (410 of a webhook).
    """

    def __init__(
        self,
        detail: str,
        *,
        permanent: bool = False,
        retry_after: timedelta | None = None,
        status: int | None = None,
        gone: bool = False,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.permanent = permanent or gone
        self.retry_after = retry_after
        self.status = status
        self.gone = gone


class Sender(Protocol):
    """A way out. ``send`` returns the other side's receipt, or raises ``DeliveryError``."""

    def send(self, outgoing: Outgoing) -> Receipt:
        """Hands one notice over, within ``LONGEST`` seconds."""
        ...


class Ways:
    """One sender a channel. What no sender stands for fails for good: a person must act."""

    def __init__(self, senders: Mapping[Channel, Sender]) -> None:
        self._senders = dict(senders)

    def send(self, outgoing: Outgoing) -> Receipt:
        """Hands the notice to the sender of its channel."""
        sender = self._senders.get(outgoing.channel)
        if sender is None:
            raise DeliveryError(
                f"This installation sends nothing by {outgoing.channel.label.lower()}.",
                permanent=True,
            )
        return sender.send(outgoing)
