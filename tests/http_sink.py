"""A real HTTP server on loopback that keeps its own log and answers as it is told.

``sink.script(Reply(500), Reply(429, {"Retry-After": "7"}), HANG)`` answers the coming requests so,
one each; then 200 again. What a server does that does not answer properly has names of its own:
``HANG``, ``HALF``, ``DRIP``, ``RESET``; a reply that ``does="late"`` comes after 0.4 s of silence;
``raw(b"…")`` is all that the server says, head and framing included.
An address on which nobody listens is ``closed_port()``.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any, cast


@dataclass(frozen=True)
class Reply:
    """One answer. ``does`` is what the server does when it does not simply answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    does: str = "answer"


OK = Reply()
HANG = Reply(does="hang")
"""Takes the request and says nothing until the sink is stopped."""
HALF = Reply(does="half", body=b"half an ans")
"""Promises a hundred bytes, sends a few and closes."""
DRIP = Reply(does="drip")
"""A header without end, a few bytes each tenth of a second: never silent, never done."""
RESET = Reply(does="reset")
"""Takes the request and resets the connection."""


def raw(said: bytes) -> Reply:
    """An answer byte by byte as it goes out; then the connection is closed."""
    return Reply(body=said, does="raw")


@dataclass(frozen=True)
class Got:
    """One request as it came; header names in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float
    """By the sink's own steady clock (``time.monotonic``)."""

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class HttpSink:
    """Listens on a free port; ``got`` is its log, in the order in which requests came whole."""

    def __init__(self, context: SSLContext | None = None, host: str = "127.0.0.1") -> None:
        self.got: list[Got] = []
        self.connections = 0
        """How often anybody connected, whether or not a request followed."""
        self._replies: deque[Reply] = deque()
        self._always = OK
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._server = _Server((host, 0), _Handler)
        self._server.sink = self
        self._scheme = "https" if context else "http"
        if context:
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def script(self, *replies: Reply) -> None:
        """The answers to the coming requests, one each."""
        with self._lock:
            self._replies.extend(replies)

    def always(self, reply: Reply) -> None:
        """The answer once the script is used up; 200 at first."""
        with self._lock:
            self._always = reply

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"{self._scheme}://{self._server.server_address[0]!s}:{self.port}"

    def ids(self, header: str = "webhook-id") -> list[str]:
        """One header of every request: by it repeats are told apart from new ones."""
        return [got.headers.get(header, "") for got in list(self.got)]

    def start(self) -> None:
        """Listens."""
        self._thread.start()

    def stop(self) -> None:
        """Closes the port and lets go whoever still waits."""
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> HttpSink:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def take(self, got: Got) -> Reply:
        """Writes the request down, then looks up what to answer."""
        with self._lock:
            self.got.append(got)
            return self._replies.popleft() if self._replies else self._always

    def wait(self, seconds: float) -> bool:
        """Waits; True once the sink is being stopped."""
        return self._ended.wait(seconds)


def closed_port() -> int:
    """A port on loopback on which nobody listens: a connection is refused."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    sink: HttpSink

    def process_request(self, request: Any, client_address: Any) -> None:
        self.sink.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, _request: Any, _client_address: Any) -> None:
        """Whoever hangs up is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body = self.rfile.read(length)
        sink = cast("_Server", self.server).sink
        named = {name.lower(): value for name, value in self.headers.items()}
        reply = sink.take(Got(self.command, self.path, named, body, time.monotonic()))
        getattr(self, f"_{reply.does}")(reply, sink)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any  # noqa: N815 - http.server's names

    def _answer(self, reply: Reply, _sink: HttpSink) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def _hang(self, _reply: Reply, sink: HttpSink) -> None:
        self.close_connection = True
        sink.wait(600)

    def _half(self, reply: Reply, _sink: HttpSink) -> None:
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(reply.body)

    def _drip(self, _reply: Reply, sink: HttpSink) -> None:
        self.close_connection = True
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not sink.wait(0.1):
            self.wfile.write(b"drip")

    def _late(self, reply: Reply, sink: HttpSink) -> None:
        sink.wait(0.4)
        self._answer(reply, sink)

    def _raw(self, reply: Reply, _sink: HttpSink) -> None:
        self.close_connection = True
        self.wfile.write(reply.body)

    def _reset(self, _reply: Reply, _sink: HttpSink) -> None:
        self.close_connection = True
        at_once = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """The log is ``got``."""
