"""The contact point asks for a later date; the provider confirms one."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from liaison.clock import rfc3339
from liaison.domain.actors import Actor
from liaison.domain.extension import Wish, refusals, resolve
from liaison.domain.ladder import Whom
from liaison.domain.lifecycle import Action
from liaison.domain.reading import LONGEST_NOTE, LONGEST_REASON, LONGEST_REFERENCE, check_texts
from liaison.errors import Invalid, InvalidTransition, OutsideTerms
from liaison.models import Extension, Order
from liaison.models.work import Wanted
from liaison.queries import registry
from liaison.queries.extension_limits import confirmed, limits, open_wish
from liaison.services import keeping, keeping_letters, ledger, outbox
from liaison.services.guards import order_for


def ask(
    session: Session,
    actor: Actor,
    name: str,
    wish: Wish,
    now: datetime,
    *,
    reason: str | None = None,
    version: int | None = None,
) -> Order:
    """Asks the provider to keep the data longer; one wish at a time waits for it.

    ``OutsideTerms`` names the term or the law that stands in the way, and what to do instead.
    """
    order, _ = order_for(session, actor, name, Action.ASK_EXTENSION, version)
    check_texts(("/reason", reason, LONGEST_REASON))
    current = askable(order)
    until = _settled(session, order, wish, current)
    reason = reason.strip() or None if reason else None
    asked = Extension(
        order_id=order.id, asked_at=now, asked_by=actor.name, until=until, reason=reason
    )
    order.extensions.append(asked)
    order.extension_asked_at = now
    session.flush()
    params = {"due": rfc3339(until)}
    notice = outbox.Notice("extension_asked", Wanted.WHILE_KEPT, f"extension:{asked.id}", params)
    for spoc in registry.addressees(session, order, Whom.ON_DUTY, now):
        outbox.queue(session, order, spoc, notice, now)
    told = {"until": rfc3339(until), "preserved_until": rfc3339(current), "reason": reason}
    ledger.record(session, now, *ledger.act(order, "order.extension_requested", actor, told))
    return order


def confirm(
    session: Session,
    actor: Actor,
    name: str,
    wish: Wish,
    now: datetime,
    *,
    reference: str | None = None,
    note: str | None = None,
    version: int | None = None,
) -> Order:
    """The provider gives the new date: earlier than asked, and marked so, or later.

    Within the limits that held for asking. Nothing can be extended that nobody asked for: the
    report can be amended.
    """
    order, _ = order_for(session, actor, name, Action.EXTEND, version)
    check_texts(("/reference", reference, LONGEST_REFERENCE), ("/note", note, LONGEST_NOTE))
    current, asked = confirmable(order)
    until = _settled(session, order, wish, current)
    asked.confirmed_at, asked.confirmed_by, asked.confirmed_until = now, actor.name, until
    order.preserved_until, order.extension_asked_at = until, None
    order.provider_reference = reference or order.provider_reference
    keeping.plan(session, order, now)
    # Two who differ in seconds mean the same day.
    shorter = until.date() < asked.until.date()
    keeping_letters.tell_contact_point(
        session,
        order,
        outbox.Notice(
            "order_extended",
            Wanted.ALWAYS,
            f"extended:{asked.id}",
            {"due": rfc3339(until), "shorter": shorter},
        ),
        now,
    )
    told = {
        "until": rfc3339(until),
        "asked_until": rfc3339(asked.until),
        "shorter": shorter,
        "preserved_until": rfc3339(current),
        "reference": reference,
        "note": note,
    }
    ledger.record(session, now, *ledger.act(order, "order.extended", actor, told))
    return order


def askable(order: Order) -> datetime:
    """The promised date, where it can be asked to be moved; else the refusal."""
    current = _extendable(order)
    if (waiting := open_wish(order)) is not None:
        raise InvalidTransition(
            f"An extension until {rfc3339(waiting.until)} was asked for at "
            f"{rfc3339(waiting.asked_at)} and waits for {order.provider.name}. Nothing was done."
        )
    return current


def confirmable(order: Order) -> tuple[datetime, Extension]:
    """The promised date and the wish that waits; else the refusal."""
    current, asked = _extendable(order), open_wish(order)
    if asked is None:
        raise InvalidTransition(
            "No extension is asked for. Nothing was done. To give another date, amend the "
            "preservation report."
        )
    return current, asked


def drop(order: Order, now: datetime) -> None:
    """A wish that still waits is asked no longer."""
    if (waiting := open_wish(order)) is not None:
        waiting.dropped_at = now
    order.extension_asked_at = None


def drop_if_met(order: Order, now: datetime) -> None:
    """A report that was amended may give the date that was asked for, or hold nothing any more."""
    waiting, until = open_wish(order), order.preserved_until
    if waiting is not None and (until is None or until >= waiting.until):
        drop(order, now)


def _extendable(order: Order) -> datetime:
    """The promised date; a refusal where there is none to move."""
    if order.test:
        raise InvalidTransition("This is a drill: no data are kept, nothing can be extended.")
    if order.mla_recorded_at is not None:
        raise InvalidTransition(
            "An MLA request or production order is recorded: the data are kept until it is "
            "decided, and no date has to be extended."
        )
    if order.preserved_until is None:
        raise InvalidTransition("Nothing is held under this order: nothing can be extended.")
    return order.preserved_until


def _settled(session: Session, order: Order, wish: Wish, current: datetime) -> datetime:
    until, faults = resolve(wish, current)
    if until is None:
        raise Invalid(faults)
    found = refusals(wish, until, current, len(confirmed(order)), limits(session, order))
    if found:
        raise OutsideTerms(found, "The data cannot be kept longer this way. Nothing was done.")
    flag_modified(order, "preserved_until")  # the version moves, whatever else changes
    return until
