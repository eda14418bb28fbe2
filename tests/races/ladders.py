"""What must hold of a ladder after a race: counted in the ledger, its timers, and its pages."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select

from liaison.domain.lifecycle import OrderState
from liaison.models import CallTask, Entry, Message, Order, Timer
from liaison.models.work import CallState, MessageState, TimerKind, TimerState, Wanted
from liaison.services import ledger_orders
from liaison.services.ledger import entry_data
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.races.runners import Act, Field

PAGES = (Wanted.UNTIL_ACKNOWLEDGED, Wanted.UNTIL_PRESERVED)
CLIMBS = {OrderState.ISSUED: 1, OrderState.ACKNOWLEDGED: 2}

FORMS = {
    "escalate": {"reason": "The child is in danger."},
    "skip": {"reason": "They are on leave.", "to": "3"},
    "pause-escalation": {"reason": "I speak with them.", "until": "30"},
    "go-on": {},
    "close-escalation": {"reason": "I drive there."},
    "reopen-escalation": {"reason": "The wrong order."},
}
"""What is typed into the form of each act of the ladder."""

TOLD = {
    "escalate": "order.ladder_hastened",
    "skip": "order.ladder_skipped",
    "pause-escalation": "order.ladder_paused",
    "go-on": "order.ladder_resumed",
    "close-escalation": "order.ladder_closed",
    "reopen-escalation": "order.ladder_reopened",
}
"""What the contact point's own stream says of it."""


def form(course: Field, order: Order, act: str, who: str, number: int = 0) -> Act:
    """The form of one act as somebody has opened and filled it."""
    return course.form(who, number, f"/orders/{order.name}/{act}", **FORMS[act])


def counts(course: Field, order: Order) -> dict[str, int]:
    """How often each act stands in the ledger, those that do not left out."""
    found = {act: course.entries(order, type_, own=True) for act, type_ in TOLD.items()}
    return {act: number for act, number in found.items() if number}


def at_work(work: Work) -> Callable[[], object]:
    """A worker that looks again and again; what others hold it passes over."""
    return lambda: [run_once(work) for _ in range(5)]


def stands(course: Field, order: Order) -> Order:
    """One step waits, or none where nobody is to be called; no page waits without its reason."""
    with course.world.database.reading() as session:
        now = session.get_one(Order, order.id)
        waits = select(Timer).where(Timer.order_id == order.id, Timer.state == TimerState.WAITING)
        timers = list(session.scalars(waits))
        climbs = [t.payload["climb"] for t in timers if t.kind is TimerKind.LADDER]
        held = now.ladder_closed_at is not None or now.ladder_paused_at is not None
        climbing = now.state in CLIMBS and not held
        assert climbs == ([CLIMBS[now.state]] if climbing else []), (now.state, climbs)
        ends = [timer.due_at for timer in timers if timer.kind is TimerKind.PAUSE_END]
        assert ends == [one for one in (now.ladder_paused_until,) if one]
        assert not [timer.last_error for timer in timers if timer.last_error]
        assert not list(ledger_orders.missing(session))
    _no_page_without_reason(course, now)
    return now


def _no_page_without_reason(course: Field, order: Order) -> None:
    """Neither on its way, nor as a call that our people are to make, nor climbed too late."""
    gone = {OrderState.ISSUED: (), OrderState.ACKNOWLEDGED: PAGES[:1]}.get(order.state, PAGES)
    with course.world.database.reading() as session:
        sent = gone if order.ladder_closed_at is None else PAGES
        unsent = select(Message.letter).where(
            Message.order_id == order.id,
            Message.wanted.in_(sent),
            Message.state.in_((MessageState.QUEUED, MessageState.SENDING)),
        )
        assert not list(session.scalars(unsent))
        calls = select(CallTask.why).where(
            CallTask.order_id == order.id,
            CallTask.wanted.in_(gone),
            CallTask.state == CallState.OPEN,
        )
        assert not list(session.scalars(calls))
        shared = select(Entry).where(
            Entry.order_id == order.id, Entry.stream == f"provider:{order.provider_id}"
        )
        over = False
        for entry in session.scalars(shared.order_by(Entry.seq)):
            over |= entry.type in ("order.acknowledged", "order.withdrawn")
            paged = entry.type == "order.escalated"
            assert not (paged and over), entry_data(entry)


def nobody_is_paged(work: Work) -> None:
    """The worker goes on at the same moment: not one page leaves."""
    assert isinstance(work.sender, RecordingSender)
    before = len(work.sender.sent)
    run_once(work)
    pages = [one for one in work.sender.sent[before:] if _is_page(work, one.idem)]
    assert not pages, [(one.address, one.subject) for one in pages]


def _is_page(work: Work, idem: str) -> bool:
    with work.database.reading() as session:
        query = select(Message.wanted).where(Message.idem == idem)
        return session.scalars(query).one() in PAGES
