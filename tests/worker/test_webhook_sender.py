"""The way out of webhooks, against a real server: what it takes, and where it never goes."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks.webhooks import Webhook

from liaison import signatures
from liaison.clock import SystemClock
from liaison.delivery import DeliveryError, Outgoing, WebhookSender, attempt
from liaison.delivery.posting import post
from liaison.domain.gateway import Gateway
from liaison.domain.vocabulary import Channel
from tests.gateways import own_url
from tests.http_sink import DRIP, HALF, HANG, RESET, HttpSink, Reply, closed_port

SECRET, OLDER = signatures.new_secret(), signatures.new_secret()
QUICK = 0.5
"""Seconds that a sending may take in these tests."""


def event(url: str) -> Outgoing:
    return Outgoing(
        address=url,
        subject="",
        text="",
        html="",
        idem="hook:1",
        written_at=datetime.now(UTC),
        channel=Channel.WEBHOOK,
        number="message",
        body={"type": "order.issued", "data": {"id": "entry-id", "seq": 7}},
        secrets=(SECRET, OLDER),
    )


@pytest.fixture
def sink() -> Iterator[HttpSink]:
    with HttpSink() as made:
        yield made


@pytest.fixture
def sender() -> WebhookSender:
    return WebhookSender(SystemClock(), loopback=True, longest=QUICK)


def refused(sender: WebhookSender, url: str) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        sender.send(event(url))
    return caught.value


def test_the_other_side_gets_a_signed_event_with_the_entrys_own_id(
    sink: HttpSink, sender: WebhookSender
) -> None:
    sink.script(Reply(202, body=b"thank\nyou " + b"x" * 1000))
    receipt = sender.send(event(f"{sink.url}/hooks/liaison?key=1"))
    assert (receipt.status, receipt.answer[:9], len(receipt.answer)) == (202, "thank you", 200)
    (got,) = sink.got
    assert (got.method, got.path) == ("POST", "/hooks/liaison?key=1")
    assert got.headers["webhook-id"] == "entry-id"
    assert got.headers["content-type"] == "application/json"
    assert got.headers["user-agent"].startswith("Liaison")
    assert got.headers["host"] == f"127.0.0.1:{sink.port}"
    for secret in (SECRET, OLDER):
        assert Webhook(secret).verify(got.body, dict(got.headers))["data"]["seq"] == 7


@pytest.mark.parametrize("status", [400, 401, 404, 422, 500, 502])
def test_every_other_answer_is_a_not_yet(
    sink: HttpSink, sender: WebhookSender, status: int
) -> None:
    sink.script(Reply(status, body=b"no\r\nno"))
    error = refused(sender, sink.url)
    assert (error.status, error.permanent, error.gone) == (status, False, False)
    assert error.detail == f"{status} no no"


def test_gone_is_for_good(sink: HttpSink, sender: WebhookSender) -> None:
    sink.script(Reply(410))
    error = refused(sender, sink.url)
    assert error.gone
    assert error.permanent


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_heard_in_seconds_and_as_a_date(
    sink: HttpSink, sender: WebhookSender, status: int
) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(minutes=2), usegmt=True)
    waits = []
    for said in ("7", later, "soon", "-3", "9" * 30):
        sink.script(Reply(status, {"Retry-After": said}))
        waits.append(refused(sender, sink.url).retry_after)
    assert waits[0] == timedelta(seconds=7)
    assert waits[1] is not None
    assert timedelta(seconds=110) < waits[1] <= timedelta(minutes=2)
    assert waits[2:4] == [None, None]
    assert waits[4] == timedelta(seconds=10**8), "the outbox caps it further"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(sink: HttpSink, sender: WebhookSender, status: int) -> None:
    with HttpSink() as second:
        sink.script(Reply(status, {"Location": f"{second.url}/inside"}))
        assert refused(sender, sink.url).status == status
        assert second.connections == 0


def test_who_hangs_drips_breaks_off_or_hangs_up_holds_nobody_up(
    sink: HttpSink, sender: WebhookSender
) -> None:
    for behaviour, said in (
        (HANG, "longer than"),
        (DRIP, "longer than"),
        (HALF, "broke off"),
        (RESET, "Reset"),
    ):
        sink.script(behaviour)
        begin = time.monotonic()
        assert said in refused(sender, sink.url).detail
        assert time.monotonic() - begin < QUICK + 1
    assert "No connection" in refused(sender, f"http://127.0.0.1:{closed_port()}").detail
    deadline = time.monotonic() + 5
    while any(t.name == "http" for t in threading.enumerate()) and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    assert not any(t.name == "http" for t in threading.enumerate()), "no try lives on"


def test_who_hangs_is_said_to_have_taken_too_long_however_late_that_is_looked_at(
    sink: HttpSink, sender: WebhookSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine the one that waits gets its turn after the one that sends.
    join = threading.Thread.join
    monkeypatch.setattr(threading.Thread, "join", lambda thread, most: join(thread, most + 0.5))
    sink.script(HANG)
    assert "longer than" in refused(sender, sink.url).detail


def test_who_is_silent_for_a_while_and_answers_in_time_is_heard(
    sink: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 12 s of silence within 20 s in all, made short.
    monkeypatch.setattr(attempt, "STEP", 0.1)
    sink.always(Reply(200, body=b"at last", does="late"))
    patient = WebhookSender(SystemClock(), loopback=True, longest=5)
    assert patient.send(event(sink.url)).answer == "at last"
    gateway = Gateway.from_url(own_url(sink))
    answer = post(gateway, "/send", b"{}", {}, datetime.now(UTC), 5)
    assert answer.start == "at last"


def test_no_more_than_64_kib_of_an_answer_are_read(sink: HttpSink, sender: WebhookSender) -> None:
    sink.script(Reply(200, body=b"y" * 1_000_000))
    assert sender.send(event(sink.url)).answer == "y" * 200


def test_proxies_of_the_environment_are_not_used(
    sink: HttpSink, sender: WebhookSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HttpSink() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        sender.send(event(sink.url))
        assert (len(sink.got), proxy.connections) == (1, 0)


TRICKS = """
http://127.0.0.1 https://127.0.0.1 https://localhost https://0x7f.1 https://0177.0.0.1
https://2130706433 https://127.1 https://①②⑦.0.0.1 https://[::1] https://[::127.0.0.1]
https://[::ffff:127.0.0.1] https://[::ffff:0:127.0.0.1] https://[64:ff9b::7f00:1]
https://[2002:7f00:1::] https://0.0.0.0 https://[::] https://sink.example@127.0.0.1
"""


@pytest.mark.parametrize("trick", TRICKS.split())
def test_in_production_no_trick_reaches_a_listener_of_ours(sink: HttpSink, trick: str) -> None:
    sender = WebhookSender(SystemClock(), longest=2)
    refused(sender, f"{trick}:{sink.port}/")
    assert sink.connections == 0


@pytest.mark.parametrize("trick", ["0x7f.1", "0177.0.0.1", "2130706433", "①②⑦.0.0.1", "127.1"])
def test_what_a_look_up_makes_of_it_is_checked_too(
    sink: HttpSink, monkeypatch: pytest.MonkeyPatch, trick: str
) -> None:
    """Even where a trick stood in the database: the reading of the address is not all."""
    from liaison.delivery import guard

    with pytest.raises(DeliveryError):
        guard.checked(trick, sink.port, guard.resolve, loopback=False)
    assert sink.connections == 0


def test_a_name_that_changes_its_address_is_looked_up_once_and_pinned(sink: HttpSink) -> None:
    public, asked, dialled = "93.184.216.34", [], []

    def look_up(host: str, _port: int) -> list[str]:
        asked.append(host)
        return [public] if len(asked) == 1 else ["127.0.0.1"]

    def dial(address: str, _port: int, _seconds: float) -> socket.socket:
        dialled.append(address)
        raise OSError("nobody is called in a test")

    sender = WebhookSender(SystemClock(), look_up=look_up, dial=dial, longest=2)
    url = f"https://rebind.example:{sink.port}/"
    refused(sender, url)
    assert (asked, dialled) == (["rebind.example"], [public])
    assert "public internet" in refused(sender, url).detail, "the next try looks again"
    assert dialled == [public]
    assert sink.connections == 0


def test_one_denied_address_among_many_is_enough(sink: HttpSink) -> None:
    dialled: list[str] = []

    def dial(address: str, _port: int, _seconds: float) -> socket.socket:
        dialled.append(address)
        raise OSError

    sender = WebhookSender(
        SystemClock(), look_up=lambda _h, _p: ["93.184.216.34", "10.0.0.7"], dial=dial
    )
    refused(sender, f"https://mixed.example:{sink.port}/")
    assert dialled == []


def certificate(home: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate that signs itself, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
        .add_extension(x509.BasicConstraints(True, None), True)
        .sign(key, hashes.SHA256())
    )
    path = home / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return path, context


def test_the_certificate_must_name_the_host_though_an_address_is_dialled(tmp_path: Path) -> None:
    path, server = certificate(tmp_path, "hooks.example.net")
    names: list[str | None] = []
    server.sni_callback = lambda _s, name, _c: names.append(name)

    def sender(trusted: bool) -> WebhookSender:
        return WebhookSender(
            SystemClock(),
            loopback=True,
            longest=5,
            look_up=lambda _host, _port: ["127.0.0.1"],
            context=lambda: ssl.create_default_context(cafile=str(path) if trusted else None),
        )

    with HttpSink(server) as sink:
        assert sender(True).send(event(f"https://hooks.example.net:{sink.port}/x")).status == 200
        assert names == ["hooks.example.net"]
        assert sink.got[0].headers["host"] == f"hooks.example.net:{sink.port}"
        other = refused(sender(True), f"https://other.example.net:{sink.port}/x")
        assert "certificate does not count" in other.detail
        unknown = refused(sender(False), f"https://hooks.example.net:{sink.port}/x")
        assert "certificate does not count" in unknown.detail
        assert len(sink.got) == 1, "nothing is said to whom the certificate does not prove"
