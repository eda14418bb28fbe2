"""One call to one contact: what to say, what came of it, and who was quicker to log it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from liaison import web
from liaison.domain.lifecycle import Action
from liaison.domain.vocabulary import CallOutcome
from liaison.errors import NotFound, Stale
from liaison.models import CallTask, Order
from liaison.models.work import CallState
from liaison.portal.orders.answer_forms import CallForm
from liaison.portal.orders.blueprint import (
    allowed_to,
    bp,
    needed,
    order_to,
    page,
    posted,
    send,
    to_order,
)
from liaison.portal.orders.words import label
from liaison.portal.register_words import language
from liaison.queries import call_warnings
from liaison.queries.calls import zone_of
from liaison.services import calls


class LoggedMeanwhile(Exception):
    """A colleague has logged the call between the look at it and the form."""


@bp.route("/<ref>/calls/<uuid:task_id>", methods=["GET", "POST"])
def call(ref: str, task_id: UUID) -> ResponseReturnValue:
    """What came of a phone call, to the registered number only."""
    order = order_to(ref, Action.LOG_CALL)
    form, task = CallForm(), _task(order, task_id)
    if task.state is CallState.LOGGED:
        return _logged(order, task, form)
    if not posted():
        return page("call", order, form, **_beside(order, task))

    def act() -> None:
        try:
            _log(ref, task_id, form)
        except Stale as error:
            raise LoggedMeanwhile from error

    try:
        return send("call", order, form, act, Action.LOG_CALL, **_beside(order, task))
    except LoggedMeanwhile:
        web.db().rollback()
        order = order_to(ref, Action.LOG_CALL)
        return _logged(order, _task(order, task_id), form)


def _task(order: Order, task_id: UUID) -> CallTask:
    found = web.db().scalars(
        select(CallTask).where(CallTask.id == task_id, CallTask.order_id == order.id)
    )
    task = found.one_or_none()
    if task is None:
        raise NotFound
    return task


def _beside(order: Order, task: CallTask) -> dict[str, Any]:
    """What the form's page tells beside its form."""
    by_phone = Action.ACKNOWLEDGE_BY_PHONE in allowed_to(order)
    db = web.db()
    return {
        "task": task,
        "can_acknowledge": by_phone and calls.can_acknowledge(order, task),
        "zone": zone_of(task),
        "language": language,
        "wrong": call_warnings.wrong_numbers(db, web.actor(), [task]).get(task.id),
        "doubt": call_warnings.doubts([task], web.now()).get(task.id),
        "hold": call_warnings.holds(db, [task], web.now()).get(task.id),
    }


def _logged(order: Order, task: CallTask, form: CallForm) -> ResponseReturnValue:
    """What was logged; and what somebody else wanted to log, which is not noted."""
    if posted() and _is_the_same(task, form):
        return to_order(order)  # a double click
    outcome = form.outcome.data
    html = render_template(
        "orders/call_logged.html",
        order=order,
        task=task,
        form=form,
        late=posted(),
        typed_outcome=label(CallOutcome, outcome) if outcome in set(CallOutcome) else "",
    )
    return html, 409 if posted() else 200


def _is_the_same(task: CallTask, form: CallForm) -> bool:
    """Whether this person has sent this very form before."""
    texts = (form.note.data or "", (form.answered_by.data or "").strip())
    return (
        task.logged_by == web.actor().name
        and task.outcome == form.outcome.data
        and (task.note or "", task.answered_by or "") == texts
    )


def _log(ref: str, task_id: UUID, form: CallForm) -> None:
    outcome = form.outcome.data
    if outcome not in set(CallOutcome):
        raise needed("/outcome", "Say what came of the call.")
    calls.log(
        web.db(),
        web.actor(),
        ref,
        task_id,
        CallOutcome(outcome),
        form.note.data or "",
        web.now(),
        acknowledged=bool(form.acknowledged.data),
        answered_by=form.answered_by.data or "",
    )
