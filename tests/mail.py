"""Where the tests' letters go: a recording sender, and a real SMTP server on loopback."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from liaison.delivery import DeliveryError, Outgoing, Receipt


@dataclass
class RecordingSender:
    """Takes every notice and keeps it. ``fail`` makes the coming sendings fail, one each."""

    sent: list[Outgoing] = field(default_factory=list)
    failures: deque[DeliveryError] = field(default_factory=deque)

    def fail(self, *errors: DeliveryError) -> None:
        """The next sendings raise these, in this order; later ones pass again."""
        self.failures.extend(errors)

    def send(self, outgoing: Outgoing) -> Receipt:
        """Keeps the notice; the reference is its number."""
        if self.failures:
            raise self.failures.popleft()
        self.sent.append(outgoing)
        return Receipt(f"recorded {len(self.sent)}")

    @property
    def addresses(self) -> list[str]:
        """Whom notices went to, in order."""
        return [outgoing.address for outgoing in self.sent]


@dataclass(frozen=True)
class Letter:
    """A letter as the mail server got it."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage

    @property
    def key(self) -> str:
        """The stable key that a repeat carries too."""
        return str(self.message["X-Liaison-Key"])

    @property
    def text(self) -> str:
        """The plain part."""
        part = self.message.get_body(("plain",))
        assert part is not None
        return str(part.get_content())


class SmtpSink:
    """A real SMTP server. ``letters`` holds what it accepted; replies can be scripted."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self._replies: deque[str] = deque()
        self._lock = threading.Lock()
        self._controller = _FreePort(self, hostname="127.0.0.1", port=0)

    def script(self, *replies: str) -> None:
        """Answers to the coming letters, one each, like ``451 try later``; then 250 again."""
        with self._lock:
            self._replies.extend(replies)

    def letters_to(self, address: str) -> list[Letter]:
        """The letters that one address got."""
        return [letter for letter in self.letters if address in letter.recipients]

    @property
    def url(self) -> str:
        """For ``LIAISON_SMTP_URL``."""
        return f"smtp://127.0.0.1:{self._controller.port}"

    def start(self) -> None:
        """Listens."""
        self._controller.start()

    def stop(self) -> None:
        """Closes the port."""
        self._controller.stop()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """What aiosmtpd calls with a whole letter."""
        with self._lock:
            reply = self._replies.popleft() if self._replies else "250 taken"
            if reply.startswith("2"):
                message = message_from_bytes(envelope.content, policy=policy.default)
                assert isinstance(message, EmailMessage)
                recipients = tuple(envelope.rcpt_tos)
                self.letters.append(Letter(envelope.mail_from, recipients, message))
        return reply


class _FreePort(Controller):
    """Learns which port the system gave before it connects to try it."""

    def _trigger_server(self) -> None:
        server = self.server
        assert isinstance(server, asyncio.Server)
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]
