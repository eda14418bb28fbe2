"""What a provider has answered, as an order's page shows it: summary, history, links."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import g

from liaison import web
from liaison.domain.answer_changes import TargetChange
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Outcome
from liaison.models import Order, OrderTarget, ReportedTarget
from liaison.queries import follow_ons, reports
from liaison.queries.queue import Row

SHOWN_CHANGES = 50
"""Targets that one amendment's list of changes names; the report itself has them all."""

_WORDS = {
    "preserved_at": "when it was preserved",
    "reference": "the reference",
    "sha256": "the fingerprint",
    "risk": "the risk",
    "note": "the note",
}


@dataclass(frozen=True)
class Choice:
    """A link that shows only targets with one outcome; ``value`` is empty for all."""

    value: str
    label: str
    count: int


@dataclass(frozen=True)
class Answered:
    """What stands in the reports of an order, gathered once for its page."""

    summary: reports.Summary | None
    past: list[reports.Past]
    found: Mapping[UUID, ReportedTarget]
    places: Mapping[UUID, int]
    values: Mapping[UUID, str]
    chosen: str
    choices: list[Choice]
    rows: list[OrderTarget]
    """The targets to be shown: all, or those with the chosen outcome."""
    shorter: bool
    """Whether the last amendment took back what was promised before."""


def answered(order: Order, chosen: str = "") -> Answered:
    """What the provider has reported, once a page; ``chosen`` is an outcome, or empty for all."""
    kept = g.setdefault("answered", {})
    key = (order.id, order.version, chosen)
    if key not in kept:
        kept[key] = _answered(order, chosen)
    found: Answered = kept[key]
    return found


def _answered(order: Order, chosen: str) -> Answered:
    if order.reports:
        reports.load(web.db(), order)
    report = order.report
    summary = reports.summary(report) if report else None
    found = reports.found_in(report)
    wanted = chosen if report and chosen in set(Outcome) else ""
    past = reports.history(order)
    last = past[0].changes if past else None
    return Answered(
        summary=summary,
        past=past,
        found=found,
        places={target.id: place for place, target in enumerate(order.targets, 1)},
        values={target.id: target.value for target in order.targets},
        chosen=wanted,
        choices=_choices(summary, len(order.targets)),
        rows=[t for t in order.targets if not wanted or _is(found.get(t.id), wanted)],
        shorter=last is not None and last.shorter,
    )


def _is(found: ReportedTarget | None, outcome: str) -> bool:
    return found is not None and found.outcome.value == outcome


def _choices(summary: reports.Summary | None, number: int) -> list[Choice]:
    if summary is None:
        return []
    some = [Choice(o.value, o.label, summary.counts[o]) for o in Outcome if summary.counts[o]]
    return [Choice("", "All", number), *some] if len(some) > 1 else []


def changed_words(names: tuple[str, ...]) -> str:
    """The fields beside the targets that an amendment changed, in words."""
    return ", ".join(_WORDS[name] for name in names)


def worse_first(changes: tuple[TargetChange, ...]) -> list[TargetChange]:
    """An amendment's targets, those of which less is kept before the others."""
    return sorted(changes, key=lambda change: not change.worse)[:SHOWN_CHANGES]


def linked(order: Order) -> follow_ons.Linked:
    """The orders it follows, and that follow it; once a page."""
    kept = g.setdefault("linked", {})
    if order.id not in kept:
        kept[order.id] = follow_ons.linked(web.db(), web.actor(), order)
    found: follow_ons.Linked = kept[order.id]
    return found


def found_in(order: Order) -> Mapping[UUID, Any]:
    """What the latest report says of each target, by the target's id."""
    return reports.found_in(order.report)


def risks_of(rows: Iterable[Row]) -> frozenset[UUID]:
    """Of the orders in a page of the queue those with a reported risk, in one read."""
    return reports.with_risk(web.db(), [row.order.id for row in rows])


def partly_of(rows: Iterable[Row]) -> frozenset[UUID]:
    """Of the orders in a page of the queue those that are kept in part only, in one read."""
    kept = [row.order.id for row in rows if row.order.state is OrderState.PRESERVED]
    return reports.partly(web.db(), kept) if kept else frozenset()
