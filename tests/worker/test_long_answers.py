"""Answers without end: no peer fills a worker's memory, nor keeps it busy once it was given up."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from liaison.clock import SystemClock
from liaison.delivery import DeliveryError, WebhookSender, guard, own
from liaison.delivery.bounded import MOST_FRAMING, MOST_HEAD, MOST_READ
from liaison.delivery.posting import post
from liaison.domain.gateway import Gateway
from tests.gateways import own_url
from tests.http_sink import HttpSink, raw
from tests.worker.test_webhook_sender import event

LONGEST = 10
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MANY = 4 * 1024 * 1024
"""Bytes that are offered in vain: far more than may be taken."""

ENDLESS = {
    "a chunk of size -1": CHUNKED + b"-1\r\n" + b"x" * MANY,
    "a chunk of size -1 behind others": CHUNKED + b"2\r\nok\r\n-1\r\n" + b"x" * MANY,
    "chunks of one byte": CHUNKED + b"1\r\nx\r\n" * (MANY // 6),
    "a chunk's size": CHUNKED + b"1;" + b"x" * MANY,
    "trailers": CHUNKED + b"2\r\nok\r\n0\r\n" + b"X-More: yes\r\n" * (MANY // 13),
    "interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * (MANY // 25),
    "a status": b"HTTP/1.1 200 " + b"x" * MANY,
    "headers": OK + b"".join(b"X-%d: %s\r\n" % (n, b"x" * 60_000) for n in range(MANY // 60_000)),
    # Read whole, it keeps the thread busy for minutes; one of some megabytes for hours.
    "a header's parameters": OK
    + b'Content-Type: multipart/x; a="'
    + b"\r\n ".join([b";" * 60_000] * 8)
    + b'"\r\n\r\n',
}


class Counting(socket.socket):
    """A connection that knows how much was taken from it."""

    taken = 0

    def recv_into(self, *given: object, **named: object) -> int:
        got = super().recv_into(*given, **named)  # type: ignore[arg-type]
        self.taken += got
        return got


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with HttpSink() as made:
        yield made


@pytest.fixture
def dialled() -> list[Counting]:
    return []


@pytest.fixture
def sender(dialled: list[Counting]) -> WebhookSender:
    def dial(address: str, port: int, seconds: float) -> socket.socket:
        dialled.append(Counting(fileno=guard.dial(address, port, seconds).detach()))
        return dialled[-1]

    return WebhookSender(SystemClock(), loopback=True, longest=LONGEST, dial=dial)


def no_try_lives_on() -> bool:
    tries = [thread for thread in threading.enumerate() if thread.name == "http"]
    for thread in tries:
        thread.join(LONGEST)
    return not any(thread.is_alive() for thread in tries)


@pytest.mark.parametrize("said", ENDLESS.values(), ids=ENDLESS)
def test_of_an_answer_without_end_no_more_is_taken_than_is_read(
    sink: HttpSink, sender: WebhookSender, dialled: list[Counting], said: bytes
) -> None:
    sink.script(raw(said))
    with pytest.raises(DeliveryError) as caught:
        sender.send(event(sink.url))
    assert caught.value.detail != f"The other side took longer than {LONGEST} s."
    assert not caught.value.permanent, "it may answer properly next time"
    assert dialled[0].taken <= MOST_HEAD + MOST_READ + MOST_FRAMING
    assert no_try_lives_on()


def test_whoever_answers_at_length_is_told_which_part_was_too_long(
    sink: HttpSink, sender: WebhookSender
) -> None:
    said = []
    for name in ("headers", "a chunk of size -1"):
        sink.script(raw(ENDLESS[name]))
        with pytest.raises(DeliveryError) as caught:
            sender.send(event(sink.url))
        said.append((caught.value.detail, caught.value.status))
    assert said == [
        ("The answer’s head is too long.", None),
        ("The answer’s framing is too long.", 200),
    ]


def test_a_gateway_and_what_watches_us_are_read_no_further(sink: HttpSink) -> None:
    gateway = Gateway.from_url(own_url(sink))
    asks: list[Callable[[], object]] = [
        lambda: post(gateway, "/send", b"{}", {}, datetime.now(UTC), LONGEST),
        lambda: own.ask("GET", sink.url, LONGEST),
    ]
    for ask in asks:
        sink.script(raw(ENDLESS["a chunk of size -1"]))
        with pytest.raises(DeliveryError, match="too long"):
            ask()


LONG = b"y" * 1_000_000
IN_CHUNKS = b"".join(b"400\r\n%s\r\n" % (b"y" * 1024) for _ in range(1000))


@pytest.mark.parametrize(
    ("said", "status", "start"),
    [
        (CHUNKED + b"5\r\nthank\r\n4;a=b\r\n you\r\n0\r\nX-More: yes\r\n\r\n", 200, "thank you"),
        (CHUNKED + IN_CHUNKS + b"0\r\n\r\n", 200, "y" * 200),
        (CHUNKED + b"f4240\r\n" + LONG + b"\r\n0\r\n\r\n", 200, "y" * 200),
        (OK + b"Content-Length: 1000000\r\n\r\n" + LONG, 200, "y" * 200),
        (OK + b"\r\nuntil it is closed", 200, "until it is closed"),
        (OK + b"\r\n" + LONG, 200, "y" * 200),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, ""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 100 + OK + b"Content-Length: 2\r\n\r\nok", 200, "ok"),
        (OK + b"Set-Cookie: " + b"x" * 15_000 + b"\r\nContent-Length: 2\r\n\r\nok", 200, "ok"),
    ],
)
def test_an_answer_that_is_long_only_in_its_body_is_a_receipt(
    sink: HttpSink, sender: WebhookSender, said: bytes, status: int, start: str
) -> None:
    sink.script(raw(said))
    receipt = sender.send(event(sink.url))
    assert (receipt.status, receipt.answer) == (status, start)


@pytest.mark.parametrize(
    "said",
    [
        OK + b"Content-Length: 100\r\n\r\n",
        OK + b"Content-Length: 100\r\n\r\nhalf",
        CHUNKED,
        CHUNKED + b"64\r\nhalf",
        CHUNKED + b"4\r\nhalf\r\n",
    ],
)
def test_an_answer_that_breaks_off_says_so_however_it_is_framed(
    sink: HttpSink, sender: WebhookSender, said: bytes
) -> None:
    sink.script(raw(said))
    with pytest.raises(DeliveryError) as caught:
        sender.send(event(sink.url))
    assert (caught.value.detail, caught.value.status) == ("The answer broke off.", 200)
