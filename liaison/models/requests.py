"""Requests that come in from a counterpart abroad, before any order is made of them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import OrderStatus, RequestState, Urgency
from liaison.models.base import Base, new_id
from liaison.models.registry import Authority


class CounterpartRequest(Base):
    """A foreign contact point's request (Budapest Convention art. 29(2) a-f), as registered.

    What is missing stays None and is listed; a request can be registered without being complete.
    """

    __tablename__ = "counterpart_request"
    __table_args__ = (
        Index("ix_request_authority_state", "authority_id", "state", "id"),
        Index("ix_request_reference", "authority_id", "reference_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column()
    number: Mapped[str] = mapped_column(unique=True)
    """Given when it is registered: ``CP-IN-2026-0001``, per authority and year, without gaps."""
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"))
    state: Mapped[RequestState] = mapped_column(default=RequestState.OPEN)
    received_at: Mapped[datetime]
    registered_at: Mapped[datetime]
    registered_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    registered_by: Mapped[str]

    party: Mapped[str]
    """Country code of the Party that asks."""
    requesting_authority: Mapped[str | None]
    """a) the authority seeking the preservation."""
    reference: Mapped[str]
    reference_key: Mapped[str]
    """The reference folded, to find it and to see that it was registered before."""
    contact_name: Mapped[str | None]
    contact_email: Mapped[str]
    """Where receipt, progress and result are sent."""
    contact_phone: Mapped[str | None]
    language: Mapped[str]
    """Of the letters to them: ISO 639-1."""
    status: Mapped[OrderStatus]
    previous: Mapped[list[Any]]
    """``date`` and ``reference`` of the earlier requests it follows."""
    urgency: Mapped[Urgency]
    legal_basis: Mapped[list[Any]]
    offence: Mapped[str | None] = mapped_column(Text)
    facts: Mapped[str | None] = mapped_column(Text)
    """b) the offence and a brief summary of the facts."""
    targets: Mapped[list[Any]]
    """c) the data and their relation to the offence, as an order's JSON has them."""
    custodian: Mapped[str | None] = mapped_column(Text)
    """d) what identifies the custodian or the location of the system."""
    necessity: Mapped[str | None] = mapped_column(Text)
    """e) why the data must be preserved."""
    mla_intended: Mapped[bool | None]
    """f) whether the Party intends to submit an MLA request; None where it does not say."""
    mla_expected_by: Mapped[date | None]
    emergency_ground: Mapped[str | None] = mapped_column(Text)
    investigating_authority: Mapped[dict[str, Any] | None]
    prosecution: Mapped[dict[str, Any] | None]
    confidential_until: Mapped[date | None]
    duration_days: Mapped[int | None]

    receipt_at: Mapped[datetime | None]
    """When the letter that confirms receipt was put on its way."""
    closed_at: Mapped[datetime | None]
    refusal: Mapped[dict[str, Any] | None]
    """``grounds`` (between Parties, arts 29(4), 29(5)) and ``explanation``."""

    authority: Mapped[Authority] = relationship()
    letters: Mapped[list[RequestLetter]] = relationship(order_by="RequestLetter.id")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - read by SQLAlchemy


class RequestWriter(Base):
    """Whoever registered or changed what a request says has written the orders made from it."""

    __tablename__ = "request_writer"

    request_id: Mapped[UUID] = mapped_column(ForeignKey("counterpart_request.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    at: Mapped[datetime]


class RequestLetter(Base):
    """A letter to the counterpart: receipt, what is missing, progress, result, refusal."""

    __tablename__ = "request_letter"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("counterpart_request.id"), index=True)
    kind: Mapped[str]
    language: Mapped[str]
    at: Mapped[datetime]
    by: Mapped[str]
    message_id: Mapped[UUID | None] = mapped_column(ForeignKey("message.id"), index=True)
    """Its way out: whether it was sent stands there."""
    told: Mapped[dict[str, Any]]
    """What it said: refs, states and dates; no case data."""


class ReportedBack(Base):
    """What the counterpart was last told of an order: anything else is news for them."""

    __tablename__ = "reported_back"

    order_id: Mapped[UUID] = mapped_column(ForeignKey("preservation_order.id"), primary_key=True)
    state: Mapped[OrderState]
    until: Mapped[datetime | None]
    at: Mapped[datetime]


class RequestCounter(Base):
    """The last number given to a request of an authority in a year."""

    __tablename__ = "request_counter"

    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
