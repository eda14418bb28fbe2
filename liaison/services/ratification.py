"""After an emergency was issued at once: another person ratifies it, or the supervisor is paged."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import CLOCK, Actor
from liaison.domain.ladder import Step, Whom
from liaison.domain.lifecycle import Action
from liaison.domain.vocabulary import PERSONAL, Channel
from liaison.errors import InvalidTransition
from liaison.models import Order, Timer
from liaison.models.work import TimerKind, Wanted
from liaison.queries import four_eyes, registry
from liaison.services import call_tasks, issuance, ledger, outbox, timers, writers
from liaison.services.guards import order_for

PAGE_EVERY = timedelta(hours=1)
"""How often the supervisor is paged while an emergency stays unratified after its time."""


def begin(session: Session, order: Order, now: datetime) -> None:
    """An emergency was issued at once: its term's time runs, supervisor and duty officer know."""
    assert order.ratify_by is not None
    timers.plan(session, order, TimerKind.RATIFICATION, "0", order.ratify_by, {"page": 0})
    notice = outbox.Notice(
        "ratify_wanted",
        Wanted.ALWAYS,  # whoever issued a forged one could withdraw it before anybody hears
        "ratify",
        {"due": order.ratify_by.isoformat()},
    )
    for whom in (Whom.SUPERVISOR, Whom.DUTY_OFFICER):
        for contact in registry.addressees(session, order, whom, now):
            outbox.queue(session, order, contact, notice, now)


def tell_withdrawn(session: Session, order: Order, now: datetime) -> None:
    """One person issued it and it was withdrawn before a second stood behind it: ours are told."""
    notice = outbox.Notice("unratified_withdrawn", Wanted.ALWAYS, "unratified", {})
    for contact in registry.addressees(session, order, Whom.SUPERVISOR, now) or registry.addressees(
        session, order, Whom.DUTY_OFFICER, now
    ):
        outbox.queue(session, order, contact, notice, now)


def forget(session: Session, order: Order, now: datetime) -> None:
    """Takes back all that only an unratified order needs: timer, notices, calls."""
    timers.cancel(session, order, TimerKind.RATIFICATION, now)
    outbox.cancel(session, order, Wanted.UNTIL_RATIFIED)
    call_tasks.cancel(session, order, Wanted.UNTIL_RATIFIED)


def ratify(session: Session, actor: Actor, name: str, version: int | None, now: datetime) -> Order:
    """Another person than any who wrote it stands behind an emergency that was issued at once.

    Needs a fresh second factor as for issuing. It is possible however far the order has come and
    however late; what was withdrawn needs nobody any more.
    """
    order, _ = order_for(session, actor, name, Action.RATIFY, version)
    if order.ratified_at is not None:
        by = order.ratified_by.name if order.ratified_by else "Somebody"
        raise InvalidTransition(f"{by} has ratified this order already. Nothing was changed.")
    if order.ratify_by is None:
        raise InvalidTransition(
            "This order needs no ratification: two people stood behind it when it was issued."
        )
    writers.demand_another(session, order, actor, "ratify")
    issuance.demand_factor(session, order, actor, now)
    late = order.ratify_by < now
    order.ratified_at, order.ratified_by_id = now, actor.person_id
    session.flush()
    forget(session, order, now)
    told = {"ratify_by": rfc3339(order.ratify_by), "late": late}
    ledger.record(session, now, *ledger.act(order, "order.ratified", actor, told))
    return order


def overdue(session: Session, timer: Timer, order: Order, now: datetime) -> None:
    """Nobody has ratified it in time: both sides see it, the supervisor is paged until one does.

    Said once in the ledger. Where no supervisor is reached the duty officer is.
    """
    if not four_eyes.awaits_ratification(order):
        return
    assert order.ratify_by is not None
    page = int(timer.payload["page"])
    called = _page(session, order, page, now)
    # A worker that stood still pages once, not once for every hour it missed.
    coming = page + 1 + max((now - _due(order, page)) // PAGE_EVERY, 0)
    at = _due(order, coming)
    timers.plan(session, order, TimerKind.RATIFICATION, str(coming), at, {"page": coming})
    if page == 0:
        told = {"ratify_by": rfc3339(order.ratify_by)}
        ledger.record(session, now, *ledger.act(order, "order.ratification_overdue", CLOCK, told))
    else:
        told_us = {"called": [one.contact.name for one in called], "page": page}
        ledger.record(session, now, ledger.own(order, "order.ratification_paged", CLOCK, told_us))


def _due(order: Order, page: int) -> datetime:
    assert order.ratify_by is not None
    return order.ratify_by + page * PAGE_EVERY


def _page(session: Session, order: Order, page: int, now: datetime) -> list[registry.Reached]:
    assert order.ratify_by is not None
    step = Step(page, None, page, now, Whom.SUPERVISOR, PERSONAL, None)
    called = registry.reached(session, order, step, now)
    key, due = f"ratify:{page}", order.ratify_by.isoformat()
    notice = outbox.Notice("ratification_overdue", Wanted.UNTIL_RATIFIED, key, {"due": due})
    for one in called:
        for way in outbox.SENT_BY_US:
            if way in one.channels:
                outbox.queue(session, order, one.contact, notice, now, way)
        if Channel.CALL in one.channels:
            why = "The emergency was issued at once and nobody has ratified it in time."
            wanted = Wanted.UNTIL_RATIFIED
            call_tasks.open_task(session, order, one.contact, why, key, wanted, now)
    return called
