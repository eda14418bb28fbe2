"""The MLA request or production order that followed: the data stay until it is decided."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from liaison.domain.actors import Actor
from liaison.domain.ladder import Whom
from liaison.domain.lifecycle import Action
from liaison.domain.reading import LONGEST_NOTE, LONGEST_REFERENCE, Faults, check_texts
from liaison.domain.vocabulary import FollowUpKind
from liaison.errors import Invalid, InvalidTransition
from liaison.models import FollowUp, Order
from liaison.models.work import Wanted
from liaison.queries import registry
from liaison.services import call_tasks, extensions, keeping, ledger, outbox
from liaison.services.guards import order_for


def record(
    session: Session,
    actor: Actor,
    name: str,
    kind: FollowUpKind,
    reference: str,
    sent_on: date,
    now: datetime,
    *,
    note: str | None = None,
    version: int | None = None,
) -> Order:
    """Records what followed; several may. From the first on, the order expires no more.

    After an MLA request has arrived the data are kept until it is decided (Budapest Convention
    art. 29(7)): the promised date is suspended, nobody is reminded of it, an extension that was
    asked for is asked no longer. Only a release or a withdrawal ends it.
    """
    order, _ = order_for(session, actor, name, Action.RECORD_MLA, version)
    keepable(order)
    _check(order, reference, sent_on, note, now)
    followed = FollowUp(
        order_id=order.id,
        kind=kind,
        reference=reference.strip(),
        sent_on=sent_on,
        recorded_at=now,
        recorded_by=actor.name,
        note=note.strip() or None if note else None,
    )
    order.follow_ups.append(followed)
    order.mla_recorded_at = order.mla_recorded_at or now
    flag_modified(order, "mla_recorded_at")  # whoever reads the order again sees a new version
    extensions.drop(order, now)
    keeping.plan(session, order, now)
    call_tasks.cancel(session, order, Wanted.WHILE_KEPT)
    params = {"kind": kind.value}
    notice = outbox.Notice("mla_recorded", Wanted.ALWAYS, f"follow_up:{followed.id}", params)
    for spoc in registry.addressees(session, order, Whom.ON_DUTY, now):
        outbox.queue(session, order, spoc, notice, now)
    told = {
        "kind": kind.value,
        "reference": followed.reference,
        "sent_on": sent_on.isoformat(),
        "note": followed.note,
    }
    ledger.record(session, now, *ledger.act(order, "order.mla_recorded", actor, told))
    return order


def _check(order: Order, reference: str, sent_on: date, note: str | None, now: datetime) -> None:
    faults = Faults()
    if not reference.strip():
        faults.add("/reference", "Enter the reference of the request or order that was sent.")
    if sent_on > now.astimezone(ZoneInfo(order.authority.time_zone)).date():
        faults.add("/sent_on", "This day lies ahead. Record it on the day it is sent.")
    if faults.found:
        raise Invalid(faults.found)
    check_texts(("/reference", reference, LONGEST_REFERENCE), ("/note", note, LONGEST_NOTE))


def keepable(order: Order) -> None:
    """Refuses where nothing is held that could be kept until a request is decided."""
    if order.test:
        raise InvalidTransition("This is a drill: no data are kept, nothing follows it.")
    if order.preserved_until is None:
        raise InvalidTransition(
            "Nothing is held under this order: there is nothing to keep until a request is decided."
        )
