"""A doubted order: the contact point's own ladder, and how many people must vouch.

No memorandum sets this ladder and none can stretch it: forged orders from a hijacked account are
this field's best-known crime, and a provider that doubts one is answered at once or not at all.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from liaison.domain import ladder
from liaison.domain.ladder import Climb, Ladder, Rung, Step, Whom
from liaison.domain.vocabulary import PERSONAL

VOUCHERS = 2
"""So many different people say that the order is real; none of them wrote any part of it."""

PAGE_EVERY = timedelta(minutes=15)

LADDER = Ladder(
    (
        Rung(timedelta(0), Whom.DUTY_OFFICER, PERSONAL),
        Rung(timedelta(minutes=15), Whom.SUPERVISOR, PERSONAL),
    ),
    page_every=PAGE_EVERY,
)
"""The duty officer at once, the supervisor after a quarter of an hour and every one from then.

Each by every way that is registered and verified.
"""


def step(doubted_at: datetime, number: int) -> Step:
    """The ``number``-th alarm of a doubt; they have no end, and people end the doubt."""
    return ladder.step(LADDER, Climb.ACKNOWLEDGE, doubted_at, number)


def following(at: Step, now: datetime) -> int:
    """The number of the alarm to plan next: pages that nobody was there to send are passed over."""
    missed = (now - at.due_at) // PAGE_EVERY if at.at_top else 0
    return at.number + 1 + max(missed, 0)


def missing(vouches: int) -> int:
    """How many more people must vouch."""
    return max(VOUCHERS - vouches, 0)


def is_late(doubted_at: datetime, now: datetime) -> bool:
    """Whether nobody has settled it before our supervisor had to be alerted."""
    return now - doubted_at >= PAGE_EVERY
