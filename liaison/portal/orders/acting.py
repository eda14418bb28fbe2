"""What the contact point does to an order it has issued: withdraw, call."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from flask.typing import ResponseReturnValue
from sqlalchemy import select

from liaison import web
from liaison.domain.lifecycle import Action
from liaison.domain.vocabulary import CallOutcome
from liaison.errors import NotFound
from liaison.models import CallTask, Order
from liaison.portal.orders.answer_forms import CallForm, ReasonForm
from liaison.portal.orders.blueprint import (
    allowed_to,
    bp,
    needed,
    open_to,
    order_to,
    page,
    posted,
    seen_order,
    send,
)
from liaison.portal.register_words import language
from liaison.queries.calls import zone_of
from liaison.services import calls
from liaison.services import orders as verbs


@bp.route("/<ref>/withdraw", methods=["GET", "POST"])
def withdraw(ref: str) -> ResponseReturnValue:
    """Takes the order back; the provider reads why. A draft is discarded without a word."""
    return _with_reason("withdraw", ref, Action.WITHDRAW, verbs.withdraw)


def _with_reason(
    template: str, ref: str, action: Action, verb: Callable[..., Order]
) -> ResponseReturnValue:
    order = seen_order(ref)
    form = ReasonForm()
    if not posted():
        open_to(order, action)
        form.version.data = str(order.version)
        return page(template, order, form)

    def act() -> None:
        reason = form.reason.data or ""
        verb(web.db(), web.actor(), ref, reason, web.now(), version=form.seen)

    return send(template, order, form, act, action)


@bp.route("/<ref>/calls/<uuid:task_id>", methods=["GET", "POST"])
def call(ref: str, task_id: UUID) -> ResponseReturnValue:
    """What came of a phone call, to the registered number only."""
    order = order_to(ref, Action.LOG_CALL)
    form = CallForm()
    task = _task(order, task_id)
    by_phone = Action.ACKNOWLEDGE_BY_PHONE in allowed_to(order)
    more: dict[str, Any] = {
        "task": task,
        "can_acknowledge": by_phone and calls.can_acknowledge(order, task),
        "zone": zone_of(task),
        "language": language,
    }
    if not posted():
        return page("call", order, form, **more)
    return send("call", order, form, partial(_log, ref, task_id, form), Action.LOG_CALL, **more)


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
        answered_by=form.answered_by.data or "",
    )
