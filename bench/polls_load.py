"""Asks as fast as it is answered: a few connections kept open, one request at a time on each."""

from __future__ import annotations

import selectors
import socket as sockets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

CONNECTIONS = 16
"""Of one round; they are made anew for each, so that the processes share them otherwise."""


@dataclass
class Tally:
    """What came of it: seconds of each request, by status; how long it all took."""

    times: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, other: Tally) -> None:
        """Another round's."""
        self.times += other.times
        self.seconds += other.seconds
        for status, count in other.statuses.items():
            self.statuses[status] = self.statuses.get(status, 0) + count

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.times) / self.seconds


@dataclass
class _Line:
    """A connection: what it asks, since when, and what has come so far."""

    request: bytes
    port: int
    socket: sockets.socket = field(init=False)
    begun: float = 0.0
    got: bytes = b""
    wanted: int = 0

    def open(self) -> sockets.socket:
        self.socket = sockets.create_connection(("127.0.0.1", self.port), timeout=30)
        self.socket.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
        return self.socket

    def ask(self) -> None:
        self.got, self.wanted, self.begun = b"", 0, time.perf_counter()
        self.socket.sendall(self.request)

    def read(self) -> bool | None:
        """Whether the answer is whole; None where the server has closed the line."""
        try:
            part = self.socket.recv(262144)
        except ConnectionError:
            return None
        if not part:
            return None
        self.got += part
        if not self.wanted:
            end = self.got.find(b"\r\n\r\n")
            if end < 0:
                return False
            self.wanted = end + 4 + _length(self.got[:end])
        return len(self.got) >= self.wanted

    @property
    def status(self) -> int:
        return int(self.got[9:12])


def _length(head: bytes) -> int:
    _, found, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0]) if found else 0


def request(port: int, path: str, **headers: str) -> bytes:
    """A request's bytes: ``If_None_Match`` stands for ``If-None-Match``."""
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def play(port: int, requests: Sequence[bytes], seconds: float) -> Tally:
    """One round; each connection repeats one of the requests."""
    tally = Tally()
    with selectors.DefaultSelector() as selector:
        lines = [_Line(requests[n % len(requests)], port) for n in range(CONNECTIONS)]
        for line in lines:
            selector.register(line.open(), selectors.EVENT_READ, line)
        begin = time.perf_counter()
        for line in lines:
            line.ask()
        while time.perf_counter() - begin < seconds:
            for key, _ in selector.select(1):
                _serve(selector, key.data, tally)
        tally.seconds = time.perf_counter() - begin
        for line in lines:
            line.socket.close()
    return tally


def _serve(selector: selectors.BaseSelector, line: _Line, tally: Tally) -> None:
    whole = line.read()
    if whole is None:
        # A worker that has served its share of requests makes room for a new one.
        selector.unregister(line.socket)
        line.socket.close()
        selector.register(line.open(), selectors.EVENT_READ, line)
        line.ask()
    elif whole:
        tally.times.append(time.perf_counter() - line.begun)
        tally.statuses[line.status] = tally.statuses.get(line.status, 0) + 1
        line.ask()


def one(port: int, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """One answer: status, headers in small letters, body."""
    line = _Line(request, port)
    with line.open():
        line.ask()
        while not (whole := line.read()):
            if whole is None:
                raise ConnectionError("the server closed the line")
    head, _, body = line.got.partition(b"\r\n\r\n")
    fields = [text.partition(": ") for text in head.decode().split("\r\n")[1:]]
    return line.status, {name.lower(): value for name, _, value in fields}, body
