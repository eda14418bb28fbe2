"""What the tests of threads share: a provider whose clock questions stop, and files to send."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import Any

from liaison.domain.attachments import Accepted, Upload, accept
from liaison.models import Order, ThreadMessage
from liaison.services import thread
from tests.world import World

PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    """One chunk of a PNG."""
    crc = zlib.crc32(kind + data).to_bytes(4)
    return len(data).to_bytes(4) + kind + data + crc


PNG = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(13)) + chunk(b"IDAT", b"x") + chunk(b"IEND")


def routine(world: World, **changes: Any) -> Order:
    """A routine order of Meridian's that was served: two days to acknowledge, five to preserve."""
    return world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom", **changes)


def accepted(name: str = "log.txt", content: bytes = b"A line of a log.\n") -> tuple[Accepted, ...]:
    """One file that may be stored."""
    return accept([Upload(name, content)])


def ask(world: World, order: Order, text: str = "Which?", **more: Any) -> ThreadMessage:
    """The SPOC's question, committed."""
    with world.database.transaction() as session:
        message = thread.ask(session, world.actor("spoc"), order.name, text, world.now, **more)
        _ = [file.id for file in message.attachments]
        return message


def answer(world: World, order: Order, text: str = "The first.", **more: Any) -> ThreadMessage:
    """The officer's answer, committed."""
    with world.database.transaction() as session:
        return thread.answer(session, world.actor("officer"), order.name, text, world.now, **more)


def seconds(**span: float) -> int:
    """A length in whole seconds."""
    return int(timedelta(**span).total_seconds())
