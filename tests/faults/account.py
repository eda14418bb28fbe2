"""The count: what was promised, beside what independent sinks and the ledger hold.

Nothing of the worker is asked. What must have arrived follows from the terms and the register.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from liaison.domain.ladder import Climb, Whom, outline
from liaison.domain.lifecycle import OrderState
from liaison.domain.terms import terms_from_json
from liaison.domain.vocabulary import Channel, Function
from liaison.models import CallTask, Contact, Entry, Message, Order, Timer
from liaison.models.work import MessageState, TimerKind, TimerState
from liaison.services import ledger, ledger_check
from tests.faults.stage import Stage, is_page

_MEANT = {
    Whom.ON_DUTY: (Function.PRIMARY,),
    Whom.EVERY_SPOC: (Function.PRIMARY, Function.DEPUTY),
    Whom.FALLBACK: (Function.FALLBACK,),
    Whom.DUTY_OFFICER: (Function.DUTY_OFFICER,),
    Whom.SUPERVISOR: (Function.SUPERVISOR,),
}


@dataclass
class Count:
    """What is wrong, in words; nothing where every promise was kept."""

    lost: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    after_the_answer: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)
    sent: int = 0
    repeats: int = 0

    @property
    def faults(self) -> list[str]:
        """All of them."""
        return self.lost + self.missing + self.doubled + self.after_the_answer + self.other

    def add(self, other: Count) -> None:
        """Takes what another play came to."""
        for name in ("lost", "missing", "doubled", "after_the_answer", "other"):
            getattr(self, name).extend(getattr(other, name))
        self.sent += other.sent
        self.repeats += other.repeats

    def __str__(self) -> str:
        return (
            f"lost {len(self.lost)}, missing {len(self.missing)}, doubled {len(self.doubled)}, "
            f"after the answer {len(self.after_the_answer)}, other {len(self.other)}; "
            f"letters {self.sent}, repeats with the same key {self.repeats}"
        )


def account(stage: Stage) -> Count:
    """Counts what a play came to, once it has settled."""
    count = Count()
    with stage.database.reading() as session:
        for name in [*stage.issued, *stage.drafted]:
            order = session.get(Order, UUID(name))
            if order is None:
                count.lost.append(f"order {name} is gone")
            elif order.state is not OrderState.DRAFT:
                _order(session, stage, order, count)
            elif name in stage.issued:
                count.lost.append(f"order {name} was issued and is a draft")
            else:
                _nothing_of(session, order, count)
        _letters(session, stage, count)
        _hooks(session, stage, count)
        _claims(session, stage, count)
        _chain(session, count)
    return count


def _order(session: Session, stage: Stage, order: Order, count: Count) -> None:
    answered = str(order.id) in stage.acknowledged
    if answered and order.state is OrderState.ISSUED:
        count.lost.append(f"the acknowledgement of {order.id} is gone")
    told = Counter(
        (data["climb"], data["step"]) for data in _entries(session, order, "order.escalated")
    )
    count.doubled += [
        f"{order.id}: step {step} told {n} times" for step, n in told.items() if n > 1
    ]
    if order.state is OrderState.ISSUED:
        _climbed(session, stage, order, told, count)
    _armed(session, order, count)


def _entries(session: Session, order: Order, type_: str) -> Iterator[dict[str, Any]]:
    query = select(Entry).where(
        Entry.order_id == order.id,
        Entry.type == type_,
        Entry.stream == ledger.provider_stream(order.provider_id),
    )
    for entry in session.scalars(query):
        yield ledger.entry_data(entry) or {}


def _climbed(
    session: Session, stage: Stage, order: Order, told: Counter[tuple[str, int]], count: Count
) -> None:
    """Nobody has answered: each rung that was due has called everybody it means."""
    assert order.terms is not None
    assert order.issued_at is not None
    ladder = terms_from_json(order.terms).ladders[order.urgency]
    arrived = {letter.key for letter in stage.smtp.letters}
    for at in outline(ladder, Climb.ACKNOWLEDGE, order.issued_at):
        if at.at_top or at.due_at > stage.now:
            continue
        if not told[("acknowledge", at.number)]:
            count.missing.append(f"{order.id}: step {at.number} was never climbed")
        if Channel.EMAIL not in at.channels:
            continue
        for contact in _meant(session, order, at.whom):
            key = f"{order.id}:1:{at.number}:{contact.id}:email"
            if key not in arrived and not _was_told_of(session, key, order):
                count.missing.append(f"no letter {key}")


def _meant(session: Session, order: Order, whom: Whom) -> list[Contact]:
    of = Contact.authority_id == order.authority_id
    if whom not in (Whom.DUTY_OFFICER, Whom.SUPERVISOR):
        of = Contact.provider_id == order.provider_id
    query = select(Contact).where(of, Contact.function.in_(_MEANT[whom]))
    return [c for c in session.scalars(query) if "email" in c.channels]


def _was_told_of(session: Session, key: str, order: Order) -> bool:
    """A letter that could not be delivered has opened a call for people."""
    message = session.scalars(select(Message).where(Message.idem == key)).one_or_none()
    if message is None or message.state is not MessageState.FAILED:
        return False
    calls = select(CallTask.id).where(
        CallTask.order_id == order.id, CallTask.contact_id == message.contact_id
    )
    return session.scalars(calls).first() is not None


def _armed(session: Session, order: Order, count: Count) -> None:
    """One step of the ladder waits, and no more; after an answer none of the first climb."""
    waiting = session.scalars(
        select(Timer).where(
            Timer.order_id == order.id,
            Timer.kind == TimerKind.LADDER,
            Timer.state == TimerState.WAITING,
        )
    ).all()
    climb = 1 if order.state is OrderState.ISSUED else 2
    climbs = [timer.payload["climb"] for timer in waiting]
    if climbs != [climb]:
        count.other.append(f"{order.id} is {order.state}: steps that wait are of climbs {climbs}")


def _nothing_of(session: Session, order: Order, count: Count) -> None:
    for table in (Timer, Message, CallTask):
        found = session.scalar(
            select(func.count()).select_from(table).where(table.order_id == order.id)
        )
        if found:
            count.other.append(f"{order.id} is a draft with {found} of {table.__tablename__}")


def _letters(session: Session, stage: Stage, count: Count) -> None:
    """A repeat is the same letter under the same key; no letter has another."""
    known = set(session.scalars(select(Message.idem)))
    by_key: dict[str, set[tuple[object, ...]]] = defaultdict(set)
    for letter in stage.smtp.letters:
        by_key[letter.key].add((str(letter.message["Message-ID"]), letter.text, letter.recipients))
    count.sent = len(stage.smtp.letters)
    count.repeats = count.sent - len(by_key)
    count.doubled += [f"a letter with a key of nobody's: {key}" for key in by_key.keys() - known]
    count.doubled += [
        f"different letters under {key}" for key, all_ in by_key.items() if len(all_) > 1
    ]
    sent = select(Message.idem).where(Message.state == MessageState.SENT)
    count.missing += [
        f"counts as sent and never arrived: {key}"
        for key in session.scalars(sent.where(Message.channel == Channel.EMAIL))
        if key not in by_key
    ]
    due = select(Message.idem).where(
        Message.state.in_((MessageState.QUEUED, MessageState.SENDING)),
        Message.channel == Channel.EMAIL,
    )
    count.missing += [f"still unsent: {key}" for key in session.scalars(due)]


def _hooks(session: Session, stage: Stage, count: Count) -> None:
    """Each entry of the provider's stream was told to its program, a repeat under the same id.

    A step of the ladder that was answered before it was told is told no more.
    """
    if stage.hooks is None or stage.endpoint is None:
        return
    bodies: dict[str, set[bytes]] = defaultdict(set)
    for got in stage.hooks.got:
        bodies[got.headers["webhook-id"]].add(got.body)
    unlike = [id_ for id_, told in bodies.items() if len(told) > 1]
    count.sent += len(stage.hooks.got)
    count.repeats += len(stage.hooks.got) - len(bodies)
    count.doubled += [f"different webhooks under {id_}" for id_ in unlike]
    stream = ledger.provider_stream(stage.world.register.providers["Meridian Telecom"])
    entries = {
        str(entry.id): entry
        for entry in session.scalars(select(Entry).where(Entry.stream == stream))
    }
    count.doubled += [f"a webhook of nobody's: {id_}" for id_ in bodies.keys() - entries.keys()]
    for id_, entry in entries.items():
        key = f"hook:{stage.endpoint}:{entry.seq}"
        message = session.scalars(select(Message).where(Message.idem == key)).one_or_none()
        if message is None:
            count.missing.append(f"no webhook was queued for entry {entry.seq}")
        elif message.state in (MessageState.QUEUED, MessageState.SENDING):
            count.missing.append(f"still unsent: {key}")
        elif message.state is MessageState.SENT and id_ not in bodies:
            count.missing.append(f"counts as sent and never arrived: {key}")
        elif message.state is MessageState.CANCELLED and entry.type != "order.escalated":
            count.missing.append(f"a fact was taken back: {key}")


def _claims(session: Session, stage: Stage, count: Count) -> None:
    """No page is claimed by a transaction that began after the acknowledgement was answered."""
    for _, _, begun, idem in stage.lines("claims"):
        answered = stage.acknowledged.get(idem[:36])
        if answered is None or not is_page(idem) or idem[37] != "1":
            continue
        if int(begun) > answered:
            count.after_the_answer.append(f"claimed after the answer: {idem}")


def _chain(session: Session, count: Count) -> None:
    for found in ledger_check.verify(session):
        if isinstance(found, ledger_check.Break):
            count.other.append(f"{found.stream}, {found.place}: {found.reason}")
