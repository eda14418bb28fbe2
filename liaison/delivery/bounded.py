"""An answer of which no more is taken than is allowed, whatever its framing says.

``http.client`` believes the other side: a chunk of size -1 is read to the end of the stream, and
interim answers, trailers and chunks of one byte have no end. Its reading of a head looks at a
header's parameters once for every semicolon: some megabytes of them keep a thread busy for hours,
long after its attempt was given up. So what comes is counted where it leaves the connection.
"""

from __future__ import annotations

import http.client
import io
import socket
from typing import Any

from liaison.delivery.base import DeliveryError

MOST_HEAD = 16 * 1024
"""Bytes of status and headers, those of interim answers (1xx) among them."""
MOST_READ = 64 * 1024
"""Bytes of an answer's body that are read."""
MOST_FRAMING = 64 * 1024
"""Bytes that may stand around them: sizes of chunks, their line ends, trailers."""


class Response(http.client.HTTPResponse):
    """An answer over a counted connection; ``DeliveryError`` where it goes on for too long."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, debuglevel, method, url)
        self._counted = _Counted(self.fp.detach())
        self._counted.allow(MOST_HEAD, DeliveryError("The answer’s head is too long."))
        self.fp = io.BufferedReader(self._counted)

    def begin(self) -> None:
        """What ``http.client`` calls to read the head."""
        super().begin()
        too_long = DeliveryError("The answer’s framing is too long.", status=self.status)
        self._counted.allow(MOST_READ + MOST_FRAMING, too_long)


class _Counted(io.RawIOBase):
    """What comes from a connection, as far as it is allowed."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw

    def allow(self, most: int, error: DeliveryError) -> None:
        """From here on so many bytes may come; ``error`` is raised where more are asked for."""
        self._left, self._error = most, error

    def readable(self) -> bool:
        """What ``io.BufferedReader`` wants to know."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """All reading comes through here, however much was asked for."""
        if self._left <= 0:
            raise self._error
        taken = self._raw.readinto(memoryview(buffer)[: self._left])
        self._left -= taken or 0
        return taken

    def close(self) -> None:
        """Lets go of the connection too."""
        self._raw.close()
        super().close()
