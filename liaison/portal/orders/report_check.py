"""What a report says in numbers, before it is sent; and whether it is what was looked at."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from liaison.domain.answer import Preservation, Resolved, resolve
from liaison.domain.answer_changes import Changes, Found, Said, changes
from liaison.domain.vocabulary import Outcome
from liaison.models import Order
from liaison.portal.orders.report_table import Applied
from liaison.queries import reports

AT_ONCE = 10
"""Targets that one look at the form takes in; of more the report is shown in numbers first."""


@dataclass(frozen=True)
class Check:
    """A report that is about to be sent."""

    digest: str
    said: str
    """``212 preserved, 20 partly preserved, 8 nothing held``."""
    until: datetime | None
    own_dates: int
    risk: bool
    table: Applied | None
    """What was read from lines; None where the table was filled by hand."""
    changes: Changes | None
    """Against the last report; None where this is the first."""


def digest(answer: Preservation) -> str:
    """Fingerprint of what the form says."""
    return hashlib.sha256(repr(answer).encode("utf-8", "replace")).hexdigest()[:32]


def check(
    order: Order,
    answer: Preservation,
    fingerprint: str,
    table: Applied | None,
    longest_days: int,
    now: datetime,
) -> Check:
    """The report in numbers; ``Invalid`` where it could not be sent anyway."""
    ids = [target.id for target in order.targets]
    settled = resolve(answer, ids, longest_days, now, standing=reports.standing(order))
    last = order.report
    return Check(
        digest=fingerprint,
        said=reports.counted(Counter(t.outcome for t in settled.targets)),
        until=settled.until,
        own_dates=sum(t.until not in (None, settled.until) for t in settled.targets),
        risk=answer.risk is not None,
        table=table,
        changes=changes(reports.said(last, order.targets), _said(answer, settled))
        if last
        else None,
    )


def _said(answer: Preservation, settled: Resolved) -> Said:
    return Said(
        until=settled.until,
        preserved_at=settled.preserved_at,
        reference=answer.reference,
        sha256=answer.sha256.lower() if answer.sha256 else None,
        risk=answer.risk,
        note=answer.note,
        targets={t.target_id: Found(t.outcome, t.until, t.note) for t in settled.targets},
    )


def says(order: Order, answer: Preservation) -> bool:
    """Whether the latest report says what this answer says. Days count from another moment."""
    report = order.report
    if report is None:
        return False
    theirs = {t.target_id: (t.outcome, t.note) for t in report.targets}
    ours = {t.target_id: (t.outcome, t.note) for t in answer.targets} or dict.fromkeys(
        theirs, (Outcome.PRESERVED, None)
    )
    beside = (report.reference, report.sha256, report.risk, report.note)
    said = (answer.reference, answer.sha256 and answer.sha256.lower(), answer.risk, answer.note)
    return ours == theirs and beside == said
