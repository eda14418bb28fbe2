"""Phone calls that were made: what came of them, and the acknowledgement by phone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action, OrderState
from liaison.domain.reading import LONGEST_NOTE, LONGEST_REFERENCE, check_texts
from liaison.domain.vocabulary import CallOutcome
from liaison.errors import FieldError, Invalid, NotFound, Stale
from liaison.models import CallTask, Order
from liaison.models.work import CallState
from liaison.queries import orders
from liaison.services import answers, calls_again, ledger, wrong_numbers
from liaison.services.guards import order_for


def log(
    session: Session,
    actor: Actor,
    name: str,
    task_id: UUID,
    outcome: CallOutcome,
    note: str,
    now: datetime,
    *,
    acknowledged: bool = False,
    answered_by: str = "",
) -> CallTask:
    """Logs what came of a call; with ``acknowledged`` the order is acknowledged by phone.

    A call that was taken back meanwhile may have been made: it is logged. It acknowledges where the
    order still waits for that (``can_acknowledge``). One that brought nothing is opened again
    (``calls_again``); a wrong number is marked in the register, and other orders' calls to it go to
    the next one. ``answered_by`` is who answered, as they named themselves.
    """
    locked: frozenset[UUID] = frozenset()
    if outcome is CallOutcome.WRONG_NUMBER:
        locked = wrong_numbers.lock(session, orders.find(session, actor, name).id, task_id)
    order, _ = order_for(session, actor, name, Action.LOG_CALL)
    check_texts(("/note", note, LONGEST_NOTE), ("/answered_by", answered_by, LONGEST_REFERENCE))
    task = session.scalars(
        select(CallTask)
        .where(CallTask.id == task_id, CallTask.order_id == order.id)
        .with_for_update(of=CallTask)
        .execution_options(populate_existing=True)  # the page has read it before the lock
    ).one_or_none()
    if task is None:
        raise NotFound
    if task.state is CallState.LOGGED:
        raise Stale(f"{task.logged_by} has logged this call already. Nothing was changed.")
    if acknowledged:
        _demand_their_word(order, task, outcome)
    was_open = task.state is CallState.OPEN
    task.state, task.outcome, task.note = CallState.LOGGED, outcome, note or None
    task.logged_by, task.logged_at = actor.name, now
    task.answered_by = answered_by.strip() or None
    session.flush()
    entries = []
    if outcome is CallOutcome.WRONG_NUMBER:
        entries = wrong_numbers.found(session, actor, order, task, now, locked)
    if acknowledged:
        order, state = order_for(session, actor, name, Action.ACKNOWLEDGE_BY_PHONE)
        entries = answers.settle_acknowledgement(
            session, order, state, actor, now, {"by_phone": task.contact.name}
        )
    elif was_open:
        calls_again.plan(session, order, task, now)
    data = {
        "contact": task.contact.name,
        "phone": task.phone,
        "outcome": outcome,
        "note": note,
        "answered_by": task.answered_by,
    }
    ledger.record(session, now, *entries, ledger.own(order, "order.call_logged", actor, data))
    return task


def can_acknowledge(order: Order, task: CallTask) -> bool:
    """Whether a call can bring the provider's word: to somebody of that provider, not logged yet.

    One that was taken back counts too while the order waits for it: somebody else may have told
    meanwhile that the number is wrong. A call to a colleague of ours is none.
    """
    theirs = task.contact.provider_id == order.provider_id
    taken_back = task.state is CallState.CANCELLED and order.state is OrderState.ISSUED
    return theirs and (task.state is CallState.OPEN or taken_back)


def _demand_their_word(order: Order, task: CallTask, outcome: CallOutcome) -> None:
    detail = None
    if outcome is not CallOutcome.REACHED:
        detail = "Only somebody who was reached can acknowledge. Change the outcome, or untick it."
    elif not can_acknowledge(order, task):
        detail = (
            f"This call cannot acknowledge the order: only {order.provider.name} can, in a call to "
            "its own contact that is still to be made. Untick it and log the call."
        )
    if detail:
        raise Invalid([FieldError("/acknowledged", detail)])
