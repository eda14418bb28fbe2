"""What a provider does to an order: acknowledge, preserve, decline."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from liaison.domain.actors import Actor
from liaison.domain.answer import Preservation, Refusal, Resolved, check_refusal, resolve
from liaison.domain.answer_changes import changes
from liaison.domain.ladder import Climb, Whom
from liaison.domain.lifecycle import Action, OrderState
from liaison.domain.reading import (
    LONGEST_NOTE,
    LONGEST_REFERENCE,
    check_texts,
)
from liaison.domain.vocabulary import Outcome
from liaison.errors import FieldError, Invalid
from liaison.models import Order, Report, ReportedTarget
from liaison.models.work import Wanted
from liaison.queries import orders, registry, reports
from liaison.queries.views import report_view
from liaison.services import (
    drill_orders,
    endings,
    escalation,
    extensions,
    keeping,
    ledger,
    order_keys,
    outbox,
    pauses,
)
from liaison.services.guards import order_for
from liaison.services.thread import answer as answer
from liaison.services.thread import ask as ask

MOST_REPORTS = 100
"""Reports of one order, the amended ones and the one that stands; this portal's own number."""

SAID = {
    "acknowledged": "acknowledged",
    "preserved": "preserved",
    "preserved_shorter": "preserved, for less time than asked",
    "nothing_held": "nothing held",
    "amended": "amended its report",
    "amended_shorter": "amended its report: less is kept, or for less time",
    "amended_nothing": "amended its report: nothing held",
    "declined": "declined",
}
"""How a letter to the contact point names an answer."""


def acknowledge(
    session: Session,
    actor: Actor,
    name: str,
    now: datetime,
    *,
    reference: str | None = None,
    note: str | None = None,
    version: int | None = None,
    how: Mapping[str, str] | None = None,
) -> Order:
    """Confirms receipt: the ladder stops, the clock to preserve is armed.

    ``how`` it came, for the ledger, where it was neither by the portal nor by a program.
    """
    order, state = order_for(session, actor, name, Action.ACKNOWLEDGE, version)
    check_texts(("/reference", reference, LONGEST_REFERENCE), ("/note", note, LONGEST_NOTE))
    order.provider_reference = reference or order.provider_reference
    told = {"reference": reference, "note": note, **(how or {})}
    entries = settle_acknowledgement(session, order, state, actor, now, told)
    _tell_contact_point(session, order, "acknowledged", "acknowledged", now)
    order_keys.write(session, order)
    ledger.record(session, now, *entries)
    return order


def settle_acknowledgement(
    session: Session,
    order: Order,
    state: OrderState,
    actor: Actor,
    now: datetime,
    told: Mapping[str, Any],
) -> list[ledger.Record]:
    """The acknowledgement itself, however it came; gives back what the ledger must say of it."""
    order.state, order.acknowledged_at = state, now
    _resume_ladder(order)
    escalation.stop(session, order, now)
    pauses.note_acknowledged(order, now)
    escalation.arm(session, order, Climb.PRESERVE)
    pauses.hold(session, order)
    keeping.plan(session, order, now)
    return ledger.act(order, "order.acknowledged", actor, {k: v for k, v in told.items() if v})


def _resume_ladder(order: Order) -> None:
    # Whoever closed the first climb took over until the provider answered. It has: the clock to
    # preserve is another one, and must be able to call again. A pause ends with ``stop``.
    order.ladder_closed_at, order.ladder_closed_reason = None, None


def preserve(
    session: Session,
    actor: Actor,
    name: str,
    answer: Preservation,
    now: datetime,
    *,
    version: int | None = None,
) -> Order:
    """Confirms preservation and says until when; a second time amends the report.

    Acknowledges too, where that was not done before.
    """
    seen = orders.find(session, actor, name, lock=True)
    action = Action.AMEND if seen.state is OrderState.PRESERVED else Action.PRESERVE
    order, state = order_for(session, actor, name, action, version)
    _check_report_texts(answer)
    if len(order.reports) >= MOST_REPORTS:
        detail = f"This order has {MOST_REPORTS} reports: it takes no more. Call the contact point."
        raise Invalid([FieldError("", detail)])
    longest = escalation.terms_of(order).longest_days
    ids = [t.id for t in order.targets]
    settled = resolve(answer, ids, longest, now, standing=reports.standing(order))
    report = _report(order, actor, answer, settled, now)
    before, promised = order.report, order.preserved_until
    order.reports.append(report)
    order.state, order.preserved_until = state, settled.until
    order.acknowledged_at = order.acknowledged_at or now
    order.provider_reference = answer.reference or order.provider_reference
    pauses.settle(order, now)
    flag_modified(order, "preserved_until")  # the version moves, even where the date stays
    order_keys.write(session, order)
    escalation.stop(session, order, now)
    extensions.drop_if_met(order, now)
    keeping.plan(session, order, now)
    drill_orders.settle(session, order, now)
    if before is None:
        what, type_, told = _what_was_kept(order, report, now), "order.preserved", {}
    else:
        shorter = _is_shorter(order, before, report, promised)
        what, type_, told = _amended(report, shorter), "order.preservation_amended", shorter
    _tell_contact_point(session, order, f"report:{report.id}", what, now, risk=bool(report.risk))
    ledger.record(session, now, *ledger.act(order, type_, actor, report_view(report) | told))
    return order


def _check_report_texts(answer: Preservation) -> None:
    check_texts(
        ("/reference", answer.reference, LONGEST_REFERENCE),
        ("/note", answer.note, LONGEST_NOTE),
        ("/risk", answer.risk, LONGEST_NOTE),
        *((f"/targets/{n}/note", t.note, LONGEST_NOTE) for n, t in enumerate(answer.targets)),
    )


def _report(
    order: Order, actor: Actor, answer: Preservation, settled: Resolved, now: datetime
) -> Report:
    return Report(
        order_id=order.id,
        reported_at=now,
        reported_by=actor.name,
        outcome=settled.outcome,
        preserved_at=settled.preserved_at,
        until=settled.until,
        reference=answer.reference,
        sha256=answer.sha256.lower() if answer.sha256 else None,
        risk=answer.risk,
        note=answer.note,
        targets=[
            ReportedTarget(target_id=t.target_id, outcome=t.outcome, until=t.until, note=t.note)
            for t in settled.targets
        ],
    )


def _what_was_kept(order: Order, report: Report, now: datetime) -> str:
    """For the letter: an officer must not take a short promise for the one that was asked."""
    if report.outcome is Outcome.NOTHING_HELD:
        return "nothing_held"
    asked = now + timedelta(days=order.duration_days)
    shorter = report.until is not None and report.until < asked - timedelta(days=1)
    return "preserved_shorter" if shorter else "preserved"


def _is_shorter(
    order: Order, before: Report, after: Report, promised: datetime | None
) -> dict[str, bool]:
    """``shorter`` for the entry: whether the amendment takes back what was promised.

    What was promised may be later than the last report says: an extension moves the date too.
    """
    took_back = promised is not None and (after.until is None or after.until < promised)
    found = changes(reports.said(before, order.targets), reports.said(after, order.targets))
    return {"shorter": took_back or found.shorter}


def _amended(report: Report, shorter: Mapping[str, bool]) -> str:
    if report.outcome is Outcome.NOTHING_HELD:
        return "amended_nothing"
    return "amended_shorter" if shorter["shorter"] else "amended"


def decline(
    session: Session,
    actor: Actor,
    name: str,
    refusal: Refusal,
    now: datetime,
    *,
    version: int | None = None,
) -> Order:
    """Declines an order on grounds of the closed list; "send an MLA request" is none of them."""
    order, state = order_for(session, actor, name, Action.DECLINE, version)
    check_refusal(refusal)
    check_texts(("/explanation", refusal.explanation, LONGEST_NOTE))
    order.state = state
    order.refusal = {
        "grounds": [ground.value for ground in refusal.grounds],
        "explanation": refusal.explanation,
        "preserved_meanwhile": refusal.preserved_meanwhile,
    }
    endings.end(session, order, now)
    drill_orders.settle(session, order, now)
    kept = refusal.preserved_meanwhile
    _tell_contact_point(session, order, "declined", "declined", now, kept_meanwhile=kept)
    ledger.record(session, now, *ledger.act(order, "order.declined", actor, order.refusal))
    return order


def _tell_contact_point(
    session: Session, order: Order, key: str, what: str, now: datetime, **more: bool
) -> None:
    letter = "question" if what == "question" else "order_answered"
    said = SAID[what] + (", with a risk (art. 29(6))" if more.get("risk") else "")
    params = {"answer": what, "said": said, **more}
    notice = outbox.Notice(letter, Wanted.ALWAYS, key, params)
    for contact in registry.addressees(session, order, Whom.DUTY_OFFICER, now):
        outbox.queue(session, order, contact, notice, now)
