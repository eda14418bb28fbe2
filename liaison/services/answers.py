"""What a provider does to an order: acknowledge, preserve, decline; and the thread of both."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.answer import Preservation, Refusal, Resolved, check_refusal, resolve
from liaison.domain.ladder import Climb, Whom
from liaison.domain.lifecycle import Action, OrderState
from liaison.domain.reading import (
    LONGEST_MESSAGE,
    LONGEST_NOTE,
    LONGEST_REFERENCE,
    check_texts,
)
from liaison.domain.vocabulary import Outcome
from liaison.errors import FieldError, Invalid
from liaison.models import Order, Report, ReportedTarget, ThreadMessage
from liaison.models.work import TimerKind, Wanted
from liaison.queries import orders, registry
from liaison.queries.views import report_view
from liaison.services import drill_orders, endings, escalation, ledger, outbox, timers
from liaison.services.guards import order_for

SAID = {
    "acknowledged": "acknowledged",
    "preserved": "preserved",
    "preserved_shorter": "preserved, for less time than asked",
    "nothing_held": "nothing held",
    "declined": "declined",
    "question": "a question",
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
) -> Order:
    """Confirms receipt: the ladder stops, the clock to preserve is armed."""
    order, state = order_for(session, actor, name, Action.ACKNOWLEDGE, version)
    check_texts(("/reference", reference, LONGEST_REFERENCE), ("/note", note, LONGEST_NOTE))
    order.provider_reference = reference or order.provider_reference
    told = {"reference": reference, "note": note}
    entries = settle_acknowledgement(session, order, state, actor, now, told)
    _tell_contact_point(session, order, "acknowledged", "acknowledged", now)
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
    escalation.arm(session, order, Climb.PRESERVE)
    return ledger.act(order, "order.acknowledged", actor, {k: v for k, v in told.items() if v})


def _resume_ladder(order: Order) -> None:
    # Whoever closed the first climb took over until the provider answered. It has: the clock to
    # preserve is another one, and must be able to call again.
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
    longest = escalation.terms_of(order).longest_days
    settled = resolve(answer, [t.id for t in order.targets], longest, now)
    report = _report(order, actor, answer, settled, now)
    order.reports.append(report)
    order.state, order.preserved_until = state, settled.until
    order.acknowledged_at = order.acknowledged_at or now
    order.provider_reference = answer.reference or order.provider_reference
    flag_modified(order, "preserved_until")  # the version moves, even where the date stays
    session.flush()
    escalation.stop(session, order, now)
    _plan_expiry(session, order, report, now)
    drill_orders.settle(session, order, now)
    what = _what_was_kept(order, report, now)
    _tell_contact_point(session, order, f"report:{report.id}", what, now)
    type_ = "order.preserved" if action is Action.PRESERVE else "order.preservation_amended"
    ledger.record(session, now, *ledger.act(order, type_, actor, report_view(report)))
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


def _plan_expiry(session: Session, order: Order, report: Report, now: datetime) -> None:
    timers.cancel(session, order, TimerKind.EXPIRY, now)
    if report.until is not None:
        timers.plan(session, order, TimerKind.EXPIRY, str(report.id), report.until, {})


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
    _tell_contact_point(session, order, "declined", "declined", now)
    ledger.record(session, now, *ledger.act(order, "order.declined", actor, order.refusal))
    return order


def ask(session: Session, actor: Actor, name: str, text: str, now: datetime) -> ThreadMessage:
    """The provider writes: a question that the contact point owes an answer to."""
    order, _ = order_for(session, actor, name, Action.ASK)
    message = _write(session, order, actor, text, now)
    order.question_open_since = order.question_open_since or now
    _tell_contact_point(session, order, f"question:{message.id}", "question", now)
    _record_message(session, order, actor, message, now)
    return message


def answer(
    session: Session,
    actor: Actor,
    name: str,
    text: str,
    now: datetime,
    version: int | None = None,
) -> ThreadMessage:
    """The contact point writes: the questions it has read are answered by it.

    ``version`` is the one it has read: a question that came meanwhile is not answered unseen.
    """
    order, _ = order_for(session, actor, name, Action.ANSWER, version)
    message = _write(session, order, actor, text, now)
    order.question_open_since = None
    notice = outbox.Notice("answer", Wanted.ALWAYS, f"message:{message.id}", {})
    for spoc in registry.addressees(session, order, Whom.ON_DUTY, now):
        outbox.queue(session, order, spoc, notice, now)
    _record_message(session, order, actor, message, now)
    return message


def _write(session: Session, order: Order, actor: Actor, text: str, now: datetime) -> ThreadMessage:
    if not text.strip():
        raise Invalid([FieldError("/text", "Write something first.")])
    check_texts(("/text", text, LONGEST_MESSAGE))
    message = ThreadMessage(
        order_id=order.id, at=now, side=actor.side, author=actor.name, text=text
    )
    order.thread.append(message)
    flag_modified(order, "question_open_since")  # whoever reads the order again sees a new version
    session.flush()
    return message


def _record_message(
    session: Session, order: Order, actor: Actor, message: ThreadMessage, now: datetime
) -> None:
    told = {"id": str(message.id), "at": rfc3339(now), "side": message.side, "text": message.text}
    ledger.record(session, now, *ledger.act(order, "order.message", actor, told))


def _tell_contact_point(session: Session, order: Order, key: str, what: str, now: datetime) -> None:
    letter = "question" if what == "question" else "order_answered"
    notice = outbox.Notice(letter, Wanted.ALWAYS, key, {"answer": what, "said": SAID[what]})
    for contact in registry.addressees(session, order, Whom.DUTY_OFFICER, now):
        outbox.queue(session, order, contact, notice, now)
