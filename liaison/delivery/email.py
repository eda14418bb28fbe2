"""E-mail over SMTP. The letters carry no case data, so plain transport gives nothing away."""

from __future__ import annotations

import hashlib
import re
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from time import monotonic

from liaison.delivery.attempt import STEP, Attempt, connect, one_line
from liaison.delivery.base import LONGEST, DeliveryError, Outgoing, Receipt
from liaison.domain.mail_places import MailServer

__all__ = ["LETTER", "EmailSender", "MailServer", "build"]

LETTER = SMTP.clone(max_line_length=300)
"""Longer than our longest key: folded, it would be encoded and hard to find in a log."""


class EmailSender:
    """Sends notices through one mail server, one connection each."""

    def __init__(self, url: str, mail_from: str, *, longest: float = LONGEST) -> None:
        self.server = MailServer.from_url(url)
        self.mail_from = mail_from
        self.longest = longest

    def send(self, outgoing: Outgoing) -> Receipt:
        """Hands the letter over; what the server answered is the reference."""
        letter = build(outgoing, self.mail_from)
        until = monotonic() + self.longest

        def hand_over(attempt: Attempt[str]) -> str:
            session = _Session(self.server, attempt, until)
            try:
                return session.hand_over(letter, parseaddr(self.mail_from)[1], outgoing.address)
            finally:
                session.leave()

        answer = self._within(Attempt("smtp", "The mail server", hand_over))
        return Receipt(answer, 250, answer)

    def _within(self, attempt: Attempt[str]) -> str:
        try:
            return attempt.within(self.longest)
        except smtplib.SMTPNotSupportedError as error:
            raise DeliveryError(one_line(str(error)), permanent=True) from None
        except (smtplib.SMTPException, OSError, ValueError) as error:
            # Connection, encryption, sign-in: about the server, not about this letter.
            raise DeliveryError(one_line(f"{type(error).__name__}: {error}")) from None


def build(outgoing: Outgoing, mail_from: str) -> EmailMessage:
    """The letter with both parts. Its Message-ID is the message's number: repeats can be told.

    So a letter that comes back names the message, and only who got it knows the name. What has no
    number is named after its key.
    """
    name, sender = parseaddr(mail_from)
    letter = EmailMessage(policy=LETTER)
    letter["From"] = Address(one_line(name), addr_spec=sender)
    letter["To"] = _recipient(outgoing.address)
    letter["Subject"] = one_line(outgoing.subject)
    letter["Date"] = format_datetime(outgoing.written_at)
    number = outgoing.number or hashlib.sha256(outgoing.idem.encode()).hexdigest()[:40]
    letter["Message-ID"] = f"<{number}@{sender.rpartition('@')[2] or 'localhost'}>"
    letter["X-Liaison-Key"] = one_line(outgoing.idem)
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(outgoing.text)
    letter.add_alternative(outgoing.html, subtype="html")
    return letter


class _Session(smtplib.SMTP):
    """A session that can be given up from its first byte on, before any encryption."""

    def __init__(self, server: MailServer, attempt: Attempt[str], until: float) -> None:
        self._server, self._attempt, self._until = server, attempt, until
        super().__init__(server.host, server.port, timeout=STEP)

    def connect(
        self,
        host: str = "",
        port: int = 0,
        source_address: object = None,  # noqa: ARG002 - smtplib's own
    ) -> tuple[int, bytes]:
        """What ``smtplib`` calls to connect; the greeting."""
        self.sock = way = connect(host, port, self._until)
        try:
            self._attempt.hold(way)
            if self._server.scheme == "smtps":
                self.sock = ssl.create_default_context().wrap_socket(way, server_hostname=host)
            return self.getreply()
        except Exception:
            self.close()
            raise

    def hand_over(self, letter: EmailMessage, sender: str, address: str) -> str:
        """What the server says once it has the letter."""
        if self._server.scheme == "smtp+starttls":
            self.starttls(context=ssl.create_default_context())
        if self._server.user:
            self.login(self._server.user, self._server.password)
        self.ehlo_or_helo_if_needed()
        options = self._options(address)
        _step(lambda: self.mail(sender, options))
        _step(lambda: self.rcpt(address))
        content = letter.as_bytes(policy=LETTER.clone(utf8=bool(options)))
        return _step(lambda: self.data(content))

    def leave(self) -> None:
        """Says QUIT and waits for no answer: what became of the letter is known by now.

        Otherwise a server that took the letter and then hangs would get it again.
        """
        with suppress(smtplib.SMTPException, OSError):
            self.putcmd("quit")
        self.close()

    def _options(self, address: str) -> list[str]:
        if address.isascii():
            return []
        if not self.has_extn("smtputf8"):
            raise DeliveryError(
                "The mail server takes no address with letters outside ASCII.", permanent=True
            )
        return ["SMTPUTF8"]


def _step(ask: Callable[[], tuple[int, bytes]]) -> str:
    """One question about this letter: 2xx is yes, 5xx is no for ever, all else is not yet."""
    try:
        code, answer = ask()
    except smtplib.SMTPDataError as error:
        code, answer = error.smtp_code, _bytes(error.smtp_error)
    text = one_line(answer.decode(errors="replace"))
    if 200 <= code < 300:
        return text
    raise DeliveryError(f"{code} {text}", permanent=500 <= code < 600, status=code)


def _bytes(answer: bytes | str) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode()


def _recipient(address: str) -> Address:
    """One address; anything that could add a header or a second recipient is refused."""
    user, at, host = address.rpartition("@")
    if not (user and at and host) or re.search(r"[\s\x00-\x1f\x7f,;<>]", address):
        raise DeliveryError("The registered e-mail address is not valid.", permanent=True)
    try:
        return Address(username=user, domain=host)
    except (ValueError, IndexError):
        raise DeliveryError("The registered e-mail address is not valid.", permanent=True) from None
