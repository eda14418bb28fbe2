"""A try ends in its time wherever the other side falls silent, and so does its thread."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from liaison import signatures
from liaison.clock import SystemClock
from liaison.delivery import DeliveryError, EmailSender, Outgoing, WebhookSender, attempt
from liaison.delivery.attempt import Attempt
from liaison.delivery.gateway import GatewaySender
from liaison.domain.gateway import Gateway
from liaison.domain.vocabulary import Channel
from tests.gateways import SECRET
from tests.http_sink import DRIP, HANG, HttpSink
from tests.worker.test_webhook_sender import certificate

QUICK = 1.0
"""Seconds that a sending may take in these tests."""
SOON = 4.0
"""Seconds within which all must be over; a silence alone would last ten."""
ANSWERS = {
    "EHLO": b"250-here\r\n250 STARTTLS\r\n",
    "STARTTLS": b"220 go ahead\r\n",
    "MAIL": b"250 yes\r\n",
    "RCPT": b"250 yes\r\n",
    "DATA": b"354 go ahead\r\n",
    ".": b"250 taken\r\n",
    "QUIT": b"221 bye\r\n",
}


@dataclass
class SlowServer:
    """A mail server that falls silent at ``silent``, and waits for the other side to hang up."""

    scheme: str
    silent: str
    context: ssl.SSLContext
    asked: list[str] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)

    def serve(self, listening: socket.socket) -> None:
        """One connection, to its end."""
        with suppress(OSError):
            way, _ = listening.accept()
            with way:
                if self.scheme == "smtps":
                    self._encrypt(way)
                else:
                    self._talk(way, b"220 here\r\n")
                while way.fileno() >= 0 and way.recv(1024):
                    continue
        self.left.set()

    def _encrypt(self, way: socket.socket) -> None:
        if self.silent != "handshake":
            greeting = b"220 here\r\n" if self.scheme == "smtps" else b""
            with self.context.wrap_socket(way, server_side=True) as over:
                self._talk(over, greeting)

    def _talk(self, way: socket.socket, greeting: bytes) -> None:
        while self.silent == "drip" and not self.left.wait(0.05):
            way.sendall(b"2")
        if greeting and self.silent != "greeting":
            way.sendall(greeting)
        in_letter = False
        for line in way.makefile("rb"):
            word = line.decode().strip().partition(" ")[0].upper()
            if in_letter and word != ".":
                continue
            self.asked.append(word)
            in_letter = word == "DATA"
            if word != self.silent:
                way.sendall(ANSWERS[word])
            if word == "STARTTLS":
                self._encrypt(way)
                return


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    """A certificate of "localhost", and a server's context with it."""
    return certificate(tmp_path_factory.mktemp("certificate"), "localhost")


@contextmanager
def listening(
    scheme: str, silent: str, context: ssl.SSLContext
) -> Iterator[tuple[SlowServer, str]]:
    """A slow server, and its address for ``LIAISON_SMTP_URL``."""
    server = SlowServer(scheme, silent, context)
    with socket.create_server(("127.0.0.1", 0)) as open_:
        thread = threading.Thread(target=server.serve, args=(open_,), daemon=True)
        thread.start()
        try:
            yield server, f"{scheme}://localhost:{open_.getsockname()[1]}"
        finally:
            server.left.set()
            with suppress(OSError):
                open_.shutdown(socket.SHUT_RDWR)
            thread.join(SOON)
    assert not thread.is_alive()


@contextmanager
def deaf() -> Iterator[int]:
    """A port that answers nobody's knock: its queue is full."""
    with socket.socket() as full, ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(16):
            knock = waiting.enter_context(socket.socket())
            knock.settimeout(0.2)
            try:
                knock.connect(full.getsockname())
            except TimeoutError:
                break
        yield full.getsockname()[1]


def notice(address: str = "spoc@meridian.example", channel: Channel = Channel.EMAIL) -> Outgoing:
    return Outgoing(
        address,
        "It waits",
        "Look.",
        "<p>Look.</p>",
        "order:1",
        datetime.now(UTC),
        channel,
        "number",
        {"data": {"id": "entry"}},
        (signatures.new_secret(),),
    )


def mail(url: str, longest: float = QUICK) -> Callable[[], object]:
    return lambda: EmailSender(url, "liaison@police.example", longest=longest).send(notice())


def gives_up(send: Callable[[], object], name: str) -> None:
    """It says so in time, and leaves no thread behind."""
    began = time.monotonic()
    with pytest.raises(DeliveryError, match=r"longer than|TimeoutError|timed out") as caught:
        send()
    assert not caught.value.permanent
    assert time.monotonic() - began < SOON
    assert not lives_on(name), "no try lives on"


def lives_on(name: str) -> bool:
    found = [thread for thread in threading.enumerate() if thread.name == name]
    for thread in found:
        thread.join(SOON)
    return any(thread.is_alive() for thread in found)


@pytest.mark.parametrize(
    ("scheme", "silent"),
    [
        ("smtp", "greeting"),
        ("smtp", "drip"),
        ("smtp", "EHLO"),
        ("smtp", "."),
        ("smtps", "handshake"),
        ("smtps", "greeting"),
        ("smtps", "drip"),
        ("smtps", "."),
        ("smtp+starttls", "STARTTLS"),
        ("smtp+starttls", "handshake"),
        ("smtp+starttls", "."),
    ],
)
def test_a_mail_server_that_falls_silent_is_given_up(
    scheme: str,
    silent: str,
    trusted: tuple[Path, ssl.SSLContext],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path, context = trusted
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with listening(scheme, silent, context) as (server, url):
        gives_up(mail(url), "smtp")
        assert server.left.wait(SOON), "the connection is closed too"
        assert silent in ("greeting", "drip", "handshake", *server.asked[-1:])


@pytest.mark.parametrize("scheme", ["smtp", "smtps", "smtp+starttls"])
def test_a_letter_that_was_taken_stays_taken_whatever_becomes_of_the_parting(
    scheme: str, trusted: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, context = trusted
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    with listening(scheme, "QUIT", context) as (server, url):
        began = time.monotonic()
        receipt = EmailSender(url, "liaison@police.example").send(notice())
        assert (receipt.reference, receipt.status) == ("taken", 250)
        assert time.monotonic() - began < SOON
        assert server.left.wait(SOON)
        assert server.asked[-1] == "QUIT"
    assert not lives_on("smtp")


def test_a_mail_server_that_nobody_vouches_for_gets_no_letter(
    trusted: tuple[Path, ssl.SSLContext],
) -> None:
    with (
        listening("smtps", "", trusted[1]) as (server, url),
        pytest.raises(DeliveryError, match="SSLCertVerificationError"),
    ):
        mail(url, SOON)()
    assert server.asked == []


def test_who_never_lets_us_in_is_given_up() -> None:
    with deaf() as port:
        gives_up(mail(f"smtp://127.0.0.1:{port}"), "smtp")
        gives_up(mail(f"smtps://127.0.0.1:{port}"), "smtp")
        hooks = WebhookSender(SystemClock(), loopback=True, longest=QUICK)
        to = notice(f"http://127.0.0.1:{port}/", Channel.WEBHOOK)
        gives_up(lambda: hooks.send(to), "http")
        url = f"gateway+http://key:{quote(SECRET, safe='')}@127.0.0.1:{port}/?from=+37410000999"
        gateway = GatewaySender(Gateway.from_url(url), "http://x", SystemClock(), longest=QUICK)
        gives_up(lambda: gateway.send(notice("+43", Channel.TEXT)), "http")


@pytest.mark.parametrize("silent", ["handshake", "answer", "drip"])
def test_a_webhook_that_falls_silent_beneath_or_within_its_encryption_is_given_up(
    silent: str, trusted: tuple[Path, ssl.SSLContext]
) -> None:
    path, context = trusted
    hooks = WebhookSender(
        SystemClock(),
        loopback=True,
        longest=QUICK,
        look_up=lambda _host, _port: ["127.0.0.1"],
        context=lambda: ssl.create_default_context(cafile=str(path)),
    )
    if silent == "handshake":
        with listening("smtps", silent, context) as (server, url):
            to = notice(url.replace("smtps:", "https:"), Channel.WEBHOOK)
            gives_up(lambda: hooks.send(to), "http")
            assert server.left.wait(SOON), "the connection is closed too"
        return
    with HttpSink(context) as sink:
        sink.script(DRIP if silent == "drip" else HANG)
        to = notice(f"https://localhost:{sink.port}/", Channel.WEBHOOK)
        gives_up(lambda: hooks.send(to), "http")


def test_what_comes_too_late_is_closed_unheard() -> None:
    over, outcome, (here, there) = threading.Event(), [], socket.socketpair()

    def late(attempt: Attempt[str]) -> str:
        over.wait(SOON)
        try:
            attempt.hold(here)
        except DeliveryError as error:
            outcome.append(error.detail)
        return "too late"

    with there:
        with pytest.raises(DeliveryError, match=r"The moon took longer than 0.1 s\."):
            Attempt("late", "The moon", late).within(0.1)
        over.set()
        assert not lives_on("late")
        assert outcome == ["The moon answered too late."]
        assert there.recv(1) == b""
    assert here.fileno() == -1


def test_a_fault_of_our_own_is_told_as_what_it_is() -> None:
    def faulty(_attempt: Attempt[str]) -> str:
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        Attempt("faulty", "The moon", faulty).within(SOON)


def test_many_addresses_share_the_time_that_one_would_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, given = [100.0], []

    def dial(_address: str, _port: int, seconds: float) -> socket.socket:
        given.append(seconds)
        now[0] += seconds
        raise TimeoutError

    monkeypatch.setattr(attempt, "monotonic", lambda: now[0])
    with pytest.raises(TimeoutError, match="no time is left"):
        attempt.first_of(["a", "b", "c", "d"], 25, dial, 5, 112)
    assert given == [5, 5, 2]
