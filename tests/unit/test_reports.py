"""What mail servers write of a letter that came back, read in each of their shapes."""

from __future__ import annotations

import time
from contextlib import suppress
from email.message import Message
from typing import Any
from uuid import UUID

import pytest

from liaison.delivery import reports
from liaison.delivery.mailbox import Place
from liaison.domain.bounce import LONGEST_SAID, Returned
from liaison.errors import SettingsError
from tests.returned import AWAY, EXCHANGE, EXIM, POSTFIX, QMAIL, letter

NUMBER = UUID("01930000-0000-7000-8000-000000000001")
SPOC = "spoc@meridian.example"


@pytest.mark.parametrize("shape", [POSTFIX, EXCHANGE, EXIM, QMAIL])
def test_every_shape_names_the_letter_and_whom_it_did_not_reach(shape: str) -> None:
    (found,) = reports.read(letter(shape, NUMBER, SPOC))
    assert (found.number, found.final) == (NUMBER, True)
    assert found.is_about(SPOC)
    assert not found.is_about("other@meridian.example")
    assert "5.1.1" in found.said


def in_rfc_6533(address: str) -> bytes:
    """The report as servers write it that know addresses outside ASCII."""
    shape = POSTFIX.replace("message/delivery-status", "message/global-delivery-status")
    shape = shape.replace("message/rfc822", "message/global").replace("rfc822;", "utf-8;")
    return letter(shape, NUMBER, address)


@pytest.mark.parametrize("address", [SPOC, "дежурный@провайдер.example", "spoc@bücher.example"])
@pytest.mark.parametrize("action", ["failed", "delayed"])
def test_a_report_about_an_address_outside_ascii_is_read(address: str, action: str) -> None:
    raw = in_rfc_6533(address).replace(b"Action: failed", f"Action: {action}".encode())
    (found,) = reports.read(raw)
    assert (found.number, found.final) == (NUMBER, action == "failed")
    assert found.is_about(address)
    assert not found.is_about("other@meridian.example")
    assert found.said.startswith("5.1.1")


def test_of_several_addressees_each_has_its_own_block_in_either_form() -> None:
    raw = in_rfc_6533(SPOC)
    block = b"\r\nFinal-Recipient: utf-8; other@meridian.example\r\nAction: failed\r\n"
    here = raw.index(b"Diagnostic-Code")
    end = raw.index(b"\r\n\r\n", here) + 2
    both = reports.read(raw[:end] + block + raw[end:])
    assert [one.is_about(SPOC) for one in both] == [True, False]
    assert both[1].is_about("other@meridian.example")
    many = reports.read(raw[:end] + block * 1000 + raw[end:])
    assert len(many) == reports.MOST_RECIPIENTS


def test_of_a_letter_returned_as_its_headers_alone_the_number_is_found() -> None:
    raw = in_rfc_6533(SPOC).replace(
        b"Type: message/global\r\n", b"Type: message/global-headers\r\n"
    )
    (found,) = reports.read(raw)
    assert found.number == NUMBER


CHARSETS = (
    b"charset=idna",
    b"charset=undefined",
    b"charset=x\x00y",
    b"charset=no-such",
    b"charset=\xff",
    b"charset*=us-ascii'en'us-ascii",
)
"""Names by which Python decodes no text: each trips over another thing."""


def in_odd_text(shape: str, charset: bytes, encoding: bytes = b"8bit") -> bytes:
    """The report, its text for people in a charset of its own and with bytes that are no ASCII."""
    odd = b"Content-Type: text/plain; %s\r\nContent-Transfer-Encoding: %s\r\n" % (charset, encoding)
    raw = letter(shape, NUMBER, SPOC)
    if shape in (EXIM, QMAIL):
        return odd + raw.replace(b"\r\n\r\n", b"\r\n\r\nPas re\xe7u.\r\n", 1)
    text = b"Content-Type: text/plain; charset="
    here = raw.index(text)
    head_ends = raw.index(b"\r\n\r\n", here)
    return raw[:here] + odd + b"\r\nPas re\xe7u.\r\n" + raw[head_ends:]


@pytest.mark.parametrize("charset", CHARSETS)
@pytest.mark.parametrize("shape", [POSTFIX, EXCHANGE, EXIM, QMAIL])
def test_a_report_is_read_whatever_its_text_for_people_is_written_in(
    shape: str, charset: bytes
) -> None:
    (found,) = reports.read(in_odd_text(shape, charset))
    assert (found.number, found.final, found.is_about(SPOC)) == (NUMBER, True, True)
    assert "5.1.1" in found.said


@pytest.mark.parametrize("encoding", [b"base64", b"x-uuencode", b"quoted-printable", b"\xff\x00"])
def test_and_however_that_text_is_encoded(encoding: bytes) -> None:
    (found,) = reports.read(in_odd_text(POSTFIX, b"charset=idna", encoding))
    assert (found.number, found.is_about(SPOC)) == (NUMBER, True)


@pytest.mark.parametrize("error", [LookupError, ValueError])
def test_a_part_that_cannot_be_decoded_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    get: Any = Message.get_payload

    def trip(part: Message, i: int | None = None, decode: bool = False) -> object:
        if decode and part.get_content_type() == "text/rfc822-headers":
            raise error
        return get(part, i, decode)

    ours = f"Content-Type: message/rfc822\r\n\r\nMessage-ID: <{NUMBER}@police.example>\r\n\r\n"
    begin, end = b"--9B095B5ADSN=_01\r\n", b"--9B095B5ADSN=_01--"
    both = letter(EXCHANGE, NUMBER, SPOC).replace(end, begin + ours.encode() + end)
    monkeypatch.setattr(Message, "get_payload", trip)
    (found,) = reports.read(both)
    assert found.number == NUMBER


def test_a_delay_is_no_failure_and_other_news_is_none() -> None:
    (late,) = reports.read(letter(POSTFIX, NUMBER, SPOC, action="delayed", status="4.4.1"))
    assert not late.final
    for action in ("delivered", "relayed", "expanded", "", "FAILED?"):
        assert reports.read(letter(POSTFIX, NUMBER, SPOC, action=action)) == []
    (given_up,) = reports.read(letter(POSTFIX, NUMBER, SPOC, action="Failed", status="4.4.7"))
    assert given_up.final, "whoever gave up says failed, whatever the class of the status"


def test_what_is_no_report_gives_nothing() -> None:
    for raw in (
        letter(AWAY, NUMBER, SPOC),
        letter(POSTFIX, "no-number-of-ours", SPOC),
        letter(QMAIL, NUMBER, SPOC).replace(b"MAILER-DAEMON", b"somebody"),
        b"",
        b"\x00\xff" * 1000,
        b"Subject: =?utf-8?b?////?=\r\nContent-Type: multipart/report\r\n\r\nno parts",
    ):
        assert reports.read(raw) == []


def test_addresses_are_compared_in_any_case_and_either_form_of_a_domain() -> None:
    found = Returned(NUMBER, ("<Spoc@XN--MRIDIAN-BYA.example>",), True, "")
    assert found.is_about("spoc@méridian.example")
    assert not found.is_about("spoc@meridian.example")


def test_a_hostile_report_costs_little_and_brings_little() -> None:
    plain = letter(POSTFIX, NUMBER, SPOC)
    block = (
        b"Final-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: 5.0.0\r\n\r\n" % SPOC.encode()
    )
    many = plain.replace(b"Final-Recipient: rfc822;", block * 2000 + b"Final-Recipient: rfc822;", 1)
    huge = plain.replace(b"Diagnostic-Code: smtp; ", b"Diagnostic-Code: smtp; " + b"x\t" * 200_000)
    parts = plain.replace(b"--B/1\r\n", b"--B/1\r\n\r\nnothing\r\n" * 100, 1)
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n)
        for n in range(5000)
    )
    begun = time.process_time()
    assert len(reports.read(many)) == reports.MOST_RECIPIENTS
    (said,) = reports.read(huge)
    assert len(said.said) <= LONGEST_SAID
    assert reports.read(parts) == [], "its report stands too far behind"
    with suppress(RecursionError):  # its reader puts it aside
        assert reports.read(deep) == []
    boundaries = plain + b"--B/1\r\n\r\n" * 100_000
    reports.read(boundaries)
    assert time.process_time() - begun < 20


HEAD = (
    b"Content-Type: multipart/report; boundary=x\n\n--x\nContent-Type: message/delivery-status\n\n"
)


@pytest.mark.parametrize(
    "costly",
    [
        HEAD + b"\n" * 1_000_000,
        b"".join(
            b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(150)
        )
        + b"--\n" * 300_000,
        b'Content-Type: multipart/x; a="' + b";" * 1_000_000 + b"\n\nnothing\n",
        b'Content-Type: multipart/x; a="' + b"\n ;" * 300_000 + b"\n\nnothing\n",
    ],
    ids=["statuses", "levels", "parameters", "folded parameters"],
)
def test_a_letter_of_a_megabyte_cannot_keep_the_worker_busy(costly: bytes) -> None:
    begun = time.process_time()
    assert reports.read(costly) == []
    assert time.process_time() - begun < 3


def test_a_report_cannot_break_a_line_of_the_record() -> None:
    raw = letter(POSTFIX, NUMBER, SPOC).replace(b"No such", b"No\x00 \x1b[31m \xe2\x80\xa8such")
    (found,) = reports.read(raw)
    assert found.said.isprintable()


def test_where_the_mailbox_is_is_read_from_its_setting() -> None:
    place = Place.from_url("imaps://liaison:pa%3Ass@mail.police.example/Bounces")
    assert (place.host, place.port, place.folder) == ("mail.police.example", 993, "Bounces")
    assert place.password == "pa:ss"
    assert Place.from_url("imap+starttls://u:p@mail.example").folder == "INBOX"
    for wrong in (
        "imaps://mail.example/INBOX",
        "https://u:p@mail.example",
        "imap://u:p@mail.example/INBOX",
        'imaps://u:p@mail.example/a"b',
        "imaps://u:p@mail.example:none/INBOX",
    ):
        with pytest.raises(SettingsError) as caught:
            Place.from_url(wrong)
        assert "LIAISON_BOUNCE_URL" in caught.value.detail
        assert "u:p" not in caught.value.detail
