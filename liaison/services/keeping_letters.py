"""Who is told that a date comes near: letters without case data, at the planned minute."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.keeping import LAST_NAG
from liaison.domain.ladder import Whom
from liaison.models import Order, Timer
from liaison.models.work import Wanted
from liaison.queries import registry
from liaison.services import keeping, outbox
from liaison.services.outbox import Notice


def expiry_nears(session: Session, timer: Timer, order: Order, now: datetime) -> None:
    """14, 7 and 2 days before the data may be deleted; nothing where that was moved or settled.

    The officer in charge and the duty officer, at the last also our supervisor and the SPOC.
    """
    until = order.preserved_until
    if until is None or not keeping.is_planned(order, timer) or until <= now:
        return
    planned = int(timer.payload["days"])
    # A worker that stood still tells how long is left now.
    left = max((until - now).days, 1) if now > timer.due_at else planned
    params = {"due": rfc3339(until), "days": left}
    key = f"expiry_nears:{rfc3339(until)}:{planned}"
    ours = Notice("expiry_nears", Wanted.WHILE_KEPT, key, params)
    tell_contact_point(session, order, ours, now, supervisor=planned == LAST_NAG)
    if planned == LAST_NAG:
        theirs = Notice("expiry_nears_provider", Wanted.WHILE_KEPT, key, params)
        for spoc in registry.addressees(session, order, Whom.ON_DUTY, now):
            outbox.queue(session, order, spoc, theirs, now)


def promise(session: Session, timer: Timer, order: Order, now: datetime) -> None:
    """An MLA request was announced for a day, and none is recorded."""
    if not keeping.is_planned(order, timer):
        return
    by, passed = str(timer.payload["by"]), bool(timer.payload["passed"])
    letter = "promise_passed" if passed else "promise_nears"
    day = date.fromisoformat(by).strftime("%d %b %Y")
    notice = Notice(letter, Wanted.WHILE_KEPT, f"{letter}:{by}", {"day": day})
    tell_contact_point(session, order, notice, now)


def disposal(session: Session, timer: Timer, order: Order, now: datetime) -> None:
    """The provider has not confirmed disposal: it is reminded, then the contact point is told."""
    if not keeping.is_planned(order, timer):
        return
    if timer.payload["late"]:
        notice = Notice("disposal_missing", Wanted.UNTIL_DISPOSED, "disposal_missing", {})
        tell_contact_point(session, order, notice, now)
        return
    notice = Notice("disposal_reminder", Wanted.UNTIL_DISPOSED, "disposal_reminder", {})
    for spoc in registry.addressees(session, order, Whom.ON_DUTY, now):
        outbox.queue(session, order, spoc, notice, now)


def tell_contact_point(
    session: Session, order: Order, notice: Notice, now: datetime, *, supervisor: bool = False
) -> None:
    """The duty officer and the officer in charge, at their own address; each once."""
    told = set()
    for whom in (Whom.DUTY_OFFICER, *((Whom.SUPERVISOR,) if supervisor else ())):
        for contact in registry.addressees(session, order, whom, now):
            outbox.queue(session, order, contact, notice, now)
            told.add(contact.email.casefold())
    person = order.officer
    if person is None or person.disabled_at is not None or person.email.casefold() in told:
        return
    params = {
        "ref": order.name,
        "urgency": order.urgency.value,
        "provider": order.provider.name,
        "authority": order.authority.name,
        "name": person.name,
        "test": order.test,
        **notice.params,
    }
    key = f"{order.id}:{notice.key}"
    to, wanted = person.email, notice.wanted
    outbox.queue_letter(session, to, notice.letter, params, key, now, order=order, wanted=wanted)
