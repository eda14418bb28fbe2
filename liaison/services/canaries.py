"""Canaries: messages that go the whole way through the outbox and must come back.

A worker that says it lives, a queue that is short and a server that takes every letter prove
little. A canary that came back proves that the way was open, from the row in the outbox to the
other end. Ways that come back are settings: ``email`` where letters to an address land in the
mailbox that is read for bounces, ``webhook`` to this portal's own door.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import Channel
from liaison.models import Canary, DeliveryAttempt, Message
from liaison.models.base import insert_once, new_id
from liaison.models.work import MessageState, Wanted
from liaison.services import watches
from liaison.settings import Settings

LETTER = "watch/canary"
LATE = timedelta(minutes=2)
"""After so long a canary that has not come back is lost."""
KEEP = timedelta(days=1)
"""How long a canary and its message stay."""
MOST_GONE = 500
"""Canaries thrown away at once."""

_FORM = re.compile(r"[A-Za-z0-9_-]{43}")
_TOKEN = re.compile(r"\bcanary ([A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])", re.IGNORECASE)


def ways(settings: Settings) -> dict[Channel, str]:
    """The ways that come back, and where a canary on each goes; a webhook's token is added."""
    if not settings.canary_every:
        return {}
    found = {Channel.WEBHOOK: f"{settings.base_url}/canary/"}
    if settings.canary_address and settings.bounce_url:
        found[Channel.EMAIL] = settings.canary_address
    return found


def every(settings: Settings) -> timedelta:
    """How long lies between two canaries on one way."""
    return timedelta(minutes=settings.canary_every)


def is_due(session: Session, settings: Settings, now: datetime) -> bool:
    """Whether one is to be sent: asked before a writing transaction is begun."""
    return any(watches.is_turn(session, _turn(way), now, every(settings)) for way in ways(settings))


def send(session: Session, settings: Settings, now: datetime) -> int:
    """Sends one on each way whose turn has come; how many. Those that are lost are taken back."""
    count = 0
    for way, to in ways(settings).items():
        if watches.take_turn(session, _turn(way), now, every(settings)):
            _take_back(session, way, now)
            _send(session, way, to, now)
            count += 1
    return count


def _turn(way: Channel) -> str:
    return f"canary:{way.value}"


def _send(session: Session, way: Channel, to: str, now: datetime) -> None:
    token = secrets.token_urlsafe(32)
    canary = Canary(id=new_id(), channel=way, token=token, sent_at=now)
    session.add(canary)
    session.flush()
    values = {
        "id": new_id(),
        "idem": idem_of(canary),
        "channel": way,
        "address": to + token if way is Channel.WEBHOOK else to,
        "letter": LETTER,
        "params": {"name": "canary", "token": token},
        "wanted": Wanted.ALWAYS,
        "urgent": True,
        "state": MessageState.QUEUED,
        "created_at": now,
        "next_at": now,
        "fence": 0,
        "attempts": 0,
    }
    insert_once(session, Message, values)


def idem_of(canary: Canary) -> str:
    """The key of the message that carries a canary."""
    return f"canary:{canary.id}"


def _take_back(session: Session, way: Channel, now: datetime) -> None:
    """A canary that is lost is not sent any more: the next one says more than its repeat."""
    late = select(Canary).where(
        Canary.channel == way,
        Canary.sent_at <= now - LATE,
        Canary.sent_at > now - KEEP,
        Canary.arrived_at.is_(None),
    )
    lost = [idem_of(canary) for canary in session.scalars(late)]
    unsent = (MessageState.QUEUED, MessageState.SENDING, MessageState.FAILED)
    session.execute(
        update(Message)
        .where(Message.idem.in_(lost), Message.state.in_(unsent))
        .values(state=MessageState.CANCELLED)
        .execution_options(synchronize_session=False)
    )


def is_known(session: Session, token: str) -> bool:
    """Whether a canary with this token was ever sent, as far back as they are kept.

    What has not a token's form is not looked up: no database takes every text as a value.
    """
    if not _FORM.fullmatch(token):
        return False
    return session.scalar(select(Canary.id).where(Canary.token == token)) is not None


def arrived(session: Session, token: str, now: datetime) -> bool:
    """A canary came back; whether we know it. A second time changes nothing."""
    session.execute(
        update(Canary)
        .where(Canary.token == token, Canary.arrived_at.is_(None))
        .values(arrived_at=now)
        .execution_options(synchronize_session=False)
    )
    return is_known(session, token)


def token_in(text: str) -> str | None:
    """The token in the subject of a letter that came back, whatever was put before it."""
    found = _TOKEN.search(" ".join(text.split()))
    return found.group(1) if found else None


def last_decided(session: Session, way: Channel, now: datetime) -> Canary | None:
    """The newest canary of which it is known whether it came back; None where none is."""
    return session.scalars(
        select(Canary)
        .where(
            Canary.channel == way,
            Canary.arrived_at.is_not(None) | (Canary.sent_at <= now - LATE),
        )
        .order_by(Canary.sent_at.desc())
        .limit(1)
    ).one_or_none()


def last_arrived(session: Session, way: Channel) -> Canary | None:
    """The newest canary that came back."""
    return session.scalars(
        select(Canary)
        .where(Canary.channel == way, Canary.arrived_at.is_not(None))
        .order_by(Canary.sent_at.desc())
        .limit(1)
    ).one_or_none()


def is_lost(session: Session, way: Channel, now: datetime) -> bool:
    """Whether the newest canary that should be back by now is not."""
    newest = last_decided(session, way, now)
    return newest is not None and newest.arrived_at is None


def throw_away(session: Session, now: datetime) -> int:
    """Removes canaries past their time, with their messages; how many."""
    old = select(Canary).where(Canary.sent_at <= now - KEEP).order_by(Canary.sent_at)
    gone = session.scalars(old.limit(MOST_GONE)).all()
    idems = [idem_of(canary) for canary in gone]
    messages = select(Message.id).where(Message.idem.in_(idems))
    for step in (
        delete(DeliveryAttempt).where(DeliveryAttempt.message_id.in_(messages)),
        delete(Message).where(Message.idem.in_(idems)),
        delete(Canary).where(Canary.id.in_([canary.id for canary in gone])),
    ):
        session.execute(step.execution_options(synchronize_session=False))
    return len(gone)
