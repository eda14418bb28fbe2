"""What a first draft between two sides proposes: both change it before they sign.

None of it is law. Times in hours are what contact points and providers usually agree on; 90 days
is what the Budapest Convention allows at first (art. 16(2)).
"""

from __future__ import annotations

from datetime import timedelta

from liaison.domain.ladder import Ladder, Rung, Whom
from liaison.domain.terms import Clocks, Terms, Window
from liaison.domain.vocabulary import Channel, DataCategory, Role, TargetType, Urgency

_MAIL, _CALL = (Channel.EMAIL,), (Channel.EMAIL, Channel.CALL)

CLOCKS = {
    Urgency.EMERGENCY: Clocks(timedelta(hours=1), timedelta(hours=4)),
    Urgency.URGENT: Clocks(timedelta(hours=4), timedelta(hours=24)),
    Urgency.ROUTINE: Clocks(timedelta(hours=24), timedelta(hours=72)),
}

_STEPS = {
    Urgency.EMERGENCY: (0, 15, 30, 45, 60),
    Urgency.URGENT: (0, 60, 120, 180, 240),
    Urgency.ROUTINE: (0, 720, 1200, 1380, 1440),
}
"""Minutes after issue, rung by rung; the last one when the time to acknowledge ends."""

_WHOM = (Whom.ON_DUTY, Whom.EVERY_SPOC, Whom.FALLBACK, Whom.DUTY_OFFICER, Whom.SUPERVISOR)

_PAGES = {Urgency.EMERGENCY: 15, Urgency.URGENT: 60, Urgency.ROUTINE: 240}
"""Minutes between two pages at the top."""

OFFICE_HOURS = (Window((0, 1, 2, 3, 4), "09:00", "18:00"),)
"""In the provider's time zone: when routine orders call people there."""

DAYS_AHEAD = 14
"""How far ahead the first day of a new draft lies: time for both sides to read and sign."""


def ladder(urgency: Urgency) -> Ladder:
    """SPOC, every SPOC, fallback addressee, our duty officer, our supervisor."""
    rungs = tuple(
        Rung(
            after=timedelta(minutes=minutes),
            whom=whom,
            channels=_CALL if urgency is Urgency.EMERGENCY or index > 1 else _MAIL,
        )
        for index, (minutes, whom) in enumerate(zip(_STEPS[urgency], _WHOM, strict=True))
    )
    return Ladder(rungs, timedelta(minutes=_PAGES[urgency]))


def terms(languages: tuple[str, ...]) -> Terms:
    """All terms; ``languages`` are those that the provider reads."""
    return Terms(
        clocks=CLOCKS,
        ladders={urgency: ladder(urgency) for urgency in Urgency},
        answer=timedelta(hours=24),
        clock_stops=False,
        default_days=90,
        longest_days=180,
        extensions=1,
        categories=frozenset(DataCategory),
        target_types=frozenset(TargetType),
        emergency_windows=(),
        languages=languages or ("en",),
        issuers=frozenset({Role.OFFICER, Role.SUPERVISOR}),
        ratification=timedelta(hours=12),
        drills_a_year=2,
        disposal_confirmation=True,
        office_hours=OFFICE_HOURS,
    )
