"""E-mail against a real SMTP server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from liaison.delivery import DeliveryError, EmailSender, Outgoing
from liaison.delivery.email import MailServer, build
from liaison.errors import SettingsError
from liaison.models import Database
from liaison.models.work import MessageState
from liaison.worker import Done, Work, run_once
from tests.mail import SmtpSink
from tests.worker.looking import messages
from tests.world import World

FROM = "Liaison <liaison@police.example>"
NOTICE = Outgoing(
    address="spoc@meridian.example",
    subject="Order CP-2026-0001 waits",
    text="Look in the portal.\n",
    html="<p>Look in the portal.</p>",
    idem="order:1:0:contact:email",
    written_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
)


def test_a_letter_arrives_with_both_parts_and_its_key(smtp_sink: SmtpSink) -> None:
    receipt = EmailSender(smtp_sink.url, FROM).send(NOTICE)
    (letter,) = smtp_sink.letters
    assert (receipt.reference, receipt.status) == ("taken", 250)
    assert letter.sender == "liaison@police.example"
    assert letter.recipients == ("spoc@meridian.example",)
    assert letter.key == NOTICE.idem
    assert letter.message["Subject"] == NOTICE.subject
    assert letter.message["Auto-Submitted"] == "auto-generated"
    assert letter.message["Date"].datetime == NOTICE.written_at
    assert letter.text.strip() == NOTICE.text.strip()
    html = letter.message.get_body(("html",))
    assert html is not None
    assert html.get_content().strip() == NOTICE.html


def test_a_repeat_carries_the_same_message_id(smtp_sink: SmtpSink) -> None:
    sender = EmailSender(smtp_sink.url, FROM)
    for notice in (NOTICE, NOTICE, replace(NOTICE, idem="order:1:1:contact:email")):
        sender.send(notice)
    first, second, other = (letter.message["Message-ID"] for letter in smtp_sink.letters)
    assert first == second != other
    assert first.endswith("@police.example>")


@pytest.mark.parametrize(("reply", "permanent"), [("451 later", False), ("550 never", True)])
def test_the_servers_no_says_whether_a_repeat_can_help(
    smtp_sink: SmtpSink, reply: str, permanent: bool
) -> None:
    smtp_sink.script(reply)
    with pytest.raises(DeliveryError) as caught:
        EmailSender(smtp_sink.url, FROM).send(NOTICE)
    assert caught.value.permanent is permanent
    assert caught.value.detail == reply


def test_a_closed_port_is_temporary() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"smtp://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(DeliveryError, match="ConnectionRefusedError") as caught:
            EmailSender(url, FROM).send(NOTICE)
    assert not caught.value.permanent


@contextmanager
def _dripping() -> Iterator[str]:
    """A server that says one letter at a time and never ends its greeting."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                while not stop.wait(0.05):
                    try:
                        connection.sendall(b"2")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield f"smtp://127.0.0.1:{server.getsockname()[1]}"
        finally:
            stop.set()
            thread.join()


def test_no_server_can_hold_a_sending_longer_than_it_may_take() -> None:
    with _dripping() as url:
        began = time.monotonic()
        with pytest.raises(DeliveryError, match="longer than") as caught:
            EmailSender(url, FROM, longest=0.3).send(NOTICE)
        assert time.monotonic() - began < 2
    assert not caught.value.permanent


@pytest.mark.parametrize(
    "address",
    [
        "spoc@meridian.example\nBcc: x@evil.example",
        "spoc@meridian.example, x@evil.example",
        "spoc@meridian.example> <x@evil.example",
        "spoc",
        "",
    ],
)
def test_an_address_cannot_smuggle_anything(smtp_sink: SmtpSink, address: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        EmailSender(smtp_sink.url, FROM).send(replace(NOTICE, address=address))
    assert caught.value.permanent
    assert smtp_sink.letters == []


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x85", "\u2028", "\x0b", "\x00"])
def test_a_header_cannot_be_smuggled_in(smtp_sink: SmtpSink, break_: str) -> None:
    hostile = replace(
        NOTICE,
        subject=f"Hello{break_}Bcc: x@evil.example",
        idem=f"key{break_}Bcc: x@evil.example",
    )
    EmailSender(smtp_sink.url, FROM).send(hostile)
    (letter,) = smtp_sink.letters
    assert letter.message["Bcc"] is None
    assert letter.message["Subject"] == "Hello Bcc: x@evil.example"
    assert letter.recipients == ("spoc@meridian.example",)


def test_a_long_key_stays_readable() -> None:
    key = "01a20f7b-5f52-7b3e-a4de-08b60051df4a:1:10:01a20f7b-5a65-704f-a72d-2185054f8046:email"
    assert f"X-Liaison-Key: {key}\r\n".encode() in build(replace(NOTICE, idem=key), FROM).as_bytes()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", MailServer("smtp", "mail.example", 25, "", "")),
        ("smtps://u:p%40ss@mail.example", MailServer("smtps", "mail.example", 465, "u", "p@ss")),
        (
            "smtp+starttls://mail.example:25",
            MailServer("smtp+starttls", "mail.example", 25, "", ""),
        ),
        ("smtp://u:p@127.0.0.1:25", MailServer("smtp", "127.0.0.1", 25, "u", "p")),
    ],
)
def test_the_url_says_how(url: str, expected: MailServer) -> None:
    assert MailServer.from_url(url) == expected


@pytest.mark.parametrize(
    "url", ["", "mail.example", "http://mail.example", "smtp://", "smtp://mail.example:port"]
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="LIAISON_SMTP_URL must look like"):
        MailServer.from_url(url)


def test_a_password_is_not_sent_in_the_clear() -> None:
    with pytest.raises(SettingsError, match="in the clear"):
        MailServer.from_url("smtp://u:p@mail.example")


def test_the_password_is_not_part_of_what_is_said(smtp_sink: SmtpSink) -> None:
    # The sink offers no sign-in: the server refuses us, not the letter.
    url = smtp_sink.url.replace("//", "//user:secret@")
    with pytest.raises(DeliveryError) as caught:
        EmailSender(url, FROM).send(NOTICE)
    assert "secret" not in caught.value.detail


def test_the_whole_way(work: Work, world: World, database: Database, smtp_sink: SmtpSink) -> None:
    real = replace(work, sender=EmailSender(smtp_sink.url, FROM))
    order = world.issue()
    smtp_sink.script("451 greylisted")
    assert run_once(real) == Done(fired=1, sent=0)
    world.clock.move(seconds=6)
    assert run_once(real) == Done(fired=0, sent=1)
    (letter,) = smtp_sink.letters_to("spoc@meridian.example")
    (notice,) = messages(database, order)
    assert (notice.state, notice.provider_ref) == (MessageState.SENT, "taken")
    assert letter.key == notice.idem
    assert order.name in letter.message["Subject"]
    assert f"http://localhost/orders/{order.name}" in letter.text
