"""A small real IMAP server on loopback: one mailbox, one user, as much as reading it takes."""

from __future__ import annotations

import re
import socketserver
import threading
from contextlib import suppress
from dataclasses import dataclass, field

USER, PASSWORD = "liaison", "tests only"


@dataclass
class Kept:
    """A letter in the mailbox, and its flags."""

    raw: bytes
    flags: set[str] = field(default_factory=set)


class ImapSink:
    """Holds letters until they are read; ``asked`` is what it was asked, without passwords."""

    def __init__(self) -> None:
        self.letters: list[Kept] = []
        self.asked: list[str] = []
        self.refuses = False
        """Lets nobody sign in."""
        self.drips = ""
        """The word whose answer comes a byte at a time and never ends; GREETING: the first line."""
        self.broken_store = False
        """Drops the line instead of marking: what was read stays unread."""
        self._server = _Server(("127.0.0.1", 0), _Line)
        self._server.sink = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def put(self, raw: bytes) -> Kept:
        """A letter arrives."""
        kept = Kept(raw)
        self.letters.append(kept)
        return kept

    @property
    def url(self) -> str:
        """For ``LIAISON_BOUNCE_URL``."""
        port = self._server.server_address[1]
        return f"imap://{USER}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{port}/INBOX"

    def start(self) -> None:
        """Listens."""
        self._thread.start()

    def stop(self) -> None:
        """Closes the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def answer(self, asked: str) -> bytes | None:
        word, _, rest = asked.upper().partition(" ")
        if word == "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1\r\n"
        if word == "LOGIN":
            return b"" if not self.refuses and asked == f'LOGIN {USER} "{PASSWORD}"' else None
        if word == "SELECT":
            return b"* %d EXISTS\r\n" % len(self.letters)
        if word == "LOGOUT":
            return b"* BYE\r\n"
        if rest.startswith("SEARCH"):
            unseen = [n for n, kept in enumerate(self.letters, 1) if "\\Seen" not in kept.flags]
            return b"* SEARCH %s\r\n" % b" ".join(b"%d" % n for n in unseen)
        number = int(re.findall(r"\d+", rest)[0])
        if rest.startswith("FETCH"):
            most = int(re.findall(r"<0\.(\d+)>", rest)[0])
            raw = self.letters[number - 1].raw[:most]
            return b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n%s)\r\n" % (number, number, len(raw), raw)
        if self.broken_store:
            return None
        self.letters[number - 1].flags |= set(re.findall(r"\\\w+", asked))
        return b""


class _Server(socketserver.ThreadingTCPServer):
    sink: ImapSink
    daemon_threads = True


class _Line(socketserver.StreamRequestHandler):
    """One visitor: each line gets its answer, or the line is dropped."""

    server: _Server
    timeout = 20

    def handle(self) -> None:
        """Until the visitor leaves."""
        sink = self.server.sink
        if sink.drips == "GREETING":
            return self._drip()
        self.wfile.write(b"* OK ready\r\n")
        while line := self.rfile.readline():
            tag, _, asked = line.decode().strip().partition(" ")
            sink.asked.append("LOGIN ..." if asked.startswith("LOGIN") else asked)
            if sink.drips and sink.drips in asked.upper():
                return self._drip()
            answer = sink.answer(asked)
            if answer is None:
                return None
            self.wfile.write(answer + b"%s OK done\r\n" % tag.encode())
        return None

    def _drip(self) -> None:
        """A byte now and then, until the visitor has had enough."""
        with suppress(OSError):
            while True:
                self.wfile.write(b"*")
                threading.Event().wait(0.05)
