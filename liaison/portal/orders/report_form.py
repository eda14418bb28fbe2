"""Between the form of a preservation report and the report: what it opens with, what it says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from liaison.domain.answer import Preservation, TargetAnswer
from liaison.domain.vocabulary import Outcome
from liaison.errors import FieldError, Invalid
from liaison.models import Order, Report, ReportedTarget
from liaison.portal.orders import moments
from liaison.portal.orders.answer_forms import EVERYTHING, NOTHING, PART, PreserveForm
from liaison.portal.orders.draft_data import number
from liaison.queries.reports import found_in

ALL_PRESERVED = (
    "Every target below still says preserved. Say which are not, or for which the date differs; "
    "or choose “Everything in the order”."
)


def known(order: Order) -> dict[str, Any]:
    """The form as it opens: what the order asks for, or the report that is amended.

    An amendment opens with the date that is promised, not with days: sent as it is, it changes
    nothing.
    """
    report = order.report
    found = found_in(report)
    until = order.preserved_until
    return {
        "version": str(order.version),
        "days": "" if until else str(order.duration_days),
        "until": moments.as_typed(until, 0) if until else "",
        "found": _found(report),
        "listed_as": Outcome.NOTHING_HELD.value,
        "reference": order.provider_reference,
        "preserved_at": moments.as_typed(report.preserved_at, 0) if report else "",
        "sha256": report and report.sha256,
        "risk": report and report.risk,
        "note": report and report.note,
        "targets": [
            {"id": str(target.id), **_row(report, found.get(target.id))} for target in order.targets
        ],
    }


def _found(report: Report | None) -> str:
    if report is None:
        return EVERYTHING
    if report.outcome is Outcome.NOTHING_HELD:
        return NOTHING
    said = any(t.note or t.until != report.until for t in report.targets)
    return EVERYTHING if report.outcome is Outcome.PRESERVED and not said else PART


def _row(report: Report | None, found: ReportedTarget | None) -> dict[str, Any]:
    if report is None or found is None:
        return {"outcome": Outcome.PRESERVED.value}
    return {
        "outcome": found.outcome.value,
        "until": own_date(report, found),
        "note": found.note,
    }


def own_date(report: Report, found: ReportedTarget) -> str:
    """A target's date as it is typed, where it is another than the report's."""
    if found.until is None or found.until == report.until:
        return ""
    return moments.as_typed(found.until, 0)


def read(form: PreserveForm, order: Order) -> Preservation:
    """The report that the form says; ``Invalid`` names every field that says nothing usable."""
    faults: list[FieldError] = []
    found = form.found.data
    if found not in (EVERYTHING, PART, NOTHING):
        faults.append(FieldError("/found", "Say what was found."))
    days, until = _how_long(form, faults)
    preserved_at = moment("/preserved_at", form.preserved_at.data, faults)
    targets: tuple[TargetAnswer, ...] = ()
    if found == PART:
        targets = _each(form, faults)
    elif found == NOTHING:
        targets = tuple(TargetAnswer(t.id, Outcome.NOTHING_HELD) for t in order.targets)
    if faults:
        raise Invalid(faults)
    nothing = found == NOTHING
    return Preservation(
        days=None if nothing else days,
        until=None if nothing else until,
        targets=targets,
        preserved_at=preserved_at,
        reference=text(form.reference.data),
        sha256=text(form.sha256.data),
        risk=text(form.risk.data),
        note=text(form.note.data),
    )


def _how_long(form: PreserveForm, faults: list[FieldError]) -> tuple[int | None, datetime | None]:
    until = moment("/until", form.until.data, faults)
    typed = (form.days.data or "").strip()
    if not typed and form.until.data and form.until.data.strip():
        return None, until
    days = number(typed)
    # No number of days: the verb says which are possible.
    return (0 if isinstance(days, str) or days is None else days), until


def _each(form: PreserveForm, faults: list[FieldError]) -> tuple[TargetAnswer, ...]:
    given = []
    for index, entry in enumerate(form.targets):
        row = entry.form
        at = f"/targets/{index}"
        outcome = row.outcome.data if row.outcome.data in set(Outcome) else None
        if outcome is None:
            faults.append(FieldError(f"{at}/outcome", "Say what was found."))
            continue
        until = moment(f"{at}/until", row.until.data, faults)
        try:
            given.append(
                TargetAnswer(UUID(row.id.data), Outcome(outcome), until, text(row.note.data))
            )
        except (ValueError, TypeError):
            faults.append(FieldError(at, "This target is not of the order. Open the page again."))
    said = any(t.outcome is not Outcome.PRESERVED or t.until or t.note for t in given)
    if not faults and not said:
        faults.append(FieldError("/found", ALL_PRESERVED))
    return tuple(given)


def moment(pointer: str, typed: str | None, faults: list[FieldError]) -> datetime | None:
    """A moment in UTC as it was typed; None where there is none, or it is no moment."""
    if not typed or not typed.strip():
        return None
    try:
        # The first and last hours of the calendar have no UTC.
        return datetime.fromisoformat(moments.to_rfc3339(typed, "UTC")).astimezone(UTC)
    except (ValueError, OverflowError):
        faults.append(FieldError(pointer, moments.HOW))
        return None


def text(typed: str | None) -> str | None:
    """What was typed, or None where that is nothing."""
    return typed.strip() or None if typed else None
