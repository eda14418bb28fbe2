"""Four eyes: whoever wrote an order submits it, and another person authorises or returns it.

An emergency may be issued at once (``orders.issue``); then another person ratifies it afterwards
(``services/ratification.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.ladder import Whom
from liaison.domain.lifecycle import Action
from liaison.domain.reading import LONGEST_REASON, check_texts
from liaison.domain.vocabulary import Role, Urgency
from liaison.errors import FieldError, Invalid
from liaison.models import Order, Person
from liaison.models.work import Wanted
from liaison.queries import four_eyes, registry
from liaison.services import issuance, ledger, outbox, writers
from liaison.services.guards import order_for


def submit(
    session: Session,
    actor: Actor,
    name: str,
    version: int | None,
    now: datetime,
    *,
    written_by: Sequence[str] = (),
) -> Order:
    """Hands a draft to another person, who authorises it or returns it with a note.

    Whoever submits is in charge of the order, and one of its writers. A program never is in charge:
    of what it submits the person is who authorises it. What the memorandum does not allow, whoever
    authorises, is refused here already.

    ``written_by``: e-mail addresses of people who wrote it in a case system; they are its writers.
    """
    order, state = order_for(session, actor, name, Action.SUBMIT, version)
    writers.demand_own_draft(order, actor)
    if Role.CASE_SYSTEM not in actor.roles:
        issuance.put_in_charge(session, order, actor)
    issuance.demand_terms(session, order, actor, now)
    writers.note_writer(session, order, actor.writer_id, now)
    named = writers.name_writers(session, order, written_by, now)
    order.state = state
    order.submitted_at, order.submitted_by_id = now, actor.person_id
    order.returned_note = None
    session.flush()
    notice = outbox.Notice(
        "order_submitted", Wanted.UNTIL_AUTHORISED, f"submitted:{rfc3339(now)}", {"by": actor.name}
    )
    for whom in (Whom.DUTY_OFFICER, Whom.SUPERVISOR):
        for contact in registry.addressees(session, order, whom, now):
            outbox.queue(session, order, contact, notice, now)
    told = {"written_by": named} if named else {}
    ledger.record(session, now, ledger.own(order, "order.submitted", actor, told))
    return order


def authorise(
    session: Session, actor: Actor, name: str, version: int | None, now: datetime
) -> Order:
    """Another person than any who wrote it stands behind an order: it is served in this act.

    Needs a fresh second factor and a memorandum that allows the order and this person as issuer;
    its terms and ladders are copied onto it.
    """
    order, _ = order_for(session, actor, name, Action.AUTHORISE, version)
    writers.demand_another(session, order, actor, "authorise")
    if order.officer is None:
        issuance.put_in_charge(session, order, actor)
    issuance.demand_factor(session, order, actor, now)
    ruling = issuance.within_terms(session, order, actor, now)
    order.authorised_by_id = actor.person_id
    entries = issuance.serve(session, order, ruling, actor, now)
    outbox.cancel(session, order, Wanted.UNTIL_AUTHORISED)
    _tell_writer(session, order, actor, "order_authorised", now)
    ledger.record(session, now, *entries, ledger.own(order, "order.authorised", actor, {}))
    return order


def return_(
    session: Session, actor: Actor, name: str, note: str, version: int | None, now: datetime
) -> Order:
    """Sends a submitted order back to be changed, with a note that says what is wrong.

    A writer takes their own order back without one. What was submitted counts no more.
    """
    order, state = order_for(session, actor, name, Action.RETURN, version)
    check_texts(("/note", note, LONGEST_REASON))
    note = note.strip()
    if not note and not four_eyes.has_written(session, order, actor):
        raise Invalid([FieldError("/note", "Say what must be changed: its writer reads it.")])
    order.state, order.returned_note = state, note or None
    session.flush()
    outbox.cancel(session, order, Wanted.UNTIL_AUTHORISED)
    _tell_writer(session, order, actor, "order_returned", now)
    order.submitted_at, order.submitted_by_id = None, None
    ledger.record(session, now, ledger.own(order, "order.returned", actor, {"note": note}))
    return order


def _tell_writer(session: Session, order: Order, actor: Actor, letter: str, now: datetime) -> None:
    """To their own address: it is their order that moved. Nobody is told of their own act."""
    writer = session.get(Person, order.submitted_by_id) if order.submitted_by_id else None
    if writer is None or writer.id == actor.person_id or writer.disabled_at is not None:
        return
    params = {
        "ref": order.name,
        "urgency": order.urgency.value,
        "provider": order.provider.name,
        "authority": order.authority.name,
        "name": writer.name,
        "by": actor.name,
    }
    key = f"{letter}:{order.id}:{rfc3339(now)}"
    urgent = order.urgency is Urgency.EMERGENCY
    outbox.queue_letter(session, writer.email, letter, params, key, now, urgent=urgent)
