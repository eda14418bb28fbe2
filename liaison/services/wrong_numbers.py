"""A registered number that is the wrong one: no ladder uses it until it is verified anew.

It is no longer verified, so every rung passes it over; the register's own way verifies it again,
or somebody enters the right one. Both sides are told at once: whoever can say so can keep a
provider's telephone from ringing. Calls that wait for it on other orders go to the next one, as
calls that are opened from now on do.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from liaison.domain.actors import CLOCK, Actor
from liaison.domain.vocabulary import CallOutcome, Role
from liaison.models import CallTask, Order, Person
from liaison.models.work import CallState
from liaison.queries import registry
from liaison.services import (
    call_tasks,
    contact_letters,
    contact_scope,
    contacts,
    ledger,
    portal_log,
    reasons,
)


def lock(session: Session, order_id: UUID, task_id: UUID) -> frozenset[UUID]:
    """Locks every order with a call that a wrong number may change, and the one it is told on.

    In the order of their ids, before anything else is held: two who log a wrong number at one
    moment do not wait for each other. Gives back the ids.
    """
    told = select(CallTask.contact_id).where(CallTask.id == task_id, CallTask.order_id == order_id)
    waiting = select(CallTask.order_id).where(
        CallTask.contact_id.in_(told), CallTask.state == CallState.OPEN
    )
    found = session.scalars(
        select(Order.id)
        .where(or_(Order.id == order_id, Order.id.in_(waiting)))
        .order_by(Order.id)
        .with_for_update(of=Order)
    )
    return frozenset(found)


def found(
    session: Session,
    actor: Actor,
    order: Order,
    task: CallTask,
    now: datetime,
    locked: frozenset[UUID],
) -> list[ledger.Record]:
    """A caller was told that the number is not the contact's; gives back what the logs must say.

    Nothing where the entry has another number by now: that one was not called. Callers hold the
    orders that ``lock`` gave back. The call of an order that has come in since stays: the list
    says that its number is wrong.
    """
    contact = task.contact
    contact_scope.lock(session, contact)
    if contact.phone != task.phone or contact.wrong_number_at is not None:
        return []
    contact.wrong_number_at, contact.phone_verified_at = now, None
    session.flush()
    keep_register = Person.authority_id == order.authority_id
    contact_letters.tell(
        session,
        contact,
        "contact_wrong_number",
        {"by": order.authority.name, "at": now.isoformat()},
        f"wrong_number:{task.id}",
        now,
        also=contact_letters.people(session, keep_register, (Role.ADMINISTRATOR,)),
    )
    told = {
        "contact": str(contact.id),
        "name": contact.name,
        "organisation": contacts.organisation_of(contact),
        **portal_log.by(actor),
    }
    entry = ledger.Record(ledger.PORTAL, "portal.contact_wrong_number", actor.id, told)
    return [entry, *_call_instead(session, task, now, locked)]


def _call_instead(
    session: Session, told: CallTask, now: datetime, locked: frozenset[UUID]
) -> list[ledger.Record]:
    """The other open calls to that number go to the next who has one.

    Where a person or a question holds the order, and where nobody else has a number, the call
    stays: the list says that the number is wrong, and a person decides.
    """
    waiting = select(CallTask).where(
        CallTask.contact_id == told.contact_id,
        CallTask.phone == told.phone,
        CallTask.state == CallState.OPEN,
        CallTask.id != told.id,
        CallTask.order_id.in_(locked),
    )
    entries = []
    for task in session.scalars(waiting.order_by(CallTask.id)).all():
        order = task.order
        instead = registry.called_instead(session, order, task.contact, now)
        if not instead or _is_held(order, task, now):
            continue
        task.state = CallState.CANCELLED
        why = task.why.removeprefix(call_tasks.DRILL)
        key = f"wrong:{task.id}"
        call_tasks.open_task(session, order, task.contact, why, key, task.wanted, now)
        names = ", ".join(contact.name for contact in instead)
        data = {"contact": names, "after": CallOutcome.WRONG_NUMBER}
        entries.append(ledger.own(order, "order.call_reopened", CLOCK, data))
    return entries


def _is_held(order: Order, task: CallTask, now: datetime) -> bool:
    stopped = order.clock_stopped_at is not None and task.wanted in reasons.HELD_BY_A_PAUSE
    awaited = reasons.is_awaited(task.wanted, order)
    return stopped or not awaited or reasons.is_held(task.wanted, order, now)
