"""What changed between two reports of a provider, target by target: pure comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from liaison.domain.vocabulary import Outcome


@dataclass(frozen=True)
class Found:
    """What a report says of one target."""

    outcome: Outcome
    until: datetime | None
    note: str | None = None


@dataclass(frozen=True)
class Said:
    """A report as far as it is compared. ``until`` is the latest date of all."""

    until: datetime | None
    preserved_at: datetime
    reference: str | None
    sha256: str | None
    risk: str | None
    note: str | None
    targets: Mapping[UUID, Found]


@dataclass(frozen=True)
class TargetChange:
    """One target of which the later report says something else."""

    target_id: UUID
    before: Found | None
    after: Found

    @property
    def worse(self) -> bool:
        """Whether less is kept than was promised before, or for a shorter time."""
        if self.before is None:
            return False
        return _rank(self.after) < _rank(self.before) or _sooner(
            self.after.until, self.before.until
        )


@dataclass(frozen=True)
class Changes:
    """What the later of two reports says otherwise."""

    until: tuple[datetime | None, datetime | None] | None
    """The latest date before and after; None where it stays."""
    texts: tuple[str, ...]
    """Names of the fields beside the targets that differ: reference, sha256, risk, note, …"""
    targets: tuple[TargetChange, ...]

    @property
    def shorter(self) -> bool:
        """Whether anything is kept for less time than was promised, or not at all any more."""
        return (self.until is not None and _sooner(self.until[1], self.until[0])) or any(
            change.worse for change in self.targets
        )

    @property
    def nothing(self) -> bool:
        """Whether the two say the same."""
        return self.until is None and not self.texts and not self.targets


_TEXTS = ("preserved_at", "reference", "sha256", "risk", "note")


def changes(before: Said, after: Said) -> Changes:
    """What changed from one report to the next, targets in the order of the later one."""
    return Changes(
        until=None if before.until == after.until else (before.until, after.until),
        texts=tuple(n for n in _TEXTS if getattr(before, n) != getattr(after, n)),
        targets=tuple(
            TargetChange(id_, before.targets.get(id_), found)
            for id_, found in after.targets.items()
            if before.targets.get(id_) != found
        ),
    )


def _rank(found: Found) -> int:
    return {Outcome.NOTHING_HELD: 0, Outcome.PARTIAL: 1, Outcome.PRESERVED: 2}[found.outcome]


def _sooner(after: datetime | None, before: datetime | None) -> bool:
    return before is not None and (after is None or after < before)
