"""One HTTP request and its answer, within a time that no other side can stretch.

No redirect is followed, no proxy of the environment is used, at most 64 KiB of a body are read
(``bounded``).
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from liaison.delivery.attempt import Attempt, one_line
from liaison.delivery.base import DeliveryError
from liaison.delivery.bounded import MOST_READ, Response
from liaison.domain.reach import PORTS, Target

LONGEST_START = 200
"""Characters of an answer's body that are kept."""
LONGEST_WAIT = 10**8
"""Seconds that ``Retry-After`` may ask for; the outbox caps it further."""


@dataclass(frozen=True)
class Request:
    """What is sent, and where to."""

    target: Target
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


@dataclass(frozen=True)
class Answer:
    """What came back; header names in small letters."""

    status: int
    headers: Mapping[str, str]
    start: str
    """Of the body, on one line."""
    body: bytes = b""
    """As much of it as was read."""

    @property
    def is_taken(self) -> bool:
        """A 2xx."""
        return 200 <= self.status < 300

    def wait(self, now: datetime) -> timedelta | None:
        """``Retry-After``, as seconds or as a date (RFC 9110, 10.2.3); None if it is neither."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            # Cut first: Python reads no number of thousands of digits.
            return timedelta(seconds=min(int(text[:9]), LONGEST_WAIT))
        try:
            at = parsedate_to_datetime(text)
        except (TypeError, ValueError, IndexError, OverflowError):
            return None
        return max((at if at.tzinfo else at.replace(tzinfo=UTC)) - now, timedelta(0))

    def refusal(
        self, waits: timedelta | None, *, permanent: bool = False, gone: bool = False
    ) -> DeliveryError:
        """What an answer that is no 2xx means to whoever sent."""
        said = f"{self.status} {self.start}".strip()
        if 300 <= self.status < 400:
            said = f"{self.status}: redirects are not followed."
        return DeliveryError(
            said, status=self.status, permanent=permanent, gone=gone, retry_after=waits
        )


Connect = Callable[[Target], socket.socket]
"""Opens the way to the other side, without encryption yet."""


class Exchange:
    """One try: looking a name up, connecting, a drip, all counted."""

    def __init__(
        self, request: Request, connect: Connect, context: Callable[[], ssl.SSLContext]
    ) -> None:
        self._request, self._connect, self._context = request, connect, context

    def within(self, longest: float) -> Answer:
        """The answer, or ``DeliveryError``; after ``longest`` seconds at the latest.

        However long the other side is silent within them: its program may work before it answers.
        """
        try:
            return Attempt("http", "The other side", self._hand_over).within(longest)
        except ssl.SSLCertVerificationError as error:
            said = f"The certificate does not count: {error.verify_message}"
        except (http.client.HTTPException, OSError, ValueError) as error:
            said = one_line(f"{type(error).__name__}: {error}")
        raise DeliveryError(said)

    def _hand_over(self, attempt: Attempt[Answer]) -> Answer:
        asked, target = self._request, self._request.target
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.default_port = PORTS[target.scheme]  # so that Host names no usual port
        connection.response_class = Response
        with self._connect(target) as way:
            attempt.hold(way)
            # The attempt's own end is the one deadline: a second one would race with it.
            way.settimeout(None)
            try:
                connection.sock = self._encrypted(way)
                connection.request(asked.method, target.path, asked.body, dict(asked.headers))
                with connection.getresponse() as response:
                    return self._read(response)
            finally:
                connection.close()

    def _encrypted(self, way: socket.socket) -> socket.socket:
        target = self._request.target
        if target.scheme != "https":
            return way
        return self._context().wrap_socket(way, server_hostname=target.host)

    def _read(self, response: http.client.HTTPResponse) -> Answer:
        broke_off = DeliveryError("The answer broke off.", status=response.status)
        try:
            content = response.read(MOST_READ)
        except http.client.IncompleteRead:
            raise broke_off from None
        if response.length and len(content) < MOST_READ:
            raise broke_off
        start = one_line(content[: 4 * LONGEST_START].decode(errors="replace"))[:LONGEST_START]
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, start, content)
