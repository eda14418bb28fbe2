"""Reading what mail servers write of letters of ours: RFC 3464, RFC 6533, and some older forms.

Whoever can write to us can write such a letter. What is read is bounded, nothing of it is
believed here, and what is no report at all gives nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesParser, Parser
from email.policy import Compat32
from uuid import UUID

from liaison.domain.bounce import Returned, one_line

LARGEST = 1024 * 1024
"""Bytes of a letter that are read; the report stands before the letter it returns."""

MOST_LINES, LONGEST_HEADER = 10_000, 4096
"""Lines of a letter that are read, and characters of one of its headers.

The parser looks at each line once for every level of parts, and at a header's parameters once for
every semicolon: a letter of a megabyte could keep it busy for hours.
"""

MOST_PARTS, MOST_RECIPIENTS = 10, 20
_MOST_TEXT = 64 * 1024

_NUMBER = re.compile(
    r"<\s*([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})@", re.IGNORECASE
)
_RETURNED_ID = re.compile(r"^message-id:[ \t]*(<[^<>\s]{1,200}>)", re.IGNORECASE | re.MULTILINE)
_OF_QMAIL = re.compile(r"^<([^<>\s]{3,254})>:[ \t]*\r?\n([^\r\n]{0,500})", re.MULTILINE)
_CODE = re.compile(r"^.*?(?<![\d.])([45]\d\d[ -]|[45]\.\d{1,3}\.\d{1,3}).*$", re.MULTILINE)

# The parser takes "message/global-headers" for a letter with nothing in it.
_LETTERS = frozenset({"message/rfc822", "message/global", "message/global-headers"})
_HEADERS = "text/rfc822-headers"
_STATUSES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_LINES = re.compile(rb"(?:[^\r\n]*+(?:\r\n|\r|\n)){0,%d}+[^\r\n]*+" % MOST_LINES)


class _Bounded(Compat32):
    """Headers as they were sent, but none is longer than is ever needed."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name, value[:LONGEST_HEADER]


def read(raw: bytes) -> list[Returned]:
    """What the letter reports, one entry an addressee; empty where it is no report.

    Letters that were delivered, relayed or expanded are no failure and give none.
    """
    letter = parse(raw)
    parts = _parts(letter)
    number = _number(parts) or _number_in(_text(letter, parts))
    if number is None:
        return []
    for part in parts:
        if part.get_content_type() in _STATUSES:
            return list(_of_statuses(part, number))
    return list(_of_older(letter, _text(letter, parts), number))


def parse(raw: bytes) -> Message:
    """The letter as it was sent, its headers undecoded: decoding trips over hostile ones."""
    found = _LINES.match(raw[:LARGEST])
    return BytesParser(policy=_Bounded()).parsebytes(found[0] if found else b"")


def header(letter: Message, name: str) -> str:
    """A header's text, unfolded; empty where there is none."""
    return one_line(str(letter.get(name, "")))


def _parts(letter: Message) -> list[Message]:
    return _within(letter)[:MOST_PARTS]


def _within(part: Message) -> list[Message]:
    """What a part consists of. A text is not asked for: it would be decoded by its own charset."""
    payload = part.get_payload() if part.is_multipart() else []
    found = payload if isinstance(payload, list) else []
    return [one for one in found if isinstance(one, Message)]


def _number(parts: list[Message]) -> UUID | None:
    """Which letter of ours came back: by its Message-ID, which is the message's own number."""
    for part in parts:
        kind, letters = part.get_content_type(), _within(part)
        if kind in _LETTERS and letters:
            found = _uuid(str(letters[0].get("Message-ID", "")))
        elif kind == _HEADERS:
            found = _number_in(_decoded(part))
        else:
            continue
        if found is not None:
            return found
    return None


def _number_in(text: str) -> UUID | None:
    found = _RETURNED_ID.search(text)
    return _uuid(found[1]) if found else None


def _uuid(text: str) -> UUID | None:
    found = _NUMBER.match(text.strip())
    return UUID(found[1]) if found else None


def _of_statuses(part: Message, number: UUID) -> Iterator[Returned]:
    for block in _blocks(part)[:MOST_RECIPIENTS]:
        action = header(block, "Action").lower()
        if action not in ("failed", "delayed"):
            continue
        names = (header(block, name) for name in ("Final-Recipient", "Original-Recipient"))
        recipients = tuple(_address(name) for name in names if name)
        said = " ".join((header(block, "Status"), _address(header(block, "Diagnostic-Code"))))
        yield Returned(number, recipients, action == "failed", one_line(said))


def _blocks(part: Message) -> list[Message]:
    """One for each addressee; the first of all is about the whole letter, and left out.

    The parser knows the blocks of RFC 3464 only. Those of RFC 6533, which servers send where an
    address is not ASCII, it takes for a letter: the first block its headers, the others its text.
    """
    found = _within(part)
    if part.get_content_type() == "message/delivery-status" or not found:
        return found[1:]
    blocks = re.split(r"(?:\r?\n){2,}", _decoded(found[0]).strip(), maxsplit=MOST_RECIPIENTS)
    return [Parser(policy=_Bounded()).parsestr(block) for block in blocks]


def _address(field: str) -> str:
    """What stands behind the type: ``rfc822; somebody@provider.example``."""
    _, semicolon, rest = field.partition(";")
    return (rest if semicolon else field).strip()


def _of_older(letter: Message, text: str, number: UUID) -> Iterator[Returned]:
    """Servers that write no status: Exim names who failed in a header, qmail in its text."""
    failed = header(letter, "X-Failed-Recipients")
    if failed:
        reason = _CODE.search(text)
        said = one_line(reason[0]) if reason else "The mail server gave no reason."
        for name in failed.split(",")[:MOST_RECIPIENTS]:
            yield Returned(number, (name.strip(),), True, said)
        return
    if not re.search(r"mailer-daemon|postmaster", header(letter, "From"), re.IGNORECASE):
        return
    for found in list(_OF_QMAIL.finditer(text))[:MOST_RECIPIENTS]:
        yield Returned(number, (found[1],), True, one_line(found[2]))


def _text(letter: Message, parts: list[Message]) -> str:
    if not parts:
        return _decoded(letter)
    plain = (part for part in parts if part.get_content_type() == "text/plain")
    return _decoded(next(plain, parts[0]))


def _decoded(part: Message) -> str:
    try:
        payload = part.get_payload(decode=True)
    except (LookupError, ValueError):
        return ""  # what else the letter has to say is read all the same
    if not isinstance(payload, bytes):
        return ""
    return payload[:_MOST_TEXT].decode("utf-8", errors="replace")
