"""The mailbox that letters come back to, read over IMAP4rev1 (RFC 3501)."""

from __future__ import annotations

import imaplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from liaison.delivery.reports import LARGEST
from liaison.domain.mail_places import Place
from liaison.errors import LiaisonError

__all__ = ["MOST", "MailboxError", "Place", "Session", "opened"]

MOST = 20
"""Letters read in one look."""
_STEP = 10.0
"""Seconds that one question to the server may take."""


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
def opened(place: Place) -> Iterator[Session]:
    """Signs in, opens the folder, signs out. ``MailboxError`` where one of them fails."""
    try:
        imap = _connect(place)
        try:
            if place.scheme == "imap+starttls":
                imap.starttls(ssl.create_default_context())
            imap.login(place.user, place.password)
            _answer(imap.select(f'"{place.folder}"'))
            yield Session(imap)
        finally:
            _leave(imap)
    except (imaplib.IMAP4.error, OSError) as error:
        # Only the kind: a server's words could quote what was sent, the password among it.
        raise MailboxError(f"{place.host}:{place.port}: {type(error).__name__}") from None


def _connect(place: Place) -> imaplib.IMAP4:
    if place.scheme == "imaps":
        context = ssl.create_default_context()
        return imaplib.IMAP4_SSL(place.host, place.port, ssl_context=context, timeout=_STEP)
    return imaplib.IMAP4(place.host, place.port, timeout=_STEP)


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
