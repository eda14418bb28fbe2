"""A provider's answer to an order: what is kept, until when, or why not.

The rules are the same for a form and a program; faults name their place by JSON pointer.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from liaison.domain.vocabulary import Ground, Outcome
from liaison.errors import FieldError, Invalid

SKEW = timedelta(minutes=5)
"""How far a provider's clock may be ahead of ours."""

LONGEST_AGO = timedelta(days=5 * 366)
"""Data may have been kept for an earlier order already, but not before anybody asked."""

SHORTEST = timedelta(days=1)
"""The unit of preservation is the day (Budapest Convention art. 16(2))."""


@dataclass(frozen=True)
class TargetAnswer:
    """What was found for one target. ``until`` None means the date given for the whole order."""

    target_id: UUID
    outcome: Outcome
    until: datetime | None = None
    note: str | None = None


@dataclass(frozen=True)
class Preservation:
    """A preservation report: ``days`` from now or ``until``, one of the two.

    No ``targets`` means that everything in the order is kept. Neither date is needed where
    nothing is held at all.
    """

    days: int | None = None
    until: datetime | None = None
    targets: tuple[TargetAnswer, ...] = ()
    preserved_at: datetime | None = None
    reference: str | None = None
    sha256: str | None = None
    risk: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Refusal:
    """Why an order is declined; ``preserved_meanwhile`` says whether the data are kept anyway."""

    grounds: tuple[Ground, ...]
    explanation: str
    preserved_meanwhile: bool


@dataclass(frozen=True)
class Resolved:
    """A report in which every target has its outcome and date."""

    outcome: Outcome
    until: datetime | None
    preserved_at: datetime
    targets: tuple[TargetAnswer, ...]


def resolve(
    answer: Preservation,
    targets: Sequence[UUID],
    longest_days: int,
    now: datetime,
    *,
    standing: Collection[datetime] = (),
) -> Resolved:
    """The report with nothing left open; ``Invalid`` names every fault.

    ``standing`` are dates that were promised before: an amendment that leaves one alone may
    repeat it, though it is near by now, or further than one answer may go (an extension).
    """
    faults: list[FieldError] = []
    until = _until(answer, longest_days, now, standing, faults)
    given = answer.targets or tuple(TargetAnswer(t, Outcome.PRESERVED) for t in targets)
    faults += _target_faults(given, targets, answer, longest_days, now, standing)
    preserved_at = answer.preserved_at or now
    if preserved_at > now + SKEW:
        faults.append(
            FieldError("/preserved_at", "This lies in the future. Enter when it was kept.")
        )
    elif preserved_at < now - LONGEST_AGO:
        faults.append(FieldError("/preserved_at", "This is years ago. Enter when it was kept."))
    if answer.sha256 is not None and not re.fullmatch(r"[0-9a-fA-F]{64}", answer.sha256):
        faults.append(FieldError("/sha256", "A SHA-256 has 64 hexadecimal digits."))
    if faults:
        raise Invalid(faults)
    settled = tuple(
        TargetAnswer(t.target_id, t.outcome, t.until or until if _kept(t) else None, t.note)
        for t in given
    )
    dates = [t.until for t in settled if t.until is not None]
    return Resolved(_whole(settled), max(dates, default=None), preserved_at, settled)


def check_refusal(refusal: Refusal) -> None:
    """``Invalid`` unless a ground and an explanation are given."""
    faults = []
    if not refusal.grounds:
        faults.append(FieldError("/grounds", "Choose at least one ground."))
    if not refusal.explanation.strip():
        faults.append(FieldError("/explanation", "Explain the ground in a sentence."))
    if faults:
        raise Invalid(faults)


def _kept(target: TargetAnswer) -> bool:
    return target.outcome is not Outcome.NOTHING_HELD


def _whole(targets: Sequence[TargetAnswer]) -> Outcome:
    outcomes = {t.outcome for t in targets}
    return outcomes.pop() if len(outcomes) == 1 else Outcome.PARTIAL


def _until(
    answer: Preservation,
    longest_days: int,
    now: datetime,
    standing: Collection[datetime],
    faults: list[FieldError],
) -> datetime | None:
    nothing = bool(answer.targets) and not any(_kept(t) for t in answer.targets)
    if answer.days is not None and answer.until is not None:
        faults.append(FieldError("/until", "Give days or until, not both."))
        return None
    if answer.days is not None:
        if not 1 <= answer.days <= longest_days:
            faults.append(
                FieldError(
                    "/days",
                    "Enter how many days the data will be kept, "
                    f"between 1 and {longest_days} (the memorandum's longest).",
                )
            )
            return None
        return now + timedelta(days=answer.days)
    if answer.until is not None:
        if answer.until not in standing:
            faults += _date_faults("/until", answer.until, longest_days, now)
        return answer.until
    if not nothing and not (answer.targets and all(t.until for t in answer.targets if _kept(t))):
        faults.append(FieldError("/days", "Say for how long the data are kept: days or until."))
    return None


def _date_faults(
    pointer: str, until: datetime, longest_days: int, now: datetime
) -> list[FieldError]:
    if until <= now:
        return [FieldError(pointer, "This date has passed. Enter until when the data are kept.")]
    if until < now + SHORTEST:
        return [FieldError(pointer, "This is less than a day. Enter until when the data are kept.")]
    # A day's grace: whoever counts in their own time zone may end up on the day after.
    if until > now + timedelta(days=longest_days + 1):
        detail = f"The memorandum's longest duration is {longest_days} days. Enter an earlier date."
        return [FieldError(pointer, detail)]
    return []


def _target_faults(
    given: Sequence[TargetAnswer],
    targets: Sequence[UUID],
    answer: Preservation,
    longest_days: int,
    now: datetime,
    standing: Collection[datetime],
) -> list[FieldError]:
    faults = []
    known, seen = set(targets), set()
    for index, target in enumerate(given):
        if target.target_id not in known:
            detail = "The order has no such target. Use the ids of its targets."
            faults.append(FieldError(f"/targets/{index}/id", detail))
        elif target.target_id in seen:
            faults.append(FieldError(f"/targets/{index}/id", "This target is answered twice."))
        seen.add(target.target_id)
        if target.until is not None and _kept(target) and target.until not in standing:
            faults += _date_faults(f"/targets/{index}/until", target.until, longest_days, now)
    missing = [str(t) for t in targets if t not in seen]
    if answer.targets and missing:
        detail = (
            f"{len(missing)} of {len(targets)} targets have no answer, the first is {missing[0]}. "
            "Answer each target once, or leave the list out where everything is kept."
        )
        faults.append(FieldError("/targets", detail))
    return faults
