"""How much one side may write into an order's thread; the two sides never use up each other's room.

The numbers are this portal's own, not law: far above what an order needs, and low enough that no
program in a loop fills the page, the disk or the other side's night.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from liaison.domain.attachments import MB
from liaison.errors import FieldError, Invalid, RateLimited

MOST = 250
"""Messages of one side to an order."""

HOURLY = 30
"""Messages of one side to an order within an hour."""

BYTES = 100 * MB
"""All the files of one side to an order."""

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Said:
    """An earlier message of the same side: when it came, and the bytes of its files."""

    at: datetime
    size: int


def check(said: Sequence[Said], size: int, now: datetime, *, owed: bool) -> None:
    """Refuses a message, with files of ``size`` bytes, that is more than one side may write.

    ``said`` is the oldest first. ``owed``: it answers an open question. Such a one always finds
    room, for there are no more of them than the other side may ask.

    ``Invalid`` where the order takes no more, ``RateLimited`` where it does so later.
    """
    if size and sum(one.size for one in said) + size > BYTES:
        detail = (
            f"Your files with this order have {BYTES // MB} MB, or would have with these: it takes "
            "no more. Send the message without them."
        )
        raise Invalid([FieldError("/attachments", detail)])
    if owed:
        return
    if len(said) >= MOST:
        detail = f"You have written {MOST} messages to this order: it takes no more. Call instead."
        raise Invalid([FieldError("/text", detail)])
    lately = [one.at for one in said[-HOURLY:] if now - one.at < HOUR]
    if len(lately) >= HOURLY:
        wait = max(int((lately[0] + HOUR - now).total_seconds()), 1)
        detail = (
            f"You have written {HOURLY} messages to this order within an hour. Put what remains "
            f"into one message, in {-(-wait // 60)} minutes, or call."
        )
        raise RateLimited(detail, wait)
