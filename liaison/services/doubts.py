"""A provider doubts that an order is real; people of the contact point vouch, or withdraw it.

Neither touches the provider's clocks or its ladder, and a doubt is no acknowledgement. While it
is open the data are kept provisionally: that costs nobody anything, and a real order stays good.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from liaison.clock import rfc3339
from liaison.domain import doubt as rule
from liaison.domain.actors import CLOCK, Actor
from liaison.domain.ladder import Whom
from liaison.domain.lifecycle import Action
from liaison.domain.reading import LONGEST_NOTE, LONGEST_REASON, check_texts
from liaison.errors import FieldError, Forbidden, Invalid, InvalidTransition
from liaison.models import Doubt, Order, Person, Vouch
from liaison.models.work import Wanted
from liaison.queries import doubting, registry
from liaison.services import doubt_alarms, issuance, ledger, outbox, writers
from liaison.services.guards import order_for

TWICE = "You have vouched for this order already: a second person must. Nothing was changed."


def raise_(
    session: Session, actor: Actor, name: str, reason: str, version: int | None, now: datetime
) -> Order:
    """The provider says that it doubts the order; the contact point is alarmed at once.

    One doubt at a time. The data are kept provisionally until two people have vouched or the
    order is withdrawn.
    """
    order, _ = order_for(session, actor, name, Action.DOUBT, version)
    check_texts(("/reason", reason, LONGEST_REASON))
    if not reason.strip():
        raise Invalid([FieldError("/reason", "Say what makes you doubt the order.")])
    if order.doubt_open_since is not None:
        raise InvalidTransition(
            "This order is doubted already and the contact point is being called. Nothing was "
            "changed. Write to the contact point if you know more."
        )
    doubt = Doubt(order_id=order.id, at=now, raised_by=actor.name, reason=reason.strip())
    order.doubts.append(doubt)
    order.doubt_open_since = now
    session.flush()
    doubt_alarms.begin(session, order, doubt, now)
    told = {"id": str(doubt.id), "reason": doubt.reason, "kept_provisionally": True}
    ledger.record(session, now, *ledger.act(order, "order.doubted", actor, told))
    return order


def vouch(
    session: Session,
    actor: Actor,
    name: str,
    note: str | None,
    version: int | None,
    now: datetime,
) -> Order:
    """One person of the contact point vouches; the second ends the doubt and the provider is told.

    Needs a second factor given within the last five minutes (a passkey where the authority issues
    with one only). Whoever wrote any part of the order, or is in charge of it, may not: a hijacked
    account would vouch for its own work. Whoever authorised or ratified it may. The vouch of
    somebody who was let go since counts no more.
    """
    order, _ = order_for(session, actor, name, Action.VOUCH, version)
    doubt = doubting.doubt_of(session, order)
    if order.doubt_open_since is None or doubt is None:
        raise InvalidTransition("Nobody doubts this order now. Nothing was changed.")
    demand_other(session, order, actor)
    issuance.demand_factor(session, order, actor, now)
    note = (note or "").strip() or None
    check_texts(("/note", note, LONGEST_NOTE))
    gone = _drop(session, doubt, doubting.void(session, doubt.vouches))
    if any(vouch.person_id == actor.person_id for vouch in doubt.vouches):
        raise InvalidTransition(TWICE)
    assert actor.person_id is not None
    doubt.vouches.append(Vouch(person_id=actor.person_id, name=actor.name, at=now, note=note))
    flag_modified(order, "doubt_open_since")  # the version moves with the first vouch, too
    session.flush()
    number = len(doubt.vouches)
    if not rule.missing(number):
        _settle(session, order, doubt, now)
    told: dict[str, Any] = {"id": str(doubt.id), "vouches": number, "needed": rule.VOUCHERS}
    entries = ledger.act(order, "order.vouched", actor, told | ({"note": note} if note else {}))
    voided = _voided(order, doubt, actor, gone, before=len(gone) + number - 1)
    ledger.record(session, now, *voided, *entries)
    return order


def demand_other(session: Session, order: Order, actor: Actor) -> None:
    """Refuses whoever wrote, submitted or issued the order: they would vouch for themselves.

    Whoever authorised or ratified it may vouch: they are its second pair of eyes. Leaving them out
    would take a fourth person.
    """
    writers.demand_another(session, order, actor, "vouch for")
    if actor.person_id in (order.officer_id, order.submitted_by_id):
        raise Forbidden(
            "You are the person in charge of this order, so you cannot vouch for it. "
            f"{writers.WHO_CAN}. Nothing was changed."
        )


def _settle(session: Session, order: Order, doubt: Doubt, now: datetime) -> None:
    """Two have vouched: nothing climbs any more, and whoever answers for the provider is told."""
    doubt.vouched_at, order.doubt_open_since = now, None
    session.flush()
    doubt_alarms.stop(session, order, now)
    notice = outbox.Notice("order_vouched", Wanted.ALWAYS, f"vouched:{doubt.id}", {})
    for spoc in registry.addressees(session, order, Whom.ON_DUTY, now):
        outbox.queue(session, order, spoc, notice, now)


def void_of(session: Session, person: Person, actor: Actor, now: datetime) -> list[str]:
    """Whoever is let go vouches for nothing any more; the names of the orders it counted for.

    A doubt that two have ended stays ended: the orders a person touched are looked at by another.
    """
    touched = (
        select(Order)
        .join(Doubt, Doubt.order_id == Order.id)
        .join(Vouch, Vouch.doubt_id == Doubt.id)
        .where(Vouch.person_id == person.id, Doubt.vouched_at.is_(None), Doubt.ended_at.is_(None))
        .order_by(Order.id)
    )
    found = session.scalars(
        touched.with_for_update(of=Order).execution_options(populate_existing=True)
    ).all()
    entries, names = [], []
    for order in found:
        doubt = doubting.doubt_of(session, order)
        theirs = [v for v in doubt.vouches if v.person_id == person.id] if doubt else []
        if doubt is None or not theirs:
            continue
        before = len(doubt.vouches)
        _drop(session, doubt, theirs)
        flag_modified(order, "doubt_open_since")
        entries += _voided(order, doubt, actor, theirs, before=before)
        names.append(order.name)
    ledger.record(session, now, *entries)
    return names


def _drop(session: Session, doubt: Doubt, vouches: list[Vouch]) -> list[Vouch]:
    """Takes vouches away; that they were given, and by whom, stands in the ledger."""
    for vouch in vouches:
        session.delete(vouch)
    session.flush()
    session.expire(doubt, ["vouches"])
    return vouches


def _voided(
    order: Order, doubt: Doubt, actor: Actor, vouches: list[Vouch], *, before: int
) -> list[ledger.Record]:
    """Whose vouch counts no more is our own matter; that one fewer counts the provider reads too.

    ``before``: how many there were. Nobody of the provider learns who was let go, or by whom.
    """
    entries = []
    for number, vouch in enumerate(vouches, start=1):
        told = {"id": str(doubt.id), "person": vouch.name, "vouched_at": rfc3339(vouch.at)}
        entries.append(ledger.own(order, "order.vouch_voided", actor, told))
        left: dict[str, Any] = {"id": str(doubt.id), "vouches": before - number}
        left |= {"needed": rule.VOUCHERS, "voided": True}
        entries += ledger.act(order, "order.vouched", CLOCK, left)
    return entries
