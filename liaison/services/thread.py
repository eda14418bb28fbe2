"""The thread of an order: questions and answers of both sides, with the files beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import flag_modified

from liaison.clock import rfc3339
from liaison.domain import thread_limits
from liaison.domain.actors import Actor
from liaison.domain.attachments import Accepted
from liaison.domain.ladder import Whom
from liaison.domain.lifecycle import Action, decide
from liaison.domain.reading import LONGEST_MESSAGE, check_texts
from liaison.errors import FieldError, Invalid
from liaison.models import Attachment, Blob, Order, ThreadMessage
from liaison.models.base import insert_once
from liaison.models.work import Wanted
from liaison.queries import orders, registry
from liaison.queries.views import attachment_view
from liaison.services import answer_clock, ledger, outbox, pauses
from liaison.services.guards import order_for

TWICE = timedelta(minutes=1)
"""A person who sends the very same message again within this time has pressed twice."""


def ask(
    session: Session,
    actor: Actor,
    name: str,
    text: str,
    now: datetime,
    *,
    files: Sequence[Accepted] = (),
    question: bool = True,
) -> ThreadMessage:
    """The provider writes. A question is owed an answer: its clock begins, and the order's own
    stops where the term says so. ``question=False``: an answer or a remark, nothing is owed.

    ``files`` were looked at by ``domain.attachments`` and by the installation's scanner.
    """
    order, _ = order_for(session, actor, name, Action.ASK)
    again = _sent_twice(order, actor, text, files, now)
    if again and (order.question_open_since or not question):
        return again
    message = _write(session, order, actor, text, files, now)
    letter, params = "message", {}
    if question:
        answer_clock.start(session, order, message.id, now)
        pauses.stop(session, order, now)
        assert order.answer_by is not None
        letter, params = "question", {"due": order.answer_by.isoformat()}
    params |= {"answer": letter, "said": "a question" if question else "a message"}
    notice = outbox.Notice(letter, Wanted.ALWAYS, f"question:{message.id}", params)
    for contact in registry.addressees(session, order, Whom.DUTY_OFFICER, now):
        outbox.queue(session, order, contact, notice, now)
    _record(session, order, actor, message, now, question=question)
    return message


def answer(
    session: Session,
    actor: Actor,
    name: str,
    text: str,
    now: datetime,
    version: int | None = None,
    *,
    files: Sequence[Accepted] = (),
) -> ThreadMessage:
    """The contact point writes: the questions it has read are answered by it, clocks go on.

    ``version`` is the one it has read: a question that came meanwhile is not answered unseen.
    """
    seen = orders.find(session, actor, name, lock=True)
    decide(seen.state, Action.ANSWER, actor.roles)
    if again := _sent_twice(seen, actor, text, files, now):
        return again
    order, _ = order_for(session, actor, name, Action.ANSWER, version)
    message = _write(session, order, actor, text, files, now)
    order.question_open_since = None
    answer_clock.stop(session, order, now)
    pauses.resume(session, order, now)
    notice = outbox.Notice("answer", Wanted.ALWAYS, f"message:{message.id}", {})
    for spoc in registry.addressees(session, order, Whom.ON_DUTY, now):
        outbox.queue(session, order, spoc, notice, now)
    _record(session, order, actor, message, now)
    return message


def _sent_twice(
    order: Order, actor: Actor, text: str, files: Sequence[Accepted], now: datetime
) -> ThreadMessage | None:
    """The last message, where it is this very one; programs have a key of their own for that."""
    last = order.thread[-1] if order.thread else None
    if last is None or actor.person_id is None or now - last.at > TWICE:
        return None
    said = (last.side, last.author, last.text, [a.sha256 for a in last.attachments])
    same = said == (actor.side, actor.name, text, [f.sha256 for f in files])
    return last if same else None


def _write(
    session: Session,
    order: Order,
    actor: Actor,
    text: str,
    files: Sequence[Accepted],
    now: datetime,
) -> ThreadMessage:
    if not text.strip():
        raise Invalid([FieldError("/text", "Write something first.")])
    check_texts(("/text", text, LONGEST_MESSAGE))
    _check_room(order, actor, files, now)
    message = ThreadMessage(
        order_id=order.id, at=now, side=actor.side, author=actor.name, text=text
    )
    for position, file in enumerate(files):
        _keep(session, file, now)
        message.attachments.append(
            Attachment(
                position=position,
                name=file.name,
                media_type=file.media_type,
                sha256=file.sha256,
                size=len(file.content),
            )
        )
    order.thread.append(message)
    flag_modified(order, "question_open_since")  # whoever reads the order again sees a new version
    session.flush()
    return message


def _check_room(order: Order, actor: Actor, files: Sequence[Accepted], now: datetime) -> None:
    said = [
        thread_limits.Said(message.at, sum(file.size for file in message.attachments))
        for message in order.thread
        if message.side == actor.side
    ]
    size = sum(len(file.content) for file in files)
    owed = not actor.is_provider and order.question_open_since is not None
    thread_limits.check(said, size, now, owed=owed)


def _keep(session: Session, file: Accepted, now: datetime) -> None:
    """The bytes, once, whoever sent them."""
    kept = {
        "sha256": file.sha256,
        "size": len(file.content),
        "content": file.content,
        "stored_at": now,
    }
    insert_once(session, Blob, kept)


def _record(
    session: Session,
    order: Order,
    actor: Actor,
    message: ThreadMessage,
    now: datetime,
    *,
    question: bool = False,
) -> None:
    told = {
        "id": str(message.id),
        "at": rfc3339(now),
        "side": message.side,
        "text": message.text,
        "question": question,
        "attachments": [attachment_view(file) for file in message.attachments],
    }
    ledger.record(session, now, *ledger.act(order, "order.message", actor, told))
