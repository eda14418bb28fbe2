"""Call tasks: whom a person at the contact point must call, at the registered number only."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import Channel
from liaison.models import CallTask, Order
from liaison.models.base import insert_once, new_id
from liaison.models.contact_rows import AnyContact
from liaison.models.deeds import bare
from liaison.models.looks import Look
from liaison.models.work import CallState, Wanted
from liaison.queries import duty, registry
from liaison.services import reasons

LONGEST_WHY = 500
"""Characters of the reasons of one call, together."""

DRILL = "TEST, a drill: "
"""How the reason of a drill's call begins."""

BY_LENGTH = (Wanted.UNTIL_ACKNOWLEDGED, Wanted.UNTIL_PRESERVED, Wanted.ALWAYS)
"""Reasons of which each outlasts the one before: one call does for them.

Any other reason has a call of its own: what ends it has nothing to do with the provider's answer,
and must not take that call back.
"""


def open_task(
    session: Session,
    order: Order,
    contact: AnyContact,
    why: str,
    key: str,
    wanted: Wanted,
    now: datetime,
    *,
    follows: CallTask | None = None,
) -> bool:
    """Opens a call task; whether there was none yet.

    One open call per order and contact is enough for the provider's answer: whoever is to be
    called anyway is not listed a second time. A reason that lasts longer joins the open call, so
    that it is not taken back with the shorter one. Callers hold the order's lock. The reason of a
    drill's call says so.

    Who is called instead of a contact (``whom``) learns why. ``follows`` is the call that brought
    nothing.
    """
    people = whom(session, order, contact, now)
    if contact.id not in {one.id for one in people}:
        why = f"{why} {reasons.astray(contact, Channel.CALL, contact.phone, now)}"[:LONGEST_WHY]
    task = {
        "order_id": order.id,
        "why": f"{DRILL}{why}" if order.test else why,
        "wanted": wanted,
        "state": CallState.OPEN,
        "opened_at": now,
        "follows_id": follows.id if follows else None,
    }
    # Each of them: nobody is left out because another's is opened.
    return max((_open(session, order, one, key, task) for one in people), default=False)


def whom(session: Session, order: Order, contact: AnyContact, now: datetime) -> list[AnyContact]:
    """Whom to phone about what concerns a contact: them, or the next who has a number.

    A number that nobody has verified, or that was told to be wrong, and whoever is registered no
    more are called only where nobody else of theirs has a number: a doubtful line before none.
    """
    if can_be_called(contact, now):
        return [contact]
    instead = registry.called_instead(session, order, contact, now)
    if contact.provider_id is not None and not any(one.provider_id for one in instead):
        # Our own people cannot say what only the provider can: its doubtful line stands beside.
        return [*registry.doubtful(session, order, contact, now), *instead]
    return instead or registry.doubtful(session, order, contact, now)


def can_be_called(contact: AnyContact, now: datetime) -> bool:
    """Whether a contact is registered with a number that is theirs."""
    theirs = not reasons.astray(contact, Channel.CALL, contact.phone, now)
    return theirs and duty.is_usable(contact, now)


class _Waiting(NamedTuple):
    id: UUID
    wanted: Wanted


_WAITING = (
    select(CallTask.id, CallTask.wanted)
    .where(
        CallTask.order_id == bindparam("order"),
        CallTask.contact_id == bindparam("contact"),
        CallTask.state == CallState.OPEN,
    )
    .limit(1)
)
_FOR_THE_ANSWER = Look(
    _WAITING.where(or_(*(CallTask.wanted == wanted for wanted in BY_LENGTH))), _Waiting
)
_FOR_ELSE = Look(_WAITING.where(CallTask.wanted == bindparam("wanted")), _Waiting)


def _open(
    session: Session, order: Order, contact: AnyContact, key: str, task: Mapping[str, Any]
) -> bool:
    wanted = task["wanted"]
    session.flush()
    asked = {"order": order.id, "contact": contact.id}
    if wanted in BY_LENGTH:
        waiting = _FOR_THE_ANSWER.within(bare(session), **asked)
    else:
        waiting = _FOR_ELSE.within(bare(session), **asked, wanted=wanted)
    if waiting:
        if waiting[0].wanted is not wanted:
            joined = session.get_one(CallTask, waiting[0].id, populate_existing=True)
            _join(joined, task["why"], wanted)
        return False
    own = {
        "id": new_id(),
        "idem": f"{order.id}:{key}:{contact.id}:call",
        "contact_id": contact.id,
        "phone": contact.phone,
    }
    return insert_once(session, CallTask, {**task, **own})


def _join(task: CallTask, why: str, wanted: Wanted) -> None:
    if wanted is task.wanted or BY_LENGTH.index(wanted) <= BY_LENGTH.index(task.wanted):
        return
    task.wanted = wanted
    if why not in task.why:
        # The new reason whole: it is the one that stays.
        kept = task.why[: max(LONGEST_WHY - len(why) - 1, 0)]
        task.why = f"{kept} {why}".strip()[:LONGEST_WHY]


def cancel(session: Session, order: Order, *wanted: Wanted) -> None:
    """Takes open tasks back whose reason is gone."""
    session.execute(
        update(CallTask)
        .where(
            CallTask.order_id == order.id,
            CallTask.wanted.in_(wanted),
            CallTask.state == CallState.OPEN,
        )
        .values(state=CallState.CANCELLED)
        .execution_options(synchronize_session=False)
    )
