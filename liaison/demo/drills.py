"""The demo's drills: those of the year before the story, some of them by night, one answered late.

They are the memoranda's own, two a year; only their hours are chosen here, so that the story is
the same each time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import select

from liaison.demo.stage import Stage
from liaison.domain.drills import Slot, anniversary
from liaison.domain.vocabulary import CallOutcome
from liaison.models import Drill, Memorandum, Order, Provider


@dataclass(frozen=True)
class _Drill:
    """``days`` before the story (after it where negative), at this time UTC; Yerevan is 4 h ahead.

    ``answered`` and ``kept`` in minutes.
    """

    provider: str
    number: int
    days: int
    at: time
    answered: int = 0
    kept: int = 0


_PAST = (
    _Drill("Sevan Hosting", 1, 330, time(14, 45), 1, 2),
    _Drill("Norvik Mobile", 1, 300, time(1, 20), 31, 140),
    _Drill("Meridian Telecom", 1, 250, time(23, 10), 9, 52),
    _Drill("Harbour Cable", 1, 230, time(20, 30), 22, 95),
    _Drill("Harbour Cable", 2, 150, time(6, 5), 18, 80),
    _Drill("Sevan Hosting", 2, 130, time(22, 15), 1, 2),
    _Drill("Meridian Telecom", 2, 110, time(22, 40), 95, 170),
    _Drill("Norvik Mobile", 2, 95, time(11, 5), 12, 47),
)
_NAMES = ("Meridian Telecom", "Norvik Mobile", "Harbour Cable", "Sevan Hosting")
_TO_COME = tuple(
    _Drill(name, number, -days - 9 * place, time(23 if number == 1 else 12, 20 + place))
    for place, name in enumerate(_NAMES)
    for number, days in ((1, 60), (2, 250))
)


def play(stage: Stage, now: datetime) -> None:
    """Plans them all when the memoranda come into force, and plays those that lie behind."""
    _planned(stage, now)
    for drill in _PAST:
        at = _moment(drill, now)
        stage.until(at)
        ref = _ref(stage, drill)
        if drill.answered > 60:
            _nobody_answers(stage, at, ref)
        stage.acknowledge(at + timedelta(minutes=drill.answered), ref)
        stage.preserve(at + timedelta(minutes=drill.kept), ref, 1)


def _nobody_answers(stage: Stage, at: datetime, ref: str) -> None:
    for minutes, who, outcome in (
        (6, "Karen Hovsepyan", CallOutcome.NO_ANSWER),
        (21, "Lilit Sargsyan", CallOutcome.VOICEMAIL),
        (84, "Network operations centre", CallOutcome.REACHED),
    ):
        stage.call(at + timedelta(minutes=minutes), ref, who, outcome, "")


def _planned(stage: Stage, now: datetime) -> None:
    with stage.work.database.transaction() as session:
        found = session.execute(select(Memorandum, Provider).join(Memorandum.provider))
        known = {provider.name: memorandum for memorandum, provider in found}
        for year, drills in enumerate((_PAST, _TO_COME)):
            for drill in drills:
                memorandum = known[drill.provider]
                begun = anniversary(memorandum.in_force_from, year)
                at = _moment(drill, now)
                slot = Slot(drill.number, at)
                name = f"{memorandum.authority_id}:{memorandum.provider_id}:{begun.year}"
                session.add(
                    Drill(
                        memorandum_id=memorandum.id,
                        slot=f"{name}:{slot.number}",
                        urgency=slot.urgency,
                        announced=slot.announced,
                        planned_at=at,
                        planned_by="Liaison",
                    )
                )


def _moment(drill: _Drill, now: datetime) -> datetime:
    return datetime.combine((now - timedelta(days=drill.days)).date(), drill.at, UTC)


def _ref(stage: Stage, drill: _Drill) -> str:
    query = (
        select(Order.ref)
        .join(Provider, Provider.id == Order.provider_id)
        .where(Provider.name == drill.provider, Order.test.is_(True))
        .order_by(Order.issued_at.desc())
        .limit(1)
    )
    with stage.work.database.reading() as session:
        ref = session.scalar(query)
    assert ref is not None, "the drill has begun"
    return ref
