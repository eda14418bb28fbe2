"""What the worker does, and what people must do by telephone."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.domain.vocabulary import CallOutcome, Channel
from liaison.models.base import Base, new_id
from liaison.models.orders import Order
from liaison.models.registry import Contact


class TimerKind(StrEnum):
    """What is to be looked at when a timer falls due."""

    LADDER = "ladder"
    EXPIRY = "expiry"
    DRILL_END = "drill_end"
    RATIFICATION = "ratification"
    """A second person has not ratified an emergency in time."""
    ANSWER = "answer"
    """The contact point has not answered a question in time."""
    DOUBT = "doubt"
    """A doubt climbs the contact point's own ladder until two people have vouched."""
    EXPIRY_NEARS = "expiry_nears"
    """14, 7 and 2 days before the data may be deleted."""
    PROMISE = "promise"
    """The MLA request that was announced is due, and not recorded."""
    DISPOSAL = "disposal"
    """The provider has not confirmed disposal yet."""


class TimerState(StrEnum):
    """A timer fires once, or is cancelled because its reason is gone."""

    WAITING = "waiting"
    FIRED = "fired"
    CANCELLED = "cancelled"


class Timer(Base):
    """Something that falls due. ``key`` makes the same moment of the same climb unique."""

    __tablename__ = "timer"
    __table_args__ = (
        Index(
            "ix_timer_due",
            "due_at",
            postgresql_where=text("state = 'waiting'"),
            sqlite_where=text("state = 'waiting'"),
        ),
        Index("ix_timer_order", "order_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[TimerKind]
    key: Mapped[str] = mapped_column(unique=True)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("preservation_order.id"))
    due_at: Mapped[datetime]
    state: Mapped[TimerState] = mapped_column(default=TimerState.WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    payload: Mapped[dict[str, Any]]
    last_error: Mapped[str | None]
    done_at: Mapped[datetime | None]


class MessageState(StrEnum):
    """Where a notice stands. ``sending`` is claimed by a worker until its lease runs out."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Wanted(StrEnum):
    """How long a notice makes sense: it is looked at again just before sending."""

    UNTIL_ACKNOWLEDGED = "until_acknowledged"
    UNTIL_PRESERVED = "until_preserved"
    UNTIL_AUTHORISED = "until_authorised"
    UNTIL_RATIFIED = "until_ratified"
    UNTIL_ANSWERED = "until_answered"
    UNTIL_VOUCHED = "until_vouched"
    WHILE_KEPT = "while_kept"
    """While the order is preserved and nothing was decided about what follows."""
    UNTIL_DISPOSED = "until_disposed"
    ALWAYS = "always"


class Message(Base):
    """A notice on its way out. It never carries case data: ``params`` are ref, times, names."""

    __tablename__ = "message"
    __table_args__ = (
        Index(
            "ix_message_due",
            "next_at",
            postgresql_where=text("state IN ('queued', 'sending')"),
            sqlite_where=text("state IN ('queued', 'sending')"),
        ),
        Index("ix_message_order", "order_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    idem: Mapped[str] = mapped_column(unique=True)
    """``order:round:rung:contact:channel``: the stable key under which it may repeat."""
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("preservation_order.id"))
    """None for a letter to a person about their access."""
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"))
    channel: Mapped[Channel]
    address: Mapped[str]
    letter: Mapped[str]
    params: Mapped[dict[str, Any]]
    sealed_link: Mapped[str | None]
    """A link that is a secret: encrypted, and None once the letter has left or never will."""
    wanted: Mapped[Wanted]
    urgent: Mapped[bool]
    """Retries come in seconds rather than hours."""
    state: Mapped[MessageState] = mapped_column(default=MessageState.QUEUED)
    created_at: Mapped[datetime]
    next_at: Mapped[datetime]
    lease_until: Mapped[datetime | None]
    fence: Mapped[int] = mapped_column(default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    provider_ref: Mapped[str | None]
    last_error: Mapped[str | None]
    sent_at: Mapped[datetime | None]

    contact: Mapped[Contact | None] = relationship()


class CallState(StrEnum):
    """An open call waits for a person; a cancelled one lost its reason."""

    OPEN = "open"
    LOGGED = "logged"
    CANCELLED = "cancelled"


class CallTask(Base):
    """Somebody must be called by telephone, at the registered number."""

    __tablename__ = "call_task"
    __table_args__ = (
        UniqueConstraint("idem"),
        Index("ix_call_task_order", "order_id"),
        Index("ix_call_task_state", "state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    idem: Mapped[str]
    order_id: Mapped[UUID] = mapped_column(ForeignKey("preservation_order.id"))
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"))
    phone: Mapped[str]
    """The number as registered when the task was opened."""
    why: Mapped[str]
    wanted: Mapped[Wanted]
    state: Mapped[CallState] = mapped_column(default=CallState.OPEN)
    opened_at: Mapped[datetime]
    outcome: Mapped[CallOutcome | None]
    note: Mapped[str | None]
    logged_by: Mapped[str | None]
    logged_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship()
    contact: Mapped[Contact] = relationship()


class Heartbeat(Base):
    """When a worker was last alive."""

    __tablename__ = "heartbeat"

    worker: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
