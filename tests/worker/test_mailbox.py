"""The mailbox that letters come back to: whoever keeps it slowly holds no worker."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from liaison.delivery.mailbox import MailboxError, Place, opened
from tests.imap_sink import ImapSink

LETTER = b"Subject: x\r\n\r\n"


@pytest.fixture
def mailbox() -> Iterator[ImapSink]:
    sink = ImapSink()
    sink.start()
    sink.put(LETTER)
    yield sink
    sink.stop()


def look(sink: ImapSink) -> list[bytes]:
    with opened(Place.from_url(sink.url), longest=0.5) as box:
        return [box.letter(uid) for uid in box.unread()]


def nobody_waits() -> bool:
    return not any(isinstance(thread, threading.Timer) for thread in threading.enumerate())


@pytest.mark.parametrize("word", ["GREETING", "LOGIN", "FETCH"])
def test_a_server_that_drips_is_left_in_time_and_read_at_the_next_look(
    mailbox: ImapSink, word: str
) -> None:
    # Each byte comes well within a step's time: only the end of it all can end it.
    mailbox.drips = word
    begin = time.monotonic()
    with pytest.raises(MailboxError, match="took longer than"):
        look(mailbox)
    assert time.monotonic() - begin < 5
    assert nobody_waits()
    mailbox.drips = ""
    assert look(mailbox) == [LETTER]


def test_one_that_drips_its_goodbye_takes_nothing_back(mailbox: ImapSink) -> None:
    mailbox.drips = "LOGOUT"
    assert look(mailbox) == [LETTER]
    assert nobody_waits()


def test_a_password_that_the_mailbox_cannot_be_told_is_a_fault_of_the_mailbox(
    mailbox: ImapSink,
) -> None:
    place = Place.from_url(mailbox.url.replace(":tests", ":p%C3%A4ss"))
    with pytest.raises(MailboxError, match="UnicodeEncodeError"), opened(place, longest=5):
        pass
