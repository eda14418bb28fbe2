"""The demo's letters: files in a folder, one a letter, which ``/demo/mail`` shows."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime
from pathlib import Path

from liaison.delivery import Outgoing, Receipt
from liaison.delivery.email import build

NAME = re.compile(r"[0-9]{8}T[0-9]{6}-[0-9a-f]{8}")
MOST = 200
"""How many letters are listed, newest first."""


@dataclass(frozen=True)
class Filed:
    """A letter in the folder. ``html`` is the source of its HTML part, to be shown as text."""

    name: str
    at: datetime
    sender: str
    to: str
    subject: str
    key: str
    text: str
    html: str


class FilingSender:
    """Delivers into the folder: the letters of the story's past."""

    def __init__(self, folder: Path, mail_from: str) -> None:
        self.folder, self.mail_from = folder, mail_from

    def send(self, outgoing: Outgoing) -> Receipt:
        """Files the letter; its name is the reference."""
        return Receipt(file_letter(self.folder, build(outgoing, self.mail_from).as_bytes()))


def file_letter(folder: Path, content: bytes) -> str:
    """Writes a letter as it came; it appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{_date(_read(content)):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    draft = folder / f".{name}"
    draft.write_bytes(content)
    draft.replace(folder / f"{name}.eml")
    return name


def listed(folder: Path) -> list[Filed]:
    """The newest letters."""
    names = sorted((path.stem for path in folder.glob("*.eml")), reverse=True)[:MOST]
    return [letter for name in names if (letter := opened(folder, name)) is not None]


def opened(folder: Path, name: str) -> Filed | None:
    """One letter; None where there is none of this name."""
    if not NAME.fullmatch(name):
        return None
    try:
        message = _read((folder / f"{name}.eml").read_bytes())
    except FileNotFoundError:
        return None
    return Filed(
        name,
        _date(message),
        str(message["From"] or ""),
        str(message["To"] or ""),
        str(message["Subject"] or ""),
        str(message["X-Liaison-Key"] or ""),
        _part(message, "plain"),
        _part(message, "html"),
    )


def _read(content: bytes) -> EmailMessage:
    message = BytesParser(policy=policy.default).parsebytes(content)
    assert isinstance(message, EmailMessage)
    return message


def _date(message: EmailMessage) -> datetime:
    try:
        return parsedate_to_datetime(str(message["Date"])).astimezone(UTC)
    except (TypeError, ValueError):
        return datetime.fromtimestamp(0, UTC)


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if part is not None else ""
