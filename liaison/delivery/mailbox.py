"""The mailbox that letters come back to, read over IMAP4rev1 (RFC 3501)."""

from __future__ import annotations

import imaplib
import socket
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic

from liaison.delivery.attempt import connect
from liaison.delivery.reports import LARGEST
from liaison.domain.mail_places import Place
from liaison.errors import LiaisonError

__all__ = ["MOST", "MailboxError", "Place", "Session", "opened"]

MOST = 20
"""Letters read in one look."""
_STEP = 10.0
"""Seconds that one silence of the server may last."""
LONGEST = 60.0
"""Seconds for all of one look: what is left then is read at the next."""


class MailboxError(LiaisonError):
    """The mailbox cannot be read now. The text quotes no letter and no password."""


class Session:
    """An open mailbox: what nobody has read yet, and marking what was."""

    def __init__(self, imap: imaplib.IMAP4) -> None:
        self._imap = imap

    def unread(self) -> list[str]:
        """The numbers (UID) of the letters not read yet, oldest first; ``MOST`` at most."""
        found = _answer(self._imap.uid("SEARCH", "UNSEEN"))
        words = found[0].split() if found and isinstance(found[0], bytes) else []
        return [word.decode() for word in words if word.isdigit()][:MOST]

    def letter(self, uid: str) -> bytes:
        """The letter, as much of it as is ever read; it stays unread."""
        found = _answer(self._imap.uid("FETCH", uid, f"(BODY.PEEK[]<0.{LARGEST}>)"))
        for piece in found:
            if isinstance(piece, tuple) and len(piece) > 1 and isinstance(piece[1], bytes):
                return piece[1][:LARGEST]
        return b""

    def mark(self, uid: str, *, odd: bool = False) -> None:
        """The letter is read; an ``odd`` one is flagged too, for a person to look at."""
        flags = r"(\Seen \Flagged)" if odd else r"(\Seen)"
        _answer(self._imap.uid("STORE", uid, "+FLAGS.SILENT", flags))


@contextmanager
def opened(place: Place, longest: float = LONGEST) -> Iterator[Session]:
    """Signs in, opens the folder, signs out. ``MailboxError`` where one of them fails.

    Also where all of it takes more than ``longest`` seconds, however the server drips: the worker
    waits for this look when it is told to stop.
    """
    end = _End(monotonic() + longest)
    try:
        imap = _Imap(place, end)
        try:
            if place.scheme == "imap+starttls":
                imap.starttls(ssl.create_default_context())
            imap.login(place.user, place.password)
            _answer(imap.select(f'"{place.folder}"'))
            yield Session(imap)
        finally:
            _leave(imap)
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        # Only the kind: a server's words could quote what was sent, the password among it.
        what = f"took longer than {longest:g} s" if end.has_come else type(error).__name__
        raise MailboxError(f"{place.host}:{place.port}: {what}") from None
    finally:
        end.call_off()


class _End:
    """The moment on the steady clock at which a connection is shut beneath any encryption."""

    def __init__(self, until: float) -> None:
        self.until = until
        self._timer: threading.Timer | None = None
        self._way: socket.socket | None = None

    def hold(self, way: socket.socket) -> None:
        """From here on the end comes for ``way``: for a second handle of the plain connection."""
        self._way = way.dup()
        self._timer = threading.Timer(max(self.until - monotonic(), 0), self._come)
        self._timer.daemon = True
        self._timer.start()

    @property
    def has_come(self) -> bool:
        """Whether its time is over."""
        return monotonic() >= self.until

    def call_off(self) -> None:
        """The look is over: nothing is left to end."""
        if self._timer is not None and self._way is not None:
            self._timer.cancel()
            self._timer.join()
            self._way.close()

    def _come(self) -> None:
        if self._way is not None:
            with suppress(OSError):  # the other side was quicker
                self._way.shutdown(socket.SHUT_RDWR)


class _Imap(imaplib.IMAP4):
    """A session that ends in time from its first byte on, before any encryption."""

    def __init__(self, place: Place, end: _End) -> None:
        self._place, self._end = place, end
        super().__init__(place.host, place.port, timeout=_STEP)

    def _create_socket(self, timeout: float | None = None) -> socket.socket:
        """What ``imaplib`` calls to connect, in its own kinds of session too."""
        way = connect(self._place.host, self._place.port, self._end.until)
        try:
            way.settimeout(timeout)
            self._end.hold(way)
            if self._place.scheme == "imaps":
                context = ssl.create_default_context()
                return context.wrap_socket(way, server_hostname=self._place.host)
        except Exception:
            way.close()
            raise
        return way


def _leave(imap: imaplib.IMAP4) -> None:
    try:
        imap.logout()
    except (imaplib.IMAP4.error, OSError):
        imap.shutdown()


def _answer(answered: tuple[str, Sequence[object]]) -> Sequence[object]:
    kind, found = answered
    if kind != "OK":
        raise imaplib.IMAP4.error(kind)
    return found
