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
    PAUSE_END = "pause_end"
    """A ladder that somebody paused goes on."""
    CALL_AGAIN = "call_again"
    """A call that reached nobody is to be made again."""


class TimerState(StrEnum):
    """A timer fires once, or is cancelled because its reason is gone."""

    WAITING = "waiting"
    FIRED = "fired"
    CANCELLED = "cancelled"


class Timer(Base):
    """Something that falls due. ``key`` makes the same moment of the same climb unique."""

    __tablename__ = "timer"
    __table_args__ = (
        # In the order in which they are claimed: those of one moment are not sorted for each claim.
        Index(
            "ix_timer_due",
            "due_at",
            "id",
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

    order: Mapped[Order] = relationship()


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
        # In the order in which they are claimed: a backlog is not sorted for each claim.
        Index(
            "ix_message_lane",
            "channel",
            "urgent",
            "next_at",
            "id",
            postgresql_where=text("state IN ('queued', 'sending')"),
            sqlite_where=text("state IN ('queued', 'sending')"),
        ),
        # Two that hold few rows whatever waits: what was never tried, and what is being sent.
        Index(
            "ix_message_first",
            "channel",
            "urgent",
            "next_at",
            "id",
            postgresql_where=text("state IN ('queued', 'sending') AND attempts = 0"),
            sqlite_where=text("state IN ('queued', 'sending') AND attempts = 0"),
        ),
        Index(
            "ix_message_under_way",
            "endpoint_id",
            postgresql_where=text("state = 'sending' AND endpoint_id IS NOT NULL"),
            sqlite_where=text("state = 'sending' AND endpoint_id IS NOT NULL"),
        ),
        Index("ix_message_order", "order_id"),
        Index(
            "ix_message_failed",
            "created_at",
            postgresql_where=text("state = 'failed' AND settled_at IS NULL"),
            sqlite_where=text("state = 'failed' AND settled_at IS NULL"),
        ),
        Index(
            "ix_message_number",
            "address",
            "id",
            postgresql_where=text("channel IN ('text', 'voice')"),
            sqlite_where=text("channel IN ('text', 'voice')"),
        ),
        Index(
            "ix_message_endpoint",
            "endpoint_id",
            "id",
            postgresql_where=text("endpoint_id IS NOT NULL"),
            sqlite_where=text("endpoint_id IS NOT NULL"),
        ),
        Index("ix_message_contact", "contact_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    idem: Mapped[str] = mapped_column(unique=True)
    """``order:round:rung:contact:channel``: the stable key under which it may repeat."""
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("preservation_order.id"))
    """None for a letter to a person about their access."""
    contact_id: Mapped[UUID | None] = mapped_column(ForeignKey("contact.id"))
    endpoint_id: Mapped[UUID | None] = mapped_column(ForeignKey("webhook_endpoint.id"))
    """Of a webhook; ``params`` are ``type``, ``seq``, ``order``, ``ref`` and ``at`` then."""
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
    """When the next station took it: a mail server, a carrier, the provider's program."""
    delivered_at: Mapped[datetime | None]
    """When the other side said that it has arrived; a mail server never says so."""
    bounced_at: Mapped[datetime | None]
    """When it came back; the state is ``failed`` then."""
    answered_at: Mapped[datetime | None]
    answer: Mapped[str | None]
    """What the addressee replied to it, as it came."""
    settled_at: Mapped[datetime | None]
    """When a person has dealt with one that failed."""
    settled_by: Mapped[str | None]

    contact: Mapped[Contact | None] = relationship()
    tries: Mapped[list[DeliveryAttempt]] = relationship(
        order_by="DeliveryAttempt.id", back_populates="message"
    )


class DeliveryAttempt(Base):
    """One try to hand a message over, and what the other side said."""

    __tablename__ = "delivery_attempt"
    __table_args__ = (Index("ix_delivery_attempt_message", "message_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("message.id"))
    number: Mapped[int]
    """1 for the first; that of the claim under which it was made."""
    at: Mapped[datetime]
    took_ms: Mapped[int]
    ok: Mapped[bool]
    status: Mapped[int | None]
    """The code of HTTP or SMTP, where the other side gave one."""
    answer: Mapped[str]
    """The start of what the other side said, or what went wrong; at most 500 characters."""

    message: Mapped[Message] = relationship(back_populates="tries")


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
        # A rung asks for the open call of a contact: among all that are open it would search long.
        Index("ix_call_task_order", "order_id", "contact_id", "state"),
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
    answered_by: Mapped[str | None]
    """Who answered, as they named themselves."""
    follows_id: Mapped[UUID | None] = mapped_column(ForeignKey("call_task.id"))
    """The call that reached nobody, after which this one was opened."""

    order: Mapped[Order] = relationship()
    contact: Mapped[Contact] = relationship()


class Heartbeat(Base):
    """When a worker was last alive."""

    __tablename__ = "heartbeat"

    worker: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


class Canary(Base):
    """A message that goes the whole way and tells that the way is open."""

    __tablename__ = "canary"
    __table_args__ = (Index("ix_canary_channel", "channel", "sent_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    channel: Mapped[Channel]
    token: Mapped[str] = mapped_column(unique=True)
    """Random: what comes back with it went our whole way."""
    sent_at: Mapped[datetime]
    arrived_at: Mapped[datetime | None]


class Watch(Base):
    """What the worker last looked at, or last told, by name."""

    __tablename__ = "watch"

    name: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    said: Mapped[dict[str, Any]] = mapped_column(default=dict)
