"""Mail servers that misbehave: each keeps its own log of what it has read whole."""

from __future__ import annotations

import socket
import threading
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import IO, Self

from tests.mail import Letter

HANGS, HALF, VANISHES = "hangs", "half an answer", "vanishes"
"""It never greets; it breaks off in the middle of its answer; it takes the letter and is gone."""


class BadMailServer:
    """Listens on loopback and treats every caller alike."""

    def __init__(self, manner: str) -> None:
        self.manner = manner
        self.letters: list[Letter] = []
        self._ends = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def url(self) -> str:
        """For ``LIAISON_SMTP_URL``."""
        return f"smtp://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        # Closing a listener does not wake whoever accepts on it; a caller does.
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join(20)
        for held in (self._listener, *self._held):
            held.close()

    def _serve(self) -> None:
        while True:
            caller, _ = self._listener.accept()
            self._held.append(caller)
            if self._ends.is_set():
                return
            if self.manner != HANGS:
                caller.settimeout(10)
                try:
                    self._answer(caller)
                except OSError:
                    continue

    def _answer(self, caller: socket.socket) -> None:
        with caller.makefile("rb") as lines:
            caller.sendall(b"220 here\r\n")
            sender = ""
            recipients: list[str] = []
            while line := lines.readline():
                word = line.split()[0].upper()
                if word == b"DATA":
                    caller.sendall(b"354 go on\r\n")
                    self._take(lines, sender, recipients)
                    if self.manner == HALF:
                        caller.sendall(b"25")
                    break
                if word == b"MAIL":
                    sender = _address(line)
                elif word == b"RCPT":
                    recipients.append(_address(line))
                caller.sendall(b"250 yes\r\n")
        caller.shutdown(socket.SHUT_RDWR)

    def _take(self, lines: IO[bytes], sender: str, recipients: list[str]) -> None:
        content = b""
        while (line := lines.readline()) not in (b".\r\n", b""):
            content += line[1:] if line.startswith(b"..") else line
        message = message_from_bytes(content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.letters.append(Letter(sender, tuple(recipients), message))


def _address(line: bytes) -> str:
    return line.split(b"<", 1)[1].split(b">", 1)[0].decode()


def closed_port() -> str:
    """Where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"smtp://127.0.0.1:{listener.getsockname()[1]}"
