"""E-mail over SMTP. The letters carry no case data, so plain transport gives nothing away."""

from __future__ import annotations

import hashlib
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from liaison.delivery.base import LONGEST, DeliveryError, Outgoing, Receipt
from liaison.errors import SettingsError

PORTS = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
LETTER = SMTP.clone(max_line_length=300)
"""Longer than our longest key: folded, it would be encoded and hard to find in a log."""
_STEP = 10.0
"""Seconds that one question to the mail server may take; ``LONGEST`` bounds them all."""


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed over, read from ``LIAISON_SMTP_URL``."""

    scheme: str
    host: str
    port: int
    user: str
    password: str

    @classmethod
    def from_url(cls, url: str) -> MailServer:
        """Reads ``smtp://``, ``smtps://`` or ``smtp+starttls://``, with ``user:password@``."""
        hint = "LIAISON_SMTP_URL must look like smtp+starttls://user:password@mail.example:587."
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise SettingsError(hint) from None
        if parts.scheme not in PORTS or not host:
            raise SettingsError(hint)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if user and parts.scheme == "smtp" and not _is_loopback(host):
            raise SettingsError(
                "LIAISON_SMTP_URL would send its password in the clear. "
                "Use smtps:// or smtp+starttls://."
            )
        return cls(parts.scheme, host, port or PORTS[parts.scheme], user, password)


class EmailSender:
    """Sends notices through one mail server, one connection each."""

    def __init__(self, url: str, mail_from: str, *, longest: float = LONGEST) -> None:
        self.server = MailServer.from_url(url)
        self.mail_from = mail_from
        self.longest = longest

    def send(self, outgoing: Outgoing) -> Receipt:
        """Hands the letter over; what the server answered is the reference."""
        letter = build(outgoing, self.mail_from)
        attempt = _Attempt(self.server, letter, outgoing.address, self.mail_from)
        answer = attempt.within(self.longest)
        return Receipt(answer, 250, answer)


def build(outgoing: Outgoing, mail_from: str) -> EmailMessage:
    """The letter with both parts. Its Message-ID is the message's number: repeats can be told.

    So a letter that comes back names the message, and only who got it knows the name. What has no
    number is named after its key.
    """
    name, sender = parseaddr(mail_from)
    letter = EmailMessage(policy=LETTER)
    letter["From"] = Address(_line(name), addr_spec=sender)
    letter["To"] = _recipient(outgoing.address)
    letter["Subject"] = _line(outgoing.subject)
    letter["Date"] = format_datetime(outgoing.written_at)
    number = outgoing.number or hashlib.sha256(outgoing.idem.encode()).hexdigest()[:40]
    letter["Message-ID"] = f"<{number}@{sender.rpartition('@')[2] or 'localhost'}>"
    letter["X-Liaison-Key"] = _line(outgoing.idem)
    letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(outgoing.text)
    letter.add_alternative(outgoing.html, subtype="html")
    return letter


class _Attempt:
    """One try, in a thread of its own: no server can hold it longer than it may take."""

    def __init__(
        self, server: MailServer, letter: EmailMessage, address: str, mail_from: str
    ) -> None:
        self._server, self._letter = server, letter
        self._address, self._from = address, parseaddr(mail_from)[1]
        self._socket: socket.socket | None = None
        self._abandoned = threading.Event()
        self._outcome: str | DeliveryError | None = None

    def within(self, longest: float) -> str:
        """The server's answer, or the error that came of it."""
        thread = threading.Thread(target=self._run, name="smtp", daemon=True)
        thread.start()
        thread.join(longest)
        outcome = self._outcome
        if outcome is None:
            self._give_up()
            raise DeliveryError(f"The mail server took longer than {longest:g} s.")
        if isinstance(outcome, DeliveryError):
            raise outcome
        return outcome

    def _give_up(self) -> None:
        self._abandoned.set()
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return

    def _run(self) -> None:
        try:
            self._outcome = self._hand_over()
        except DeliveryError as error:
            self._outcome = error
        except smtplib.SMTPNotSupportedError as error:
            self._outcome = DeliveryError(_line(str(error)), permanent=True)
        except (smtplib.SMTPException, OSError, ValueError) as error:
            # Connection, encryption, sign-in: about the server, not about this letter.
            self._outcome = DeliveryError(_line(f"{type(error).__name__}: {error}"))

    def _hand_over(self) -> str:
        with self._connect() as smtp:
            self._socket = smtp.sock
            if self._abandoned.is_set():
                raise DeliveryError("The mail server answered too late.")
            if self._server.scheme == "smtp+starttls":
                smtp.starttls(context=ssl.create_default_context())
                self._socket = smtp.sock
            if self._server.user:
                smtp.login(self._server.user, self._server.password)
            smtp.ehlo_or_helo_if_needed()
            options = self._options(smtp)
            _step(lambda: smtp.mail(self._from, options))
            _step(lambda: smtp.rcpt(self._address))
            content = self._letter.as_bytes(policy=LETTER.clone(utf8=bool(options)))
            return _step(lambda: smtp.data(content))

    def _connect(self) -> smtplib.SMTP:
        host, port = self._server.host, self._server.port
        if self._server.scheme == "smtps":
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(host, port, timeout=_STEP, context=context)
        return smtplib.SMTP(host, port, timeout=_STEP)

    def _options(self, smtp: smtplib.SMTP) -> list[str]:
        if self._address.isascii():
            return []
        if not smtp.has_extn("smtputf8"):
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
    text = _line(answer.decode(errors="replace"))
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


def _line(text: str) -> str:
    """One line: control characters become spaces, so that no header can be smuggled in."""
    return re.sub(r"[\x00-\x1f\x7f\x85\u2028\u2029]+", " ", text).strip()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
