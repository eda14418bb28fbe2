"""Bugs that others had, to be planted: the count must find each of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Any

from liaison.delivery import Receipt
from liaison.models.work import MessageState
from liaison.services import claims, outbox
from liaison.worker import Work, messages


def _put(module: Any, name: str, instead: Callable[..., Any]) -> None:
    assert hasattr(module, name), f"{module.__name__}.{name} is gone: this bug is planted nowhere"
    setattr(module, name, instead)


def marked_before_sending() -> None:
    """The message counts as sent, and then it is sent: a crash between the two loses it."""

    def send(work: Work, claimed: claims.Claimed) -> bool:
        messages._confirm(work, claimed, Receipt("taken"), 0.0)
        try:
            work.sender.send(messages._outgoing(work, claimed))
        except Exception:
            return False
        return True

    _put(messages, "send", send)


def enqueued_after_the_commit() -> None:
    """The timer fires in one transaction and its notices are written in another."""
    real, late = outbox.post, []

    def post(session: Any, *args: Any) -> None:
        late.append(args)

    _put(outbox, "post", post)
    from liaison.worker import timers

    fire = timers._fire

    def fire_then_write(work: Work, *args: Any) -> int:
        found = fire(work, *args)
        while late:
            with work.database.transaction() as session:
                order, *rest = late.pop(0)
                real(session, session.merge(order), *rest)
        return found

    _put(timers, "_fire", fire_then_write)


def paged_after_the_acknowledgement() -> None:
    """Acknowledging takes nothing back, and nobody looks again before sending."""
    _put(outbox, "cancel", lambda *_: None)
    _put(claims, "still_wanted", lambda *_: True)


def another_key_each_time() -> None:
    """A repeat cannot be told from a second notice."""
    real = messages._outgoing

    def outgoing(work: Work, claimed: claims.Claimed) -> Any:
        from dataclasses import replace

        made = real(work, claimed)
        return replace(made, idem=f"{made.idem}:{secrets.token_hex(4)}")

    _put(messages, "_outgoing", outgoing)


def never_retried() -> None:
    """A claim whose worker died is nobody's: it stays in its hands."""
    real = claims.claim

    def claim(session: Any, now: datetime, *args: Any, **more: Any) -> Any:
        found = real(session, now, *args, **more)
        return [one for one in found if one.attempts == 1]

    _put(claims, "claim", claim)


def fired_twice() -> None:
    """The timer stays as it was: the same step is told to the ledger again."""
    from liaison.services import timers

    def fire(session: Any, timer: Any, handler: Any, now: datetime) -> None:
        from liaison.models import Order

        order = session.get_one(Order, timer.order_id)
        handler(session, timer, order, now)
        if timer.attempts < 1:
            timer.attempts += 1
        else:
            timer.state = type(timer.state).FIRED

    _put(timers, "fire", fire)


BUGS: dict[str, Callable[[], None]] = {
    "marked before sending": marked_before_sending,
    "enqueued after the commit": enqueued_after_the_commit,
    "paged after the acknowledgement": paged_after_the_acknowledgement,
    "another key each time": another_key_each_time,
    "never retried": never_retried,
    "fired twice": fired_twice,
}
SENT = MessageState.SENT
