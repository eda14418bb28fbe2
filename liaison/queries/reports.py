"""A provider's reports on an order, read: what stands now, and what each changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, selectinload

from liaison.domain.answer_changes import Changes, Found, Said, changes
from liaison.domain.vocabulary import Outcome
from liaison.models import Order, OrderTarget, Report, ReportedTarget


@dataclass(frozen=True)
class Past:
    """One report of the history; ``changes`` is None for the first."""

    report: Report
    changes: Changes | None


@dataclass(frozen=True)
class Summary:
    """How many targets came out how, in the latest report."""

    counts: Mapping[Outcome, int]
    own_dates: int
    """Targets whose date is another than the report's."""

    @property
    def said(self) -> str:
        """``212 preserved, 20 partly preserved, 8 nothing held``."""
        return counted(self.counts)


def counted(counts: Mapping[Outcome, int]) -> str:
    """Numbers of targets by outcome, in words; what nobody has is left out."""
    return ", ".join(f"{counts[o]} {o.label.lower()}" for o in Outcome if counts.get(o))


def load(session: Session, order: Order) -> None:
    """Reads all reports of an order with their targets, in two reads however many there are."""
    session.scalars(
        select(Report).where(Report.order_id == order.id).options(selectinload(Report.targets))
    ).all()


def found_in(report: Report | None) -> dict[UUID, ReportedTarget]:
    """What a report says of each target, by the target's id."""
    return {t.target_id: t for t in report.targets} if report is not None else {}


def said(report: Report, targets: Iterable[OrderTarget]) -> Said:
    """A report as it is compared, its targets in the order's order."""
    found = found_in(report)
    return Said(
        until=report.until,
        preserved_at=report.preserved_at,
        reference=report.reference,
        sha256=report.sha256,
        risk=report.risk,
        note=report.note,
        targets={
            t.id: Found(found[t.id].outcome, found[t.id].until, found[t.id].note)
            for t in targets
            if t.id in found
        },
    )


def history(order: Order) -> list[Past]:
    """Every report, the newest first, each with what it changed."""
    past: list[Past] = []
    before: Said | None = None
    for report in order.reports:
        now = said(report, order.targets)
        past.append(Past(report, changes(before, now) if before is not None else None))
        before = now
    return past[::-1]


def summary(report: Report) -> Summary:
    """The latest report in numbers."""
    counts = dict.fromkeys(Outcome, 0)
    own = 0
    for target in report.targets:
        counts[target.outcome] += 1
        own += target.until is not None and target.until != report.until
    return Summary(counts, own)


def standing(order: Order) -> frozenset[datetime]:
    """The dates that are promised now: an amendment may repeat them."""
    report = order.report
    if report is None:
        return frozenset()
    dates = {order.preserved_until, report.until, *(t.until for t in report.targets)}
    return frozenset(date for date in dates if date is not None)


def with_risk(session: Session, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Of these orders those whose latest report names a risk (Budapest Convention art. 29(6))."""
    return _latest(session, ids, Report.risk.is_not(None))


def partly(session: Session, ids: Iterable[UUID]) -> frozenset[UUID]:
    """Of these orders those whose latest report keeps only a part."""
    return _latest(session, ids, Report.outcome == Outcome.PARTIAL)


def _latest(session: Session, ids: Iterable[UUID], wanted: ColumnElement[bool]) -> frozenset[UUID]:
    ranked = (
        select(
            Report.order_id,
            wanted.label("wanted"),
            func.row_number()
            .over(
                partition_by=Report.order_id,
                order_by=(Report.reported_at.desc(), Report.id.desc()),
            )
            .label("place"),
        )
        .where(Report.order_id.in_(list(ids)))
        .subquery()
    )
    found = session.scalars(select(ranked.c.order_id).where(ranked.c.place == 1, ranked.c.wanted))
    return frozenset(found)
