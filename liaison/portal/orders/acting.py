"""What the contact point does to an order it has issued: write, withdraw, call, take over."""

from __future__ import annotations

from uuid import UUID

from flask.typing import ResponseReturnValue
from sqlalchemy import select

from liaison import web
from liaison.domain.lifecycle import Action
from liaison.domain.vocabulary import CallOutcome
from liaison.errors import Invalid, NotFound
from liaison.models import CallTask, Order
from liaison.portal.orders.answer_forms import CallForm, ReasonForm, TextForm
from liaison.portal.orders.blueprint import (
    allowed_to,
    bp,
    needed,
    order_to,
    page,
    posted,
    to_order,
)
from liaison.services import answers, calls, escalation
from liaison.services import orders as verbs


@bp.route("/<ref>/message", methods=["GET", "POST"])
def message(ref: str) -> ResponseReturnValue:
    """A message to the provider; it answers what was asked."""
    order = order_to(ref, Action.ANSWER)
    form = TextForm()
    if not posted():
        return page("message", order, form, asks=False)
    try:
        answers.answer(web.db(), web.actor(), ref, form.text.data or "", web.now())
    except Invalid as error:
        web.db().rollback()
        return page("message", order, form, error, asks=False)
    web.commit()
    return to_order(order)


@bp.route("/<ref>/withdraw", methods=["GET", "POST"])
def withdraw(ref: str) -> ResponseReturnValue:
    """Takes the order back; the provider reads why. A draft is discarded without a word."""
    order = order_to(ref, Action.WITHDRAW)
    form = ReasonForm()
    if not posted():
        form.version.data = str(order.version)
        return page("withdraw", order, form)
    try:
        order = verbs.withdraw(
            web.db(), web.actor(), ref, form.reason.data or "", web.now(), form.seen
        )
    except Invalid as error:
        web.db().rollback()
        return page("withdraw", order, form, error)
    web.commit()
    return to_order(order)


@bp.route("/<ref>/close-escalation", methods=["GET", "POST"])
def close_escalation(ref: str) -> ResponseReturnValue:
    """A person takes over from the ladder and says why."""
    order = order_to(ref, Action.CLOSE_LADDER)
    form = ReasonForm()
    if not posted():
        return page("close_escalation", order, form)
    try:
        order = escalation.close(web.db(), web.actor(), ref, form.reason.data or "", web.now())
    except Invalid as error:
        web.db().rollback()
        return page("close_escalation", order, form, error)
    web.commit()
    return to_order(order)


@bp.route("/<ref>/calls/<uuid:task_id>", methods=["GET", "POST"])
def call(ref: str, task_id: UUID) -> ResponseReturnValue:
    """What came of a phone call, to the registered number only."""
    order = order_to(ref, Action.LOG_CALL)
    task = _task(order, task_id)
    can_acknowledge = Action.ACKNOWLEDGE_BY_PHONE in allowed_to(order)
    form = CallForm()
    if not posted():
        return page("call", order, form, task=task, can_acknowledge=can_acknowledge)
    try:
        _log(ref, task_id, form)
    except Invalid as error:
        web.db().rollback()
        return page("call", order, form, error, task=task, can_acknowledge=can_acknowledge)
    web.commit()
    return to_order(order)


def _task(order: Order, task_id: UUID) -> CallTask:
    found = web.db().scalars(
        select(CallTask).where(CallTask.id == task_id, CallTask.order_id == order.id)
    )
    task = found.one_or_none()
    if task is None:
        raise NotFound
    return task


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
    )
