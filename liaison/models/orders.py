"""Orders, what they ask for, and what was answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import (
    OrderStatus,
    OriginKind,
    Outcome,
    TargetType,
    Urgency,
)
from liaison.models.base import Base, new_id
from liaison.models.memoranda import Memorandum
from liaison.models.people import Person
from liaison.models.registry import Authority, Provider


class Order(Base):
    """A preservation order: the fields of the Council of Europe's template T-CY(2018)11, the
    memorandum's terms as they were at issue, and where it stands."""

    __tablename__ = "preservation_order"
    __table_args__ = (
        Index("ix_order_provider_state", "provider_id", "state", "id"),
        Index("ix_order_authority_state", "authority_id", "state", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column()
    ref: Mapped[str | None] = mapped_column(unique=True)
    """Given at issue, per authority and year, without gaps."""
    state: Mapped[OrderState] = mapped_column(default=OrderState.DRAFT)
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    officer_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """Who wrote it, then who issued it; None for an imported draft."""
    memorandum_id: Mapped[UUID | None] = mapped_column(ForeignKey("memorandum.id"))
    test: Mapped[bool] = mapped_column(default=False)
    """A drill: goes the whole way and is never counted among real orders."""

    urgency: Mapped[Urgency]
    status: Mapped[OrderStatus]
    origin_kind: Mapped[OriginKind]
    origin: Mapped[dict[str, Any]]
    """``party``, ``authority``, ``reference``, ``previous`` (a list of date and reference)."""
    issuing_officer: Mapped[dict[str, Any]]
    """Sections 2-6 of the template: person in charge, address, phones, hours, zone."""
    confirmation_contact: Mapped[dict[str, Any]]
    investigating_authority: Mapped[dict[str, Any]]
    prosecution: Mapped[dict[str, Any] | None]
    legal_basis: Mapped[list[Any]]
    offence: Mapped[str]
    facts: Mapped[str]
    necessity: Mapped[str]
    custodian: Mapped[str | None]
    duration_days: Mapped[int]
    confidential_until: Mapped[date | None]
    no_user_notice: Mapped[bool]
    partial_disclosure: Mapped[bool]
    mla_intended: Mapped[bool]
    mla_expected_by: Mapped[date | None]
    emergency_ground: Mapped[str | None]

    terms: Mapped[dict[str, Any] | None]
    """The memorandum's terms and ladders, copied at issue; later changes do not reach it."""
    sha256: Mapped[str | None]
    """Fingerprint of the order as served (documents/order_json.py)."""
    created_at: Mapped[datetime]
    issued_at: Mapped[datetime | None]
    acknowledge_by: Mapped[datetime | None]
    preserve_by: Mapped[datetime | None]
    fetched_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    provider_reference: Mapped[str | None]
    preserved_until: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    """When it was declined, withdrawn or expired."""
    refusal: Mapped[dict[str, Any] | None]
    """``grounds``, ``explanation``, ``preserved_meanwhile``."""
    withdrawal: Mapped[str | None]
    question_open_since: Mapped[datetime | None]
    """The oldest question of the provider that has no answer yet."""
    ladder_closed_at: Mapped[datetime | None]
    ladder_closed_reason: Mapped[str | None]

    authority: Mapped[Authority] = relationship()
    provider: Mapped[Provider] = relationship()
    officer: Mapped[Person | None] = relationship()
    memorandum: Mapped[Memorandum | None] = relationship()
    targets: Mapped[list[OrderTarget]] = relationship(
        order_by="OrderTarget.position", cascade="all, delete-orphan", back_populates="order"
    )
    reports: Mapped[list[Report]] = relationship(order_by="Report.reported_at, Report.id")
    thread: Mapped[list[ThreadMessage]] = relationship(order_by="ThreadMessage.id")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - read by SQLAlchemy

    @property
    def name(self) -> str:
        """What people call it: the ref, or the id while it has none. Addresses use it too."""
        return self.ref or str(self.id)

    @property
    def report(self) -> Report | None:
        """The provider's latest preservation report."""
        return self.reports[-1] if self.reports else None


class OrderTarget(Base):
    """One identifier and what is wanted about it."""

    __tablename__ = "order_target"
    __table_args__ = (
        UniqueConstraint("order_id", "position"),
        Index("ix_order_target_search", "search_key"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("preservation_order.id", ondelete="CASCADE"))
    position: Mapped[int]
    type: Mapped[TargetType]
    value: Mapped[str]
    entered: Mapped[str]
    """As it was typed; ``value`` is normalised."""
    search_key: Mapped[str]
    port: Mapped[int | None]
    protocol: Mapped[str | None]
    service: Mapped[str | None]
    start: Mapped[datetime]
    end: Mapped[datetime]
    start_offset: Mapped[int]
    """Minutes east of UTC in which the moment was given; shown beside UTC."""
    end_offset: Mapped[int]
    data: Mapped[list[Any]]
    relation: Mapped[str]

    order: Mapped[Order] = relationship(back_populates="targets")


class Report(Base):
    """A provider's preservation report; an amendment adds one, none is changed."""

    __tablename__ = "report"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("preservation_order.id"), index=True)
    reported_at: Mapped[datetime]
    reported_by: Mapped[str]
    outcome: Mapped[Outcome]
    """Derived from the targets: all kept, nothing held, or partly."""
    preserved_at: Mapped[datetime]
    until: Mapped[datetime | None]
    """The latest date to which anything is kept; None where nothing is held."""
    reference: Mapped[str | None]
    sha256: Mapped[str | None]
    risk: Mapped[str | None]
    note: Mapped[str | None]

    targets: Mapped[list[ReportedTarget]] = relationship(cascade="all, delete-orphan")


class ReportedTarget(Base):
    """What the provider found for one target."""

    __tablename__ = "reported_target"

    report_id: Mapped[UUID] = mapped_column(
        ForeignKey("report.id", ondelete="CASCADE"), primary_key=True
    )
    target_id: Mapped[UUID] = mapped_column(ForeignKey("order_target.id"), primary_key=True)
    outcome: Mapped[Outcome]
    until: Mapped[datetime | None]
    """None where nothing is held."""
    note: Mapped[str | None]


class ThreadMessage(Base):
    """One message of the thread both sides see."""

    __tablename__ = "thread_message"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("preservation_order.id"), index=True)
    at: Mapped[datetime]
    side: Mapped[str]
    """``provider`` or ``contact_point``."""
    author: Mapped[str]
    text: Mapped[str] = mapped_column(Text)


class RefCounter(Base):
    """The last number given to an order of an authority in a year."""

    __tablename__ = "ref_counter"

    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
