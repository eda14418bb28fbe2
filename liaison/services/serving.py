"""What serving an order sets going, and what taking it back stops: for real orders and drills."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.documents.order_json import fingerprint
from liaison.domain.actors import Actor
from liaison.domain.ladder import Climb, Whom
from liaison.domain.lifecycle import OrderState
from liaison.domain.terms import Terms
from liaison.domain.vocabulary import Channel, Urgency
from liaison.models import Authority, DrillCounter, Message, Order, Provider, RefCounter
from liaison.models.base import insert_once
from liaison.models.work import MessageState, TimerKind, Wanted
from liaison.queries import issue as issuing
from liaison.queries import registry
from liaison.queries.views import order_content
from liaison.services import (
    answer_clock,
    call_tasks,
    endings,
    escalation,
    ledger,
    order_keys,
    outbox,
    timers,
)


def serve(
    session: Session, order: Order, ruling: issuing.Ruling, actor: Actor, now: datetime
) -> list[ledger.Record]:
    """Serves a complete order: the clocks run, the SPOC is told, the ladder is armed.

    The memorandum's terms and ladders are copied onto it. Gives back what the ledger must say.
    """
    memorandum, terms, due = ruling.memorandum, ruling.terms, ruling.deadlines
    assert memorandum is not None
    assert terms is not None
    assert due is not None
    order.state, order.issued_at = OrderState.ISSUED, now
    order.memorandum, order.memorandum_id = memorandum, memorandum.id
    order.terms = memorandum.terms
    order.disposal_wanted = terms.disposal_confirmation and not order.test
    order.acknowledge_by, order.preserve_by = due.acknowledge_by, due.preserve_by
    order.ref = _next_ref(session, order, now)
    order.sha256 = fingerprint(order_content(order))
    order_keys.write(session, order)
    _tell(session, order, terms, now)
    told = {
        "ref": order.ref,
        "urgency": order.urgency.value,
        "acknowledge_by": rfc3339(due.acknowledge_by),
        "preserve_by": rfc3339(due.preserve_by),
        "memorandum": {"ref": memorandum.reference, "version": memorandum.version},
        "sha256": order.sha256,
        **({"ratify_by": rfc3339(order.ratify_by)} if order.ratify_by else {}),
        **marked(order),
    }
    return ledger.act(order, "order.issued", actor, told)


def marked(order: Order) -> dict[str, bool]:
    """``test`` for the data of a drill's entries; a real order's have no such word."""
    return {"test": True} if order.test else {}


def hold_provider(session: Session, order: Order) -> None:
    """One emergency at a time begins at a provider: a real one and a drill must see each other."""
    session.execute(
        select(Provider.id)
        .where(Provider.id == order.provider_id)
        .with_for_update(key_share=True, of=Provider)
    )


def _tell(session: Session, order: Order, terms: Terms, now: datetime) -> None:
    assert order.acknowledge_by is not None
    first = terms.ladders[order.urgency].rungs
    told_by_ladder = any(not r.after and Channel.EMAIL in r.channels for r in first)
    spocs = registry.addressees(session, order, Whom.ON_DUTY, now)
    notice = outbox.Notice(
        "order_issued",
        Wanted.UNTIL_ACKNOWLEDGED,
        "issue",
        {"due": order.acknowledge_by.isoformat()},
    )
    for spoc in spocs if not told_by_ladder else ():
        outbox.queue(session, order, spoc, notice, now)
    if order.urgency is Urgency.EMERGENCY:
        why = "An emergency order was issued: call and say that it is in the portal."
        for contact in registry.called_at_issue(session, order, now):
            wanted = Wanted.UNTIL_ACKNOWLEDGED
            call_tasks.open_task(session, order, contact, why, "issue", wanted, now)
    escalation.arm(session, order, Climb.ACKNOWLEDGE)


def _next_ref(session: Session, order: Order, now: datetime) -> str:
    """The next ref of the authority's year, without gaps: the counter rolls back with the act.

    Drills have a series of their own, so that they leave no gap among the real ones.
    """
    authority: Authority = order.authority
    counter = DrillCounter if order.test else RefCounter
    year = now.astimezone(ZoneInfo(authority.time_zone)).year
    insert_once(session, counter, {"authority_id": authority.id, "year": year, "last": 0})
    number = session.execute(
        update(counter)
        .where(counter.authority_id == authority.id, counter.year == year)
        .values(last=counter.last + 1)
        .returning(counter.last)
        .execution_options(synchronize_session=False)
    ).scalar_one()
    series = f"{authority.code}-TEST" if order.test else authority.code
    return f"{series}-{year}-{number:04d}"


def take_back(
    session: Session, order: Order, actor: Actor, reason: str | None, now: datetime
) -> list[ledger.Record]:
    """Withdraws a served order: all that it set going stops, whoever knows of it is told."""
    order.state, order.withdrawal = OrderState.WITHDRAWN, reason
    endings.end(session, order, now)
    # Nothing is owed any more, no answer either. A question that is asked now opens anew.
    order.question_open_since = None
    answer_clock.stop(session, order, now)
    # Nobody needs to stand behind what was taken back.
    timers.cancel(session, order, TimerKind.RATIFICATION, now)
    outbox.cancel(session, order, Wanted.UNTIL_RATIFIED)
    call_tasks.cancel(session, order, Wanted.UNTIL_RATIFIED)
    if _was_told(session, order):
        notice = outbox.Notice("order_withdrawn", Wanted.ALWAYS, "withdrawn", {})
        for spoc in registry.addressees(session, order, Whom.ON_DUTY, now):
            outbox.queue(session, order, spoc, notice, now)
    return ledger.act(order, "order.withdrawn", actor, {"reason": reason, **marked(order)})


def _was_told(session: Session, order: Order) -> bool:
    """Whether anybody at the provider can know of the order: nobody needs to hear the rest."""
    sent = select(Message.id).where(
        # One that was claimed may have left, whatever became of the claim.
        Message.order_id == order.id,
        or_(Message.state == MessageState.SENT, Message.attempts > 0),
    )
    return order.fetched_at is not None or session.scalar(sent.limit(1)) is not None
