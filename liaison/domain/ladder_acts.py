"""What people at the contact point may do to a ladder that climbs, and for how long.

The lengths are this portal's own; no law and no memorandum sets them.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.vocabulary import Urgency
from liaison.errors import FieldError, Invalid

LONGEST_PAUSE = {
    Urgency.EMERGENCY: timedelta(hours=1),
    Urgency.URGENT: timedelta(hours=24),
    Urgency.ROUTINE: timedelta(hours=24),
}
"""A pause ends by itself; whoever still needs one then says so anew, with a reason."""

PAUSES = tuple(timedelta(minutes=m) for m in (15, 30, 60, 120, 240, 480, 720, 1440))
"""The lengths that are offered."""


def pauses_for(urgency: Urgency) -> tuple[timedelta, ...]:
    """The lengths that an order of this urgency may be paused for."""
    return tuple(length for length in PAUSES if length <= LONGEST_PAUSE[urgency])


def check_reason(reason: str, why: str) -> None:
    """``Invalid`` where no reason is given; ``why`` says what it should tell."""
    check_texts(("/reason", reason, LONGEST_REASON))
    if not reason.strip():
        raise Invalid([FieldError("/reason", why)])


def check_pause(urgency: Urgency, until: datetime, reason: str, now: datetime) -> None:
    """A pause needs an end that lies ahead and not too far, and a reason."""
    longest = LONGEST_PAUSE[urgency]
    if not now < until <= now + longest:
        hours = longest // timedelta(hours=1)
        most = f"{hours} hour" if hours == 1 else f"{hours} hours"
        detail = f"Say until when. This order can be paused for {most} at most."
        raise Invalid([FieldError("/until", detail)])
    check_reason(reason, "Say why nobody is to be called meanwhile.")
