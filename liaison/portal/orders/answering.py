"""What a provider's SPOC does: acknowledge, confirm preservation, decline, ask."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue

from liaison import web
from liaison.domain.answer import Preservation, Refusal, TargetAnswer
from liaison.domain.lifecycle import Action
from liaison.domain.terms import terms_from_json
from liaison.domain.vocabulary import Ground, Outcome
from liaison.errors import FieldError, Invalid
from liaison.models import Order
from liaison.portal import limits
from liaison.portal.orders import moments
from liaison.portal.orders.answer_forms import (
    EVERYTHING,
    NOTHING,
    PART,
    AcknowledgeForm,
    DeclineForm,
    PreserveForm,
    QuestionForm,
)
from liaison.portal.orders.blueprint import bp, open_to, page, posted, seen_order, send
from liaison.portal.orders.draft_data import number
from liaison.portal.orders.page import found_of
from liaison.services import answers


@bp.route("/<ref>/acknowledge", methods=["GET", "POST"])
def acknowledge(ref: str) -> ResponseReturnValue:
    """Receipt: the order's page posts here with nothing typed; this page takes a note."""
    order = seen_order(ref)
    form = AcknowledgeForm()
    if not posted():
        open_to(order, Action.ACKNOWLEDGE)
        form.version.data = str(order.version)
        return page("acknowledge", order, form)

    def act() -> None:
        answers.acknowledge(
            web.db(),
            web.actor(),
            ref,
            web.now(),
            reference=_text(form.reference.data),
            note=_text(form.note.data),
            version=form.seen,
        )

    return send("acknowledge", order, form, act, Action.ACKNOWLEDGE)


@bp.route("/<ref>/preserve", methods=["GET", "POST"])
def preserve(ref: str) -> ResponseReturnValue:
    """For how long, and what was found; a second time amends the report."""
    order = seen_order(ref)
    more: dict[str, Any] = {
        "longest": terms_from_json(order.terms).longest_days if order.terms else "",
        "targets_by_id": {str(target.id): target for target in order.targets},
    }
    if not posted():
        open_to(order, Action.PRESERVE, Action.AMEND)
        return page("preserve", order, PreserveForm(data=_known(order)), **more)
    number_of = len(order.targets)
    limits.rows("/targets", number_of, f"The order has {number_of} targets. Open the page again.")
    form = PreserveForm()

    def act() -> None:
        answer = _report(form, order)
        answers.preserve(web.db(), web.actor(), ref, answer, web.now(), version=form.seen)

    return send("preserve", order, form, act, Action.PRESERVE, Action.AMEND, **more)


def _known(order: Order) -> dict[str, object]:
    """The form as it opens: what the order asks for, or the report that is amended."""
    report = order.report
    outcomes = {Outcome.PRESERVED: EVERYTHING, Outcome.NOTHING_HELD: NOTHING}
    return {
        "version": str(order.version),
        "days": str(order.duration_days),
        "found": outcomes.get(report.outcome, PART) if report else EVERYTHING,
        "reference": order.provider_reference,
        "sha256": report and report.sha256,
        "risk": report and report.risk,
        "note": report and report.note,
        "targets": [
            {
                "id": str(target.id),
                "outcome": (found.outcome if found else Outcome.PRESERVED).value,
                "note": found and found.note,
            }
            for target in order.targets
            for found in [found_of(order, target)]
        ],
    }


def _report(form: PreserveForm, order: Order) -> Preservation:
    faults: list[FieldError] = []
    found = form.found.data
    if found not in (EVERYTHING, PART, NOTHING):
        faults.append(FieldError("/found", "Say what was found."))
    days = number(form.days.data or "")
    if isinstance(days, str):
        days = 0  # no number of days: the verb says which are possible
    preserved_at = _moment("/preserved_at", form.preserved_at.data, faults)
    targets: tuple[TargetAnswer, ...] = ()
    if found == PART:
        targets = _each(form, faults)
    elif found == NOTHING:
        targets = tuple(TargetAnswer(t.id, Outcome.NOTHING_HELD) for t in order.targets)
    if faults:
        raise Invalid(faults)
    return Preservation(
        days=None if found == NOTHING else days,
        targets=targets,
        preserved_at=preserved_at,
        reference=_text(form.reference.data),
        sha256=_text(form.sha256.data),
        risk=_text(form.risk.data),
        note=_text(form.note.data),
    )


def _each(form: PreserveForm, faults: list[FieldError]) -> tuple[TargetAnswer, ...]:
    given = []
    for index, entry in enumerate(form.targets):
        row = entry.form
        at = f"/targets/{index}"
        outcome = row.outcome.data if row.outcome.data in set(Outcome) else None
        if outcome is None:
            faults.append(FieldError(f"{at}/outcome", "Say what was found."))
            continue
        until = _moment(f"{at}/until", row.until.data, faults)
        try:
            given.append(
                TargetAnswer(UUID(row.id.data), Outcome(outcome), until, _text(row.note.data))
            )
        except (ValueError, TypeError):
            faults.append(FieldError(at, "This target is not of the order. Open the page again."))
    if not faults and all(t.outcome is Outcome.PRESERVED and not t.until for t in given):
        faults.append(
            FieldError(
                "/found",
                "Every target below still says preserved. Say which are not, or for which the "
                "date differs; or choose “Everything in the order”.",
            )
        )
    return tuple(given)


def _moment(pointer: str, text: str | None, faults: list[FieldError]) -> datetime | None:
    if not text or not text.strip():
        return None
    try:
        # The first and last hours of the calendar have no UTC.
        return datetime.fromisoformat(moments.to_rfc3339(text, "UTC")).astimezone(UTC)
    except (ValueError, OverflowError):
        faults.append(FieldError(pointer, moments.HOW))
        return None


@bp.route("/<ref>/decline", methods=["GET", "POST"])
def decline(ref: str) -> ResponseReturnValue:
    """Grounds of the closed list, an explanation, and whether the data are kept meanwhile."""
    order = seen_order(ref)
    form = DeclineForm()
    if not posted():
        open_to(order, Action.DECLINE)
        form.version.data = str(order.version)
        return page("decline", order, form)

    def act() -> None:
        refusal = _refusal(form)
        answers.decline(web.db(), web.actor(), ref, refusal, web.now(), version=form.seen)

    return send("decline", order, form, act, Action.DECLINE)


def _refusal(form: DeclineForm) -> Refusal:
    """The refusal; every missing answer is named at once."""
    faults = []
    grounds = [g for g in form.grounds.data or [] if g in set(Ground)]
    explanation = form.explanation.data or ""
    meanwhile = form.preserved_meanwhile.data
    if not grounds:
        faults.append(FieldError("/grounds", "Choose at least one ground."))
    if not explanation.strip():
        faults.append(FieldError("/explanation", "Explain the ground in a sentence."))
    if meanwhile not in ("yes", "no"):
        detail = "Say whether the data are being preserved meanwhile."
        faults.append(FieldError("/preserved_meanwhile", detail))
    if faults:
        raise Invalid(faults)
    return Refusal(tuple(Ground(g) for g in grounds), explanation, meanwhile == "yes")


@bp.route("/<ref>/question", methods=["GET", "POST"])
def question(ref: str) -> ResponseReturnValue:
    """A question to the contact point; the clocks go on."""
    order = seen_order(ref)
    form = QuestionForm()
    if not posted():
        open_to(order, Action.ASK)
        return page("message", order, form, asks=True)

    def ask() -> None:
        answers.ask(web.db(), web.actor(), ref, form.text.data or "", web.now())

    return send("message", order, form, ask, Action.ASK, asks=True)


def _text(text: str | None) -> str | None:
    return text.strip() or None if text else None
