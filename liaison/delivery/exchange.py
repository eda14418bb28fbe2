"""One HTTP request and its answer, within a time that no other side can stretch.

No redirect is followed, no proxy of the environment is used, at most 64 KiB are read.
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from liaison.delivery.base import DeliveryError
from liaison.domain.reach import PORTS, Target

MOST_READ = 64 * 1024
"""Bytes of an answer."""
LONGEST_START = 200
"""Characters of an answer's body that are kept."""
STEP = 10.0
"""Seconds that one silence of the other side may last."""


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


Connect = Callable[[Target], socket.socket]
"""Opens the way to the other side, without encryption yet."""


class Exchange:
    """One try, in a thread of its own: looking a name up, connecting, a drip, all counted."""

    def __init__(
        self, request: Request, connect: Connect, context: Callable[[], ssl.SSLContext]
    ) -> None:
        self._request, self._connect, self._context = request, connect, context
        self._socket: socket.socket | None = None
        self._abandoned = threading.Event()
        self._outcome: Answer | DeliveryError | None = None

    def within(self, longest: float) -> Answer:
        """The answer, or ``DeliveryError``; after ``longest`` seconds at the latest."""
        thread = threading.Thread(target=self._run, name="http", daemon=True)
        thread.start()
        thread.join(longest)
        outcome = self._outcome
        if outcome is None:
            self._give_up()
            raise DeliveryError(f"The other side took longer than {longest:g} s.")
        if isinstance(outcome, DeliveryError):
            raise outcome
        return outcome

    def _give_up(self) -> None:
        self._abandoned.set()
        if self._socket is not None:
            try:
                # The plain way, beneath the encryption: it does not wait for the other side.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)
            except OSError:
                return

    def _run(self) -> None:
        try:
            self._outcome = self._hand_over()
        except DeliveryError as error:
            self._outcome = error
        except ssl.SSLCertVerificationError as error:
            self._outcome = DeliveryError(f"The certificate does not count: {error.verify_message}")
        except (http.client.HTTPException, OSError, ValueError) as error:
            self._outcome = DeliveryError(one_line(f"{type(error).__name__}: {error}"))

    def _hand_over(self) -> Answer:
        target = self._request.target
        connection = http.client.HTTPConnection(target.host, target.port, timeout=STEP)
        connection.default_port = PORTS[target.scheme]  # so that Host names no usual port
        try:
            connection.sock = self._open(target)
            asked = self._request
            connection.request(asked.method, target.path, asked.body, dict(asked.headers))
            return self._read(connection.getresponse())
        finally:
            connection.close()
            if self._socket is not None:  # not the connection's yet, where the handshake failed
                self._socket.close()

    def _open(self, target: Target) -> Any:
        way = self._hold(self._connect(target))
        way.settimeout(STEP)
        if target.scheme != "https":
            return way
        way = self._context().wrap_socket(
            way, server_hostname=target.host, do_handshake_on_connect=False
        )
        self._hold(way)
        way.do_handshake()
        return way

    def _hold(self, way: socket.socket) -> Any:
        """From here on whoever gives up can shut it; whoever gave up already has it shut."""
        self._socket = way
        if self._abandoned.is_set():
            way.close()
            raise DeliveryError("The other side answered too late.")
        return way

    def _read(self, response: http.client.HTTPResponse) -> Answer:
        content = response.read(MOST_READ)
        if response.length and len(content) < MOST_READ:
            raise DeliveryError("The answer broke off.", status=response.status)
        start = one_line(content[: 4 * LONGEST_START].decode(errors="replace"))[:LONGEST_START]
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, headers, start, content)


def one_line(text: str) -> str:
    """One line: what another side said cannot forge a line of ours."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+", " ", text).strip()
