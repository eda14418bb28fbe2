"""Orders, what they ask for, and what was answered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Index, Text, UniqueConstraint
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
from liaison.models.order_acts import Doubt, Extension, FollowUp, OrderNote, OrderWriter, Route
from liaison.models.papers import Attachment
from liaison.models.people import Person
from liaison.models.registry import Authority, Provider
from liaison.models.requests import CounterpartRequest

# What the queue sorts and filters by is reckoned by the database itself, so that no verb can
# forget it and no list reads more rows than it shows. On one line each: so SQLite can tell them
# to whoever builds the table anew.

_RANK = (
    "CASE "
    "WHEN state IN ('issued', 'acknowledged') AND urgency = 'emergency' AND NOT test THEN 0 "
    "WHEN state IN ('issued', 'acknowledged') AND NOT test THEN 1 "
    "WHEN question_open_since IS NOT NULL OR doubt_open_since IS NOT NULL THEN 2 "
    "WHEN state IN ('issued', 'acknowledged') THEN 3 "
    "WHEN state = 'submitted' THEN 4 "
    "WHEN state = 'draft' THEN 5 "
    "WHEN state = 'preserved' AND preserved_until IS NOT NULL AND mla_recorded_at IS NULL "
    "AND NOT test THEN 6 "
    "WHEN state = 'preserved' THEN 7 "
    "ELSE 8 END"
)

_AT = (
    "CASE "
    "WHEN state = 'issued' THEN acknowledge_by "
    "WHEN state = 'acknowledged' THEN preserve_by "
    "WHEN state = 'preserved' THEN coalesce(preserved_until, acknowledged_at, created_at) "
    "ELSE coalesce(ended_at, created_at) END"
)

_WAITS_CONTACT_POINT = (
    "CASE "
    "WHEN state IN ('draft', 'submitted') THEN 1 "
    "WHEN question_open_since IS NOT NULL OR doubt_open_since IS NOT NULL THEN 1 "
    "WHEN ratify_by IS NOT NULL AND ratified_at IS NULL AND state <> 'withdrawn' THEN 1 "
    "ELSE 0 END"
)

_WAITS_PROVIDER = (
    "CASE "
    "WHEN state IN ('issued', 'acknowledged') THEN 1 "
    "WHEN state = 'preserved' AND extension_asked_at IS NOT NULL THEN 1 "
    "WHEN state IN ('released', 'expired') AND disposal_wanted THEN 1 "
    "ELSE 0 END"
)

_FILTERS = {
    "authority": (
        "state",
        "urgency",
        "provider_id",
        "party",
        "officer_id",
        "waits_contact_point",
        "waits_provider",
        "test",
    ),
    "provider": ("state", "urgency", "waits_contact_point", "waits_provider", "test"),
}
"""What each side may narrow its queue down to: an index for each, in the order of the queue."""


class Order(Base):
    """A preservation order: the fields of the Council of Europe's template T-CY(2018)11, the
    memorandum's terms as they were at issue, and where it stands."""

    __tablename__ = "preservation_order"
    __table_args__ = (
        Index("ix_order_provider_state", "provider_id", "state", "id"),
        Index("ix_order_authority_state", "authority_id", "state", "id"),
        Index("ix_order_authority_queue", "authority_id", "queue_rank", "queue_at", "id"),
        Index("ix_order_provider_queue", "provider_id", "queue_rank", "queue_at", "id"),
        Index("ix_order_promise", "authority_id", "queue_rank", "mla_expected_by"),
        *(
            Index(f"ix_order_{side}_by_{by}", f"{side}_id", by, "queue_rank", "queue_at", "id")
            for side, filters in _FILTERS.items()
            for by in filters
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column()
    ref: Mapped[str | None] = mapped_column(unique=True)
    """Given at issue, per authority and year, without gaps."""
    state: Mapped[OrderState] = mapped_column(default=OrderState.DRAFT)
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"))
    officer_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """The person in charge: who wrote it, then who submitted it or issued it at once; None for
    an imported draft."""
    memorandum_id: Mapped[UUID | None] = mapped_column(ForeignKey("memorandum.id"))
    test: Mapped[bool] = mapped_column(default=False)
    """A drill: goes the whole way and is never counted among real orders."""

    urgency: Mapped[Urgency]
    status: Mapped[OrderStatus]
    origin_kind: Mapped[OriginKind]
    origin: Mapped[dict[str, Any]]
    """``party``, ``authority``, ``reference``, ``previous`` (a list of date and reference)."""
    party: Mapped[str | None]
    """The Party of ``origin``, where the queue is narrowed down to it; two letters."""
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
    submitted_at: Mapped[datetime | None]
    submitted_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    returned_note: Mapped[str | None]
    """Why it was last sent back to its writer; None once it is submitted again."""
    authorised_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """The second person; None where it was issued at once."""
    issued_at: Mapped[datetime | None]
    ratify_by: Mapped[datetime | None]
    """By when a second person must ratify what was issued at once; None where two authorised it."""
    ratified_at: Mapped[datetime | None]
    ratified_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    acknowledge_by: Mapped[datetime | None]
    preserve_by: Mapped[datetime | None]
    """Both as they stand now: a question may have stopped the clock (``clock_stopped_for``)."""
    clock_stopped_at: Mapped[datetime | None]
    """Since when an open question stops the clock; None while it runs."""
    clock_stopped_for: Mapped[int] = mapped_column(default=0)
    """Seconds for which questions have stopped the clock, those that were answered."""
    clock_stopped_before: Mapped[int] = mapped_column(default=0)
    """Of these, what had passed when the order was acknowledged."""
    fetched_at: Mapped[datetime | None]
    acknowledged_at: Mapped[datetime | None]
    provider_reference: Mapped[str | None]
    preserved_until: Mapped[datetime | None]
    extension_asked_at: Mapped[datetime | None]
    """Since when an extension waits for the provider."""
    mla_recorded_at: Mapped[datetime | None]
    """When the first MLA request or production order was recorded: it does not expire any more."""
    disposal_wanted: Mapped[bool] = mapped_column(default=False)
    """Whether the terms ask the provider to confirm disposal; copied at issue."""
    disposed_at: Mapped[datetime | None]
    disposal: Mapped[dict[str, Any] | None]
    """``reference``, ``note`` of the provider."""
    ended_at: Mapped[datetime | None]
    """When it was declined, withdrawn, released or expired."""
    refusal: Mapped[dict[str, Any] | None]
    """``grounds``, ``explanation``, ``preserved_meanwhile``."""
    withdrawal: Mapped[str | None]
    release_note: Mapped[str | None]
    question_open_since: Mapped[datetime | None]
    """The oldest question of the provider that has no answer yet."""
    answer_by: Mapped[datetime | None]
    """By when the contact point must have answered it: a term of the memorandum."""
    doubt_open_since: Mapped[datetime | None]
    """Since when the provider doubts that the order is real."""
    ladder_closed_at: Mapped[datetime | None]
    ladder_closed_reason: Mapped[str | None]
    ladder_paused_at: Mapped[datetime | None]
    """Since when a person holds the ladder; nobody is called until ``ladder_paused_until``."""
    ladder_paused_until: Mapped[datetime | None]
    ladder_pause_reason: Mapped[str | None]
    case_id: Mapped[UUID | None] = mapped_column(ForeignKey("case_file.id"), index=True)
    """Orders of one case, each to its own provider."""
    request_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("counterpart_request.id"), index=True
    )
    """The counterpart's request it was made from."""
    follows_id: Mapped[UUID | None] = mapped_column(ForeignKey("preservation_order.id"), index=True)
    """The order it follows on, where its provider named another one (arts 17, 30)."""

    queue_rank: Mapped[int] = mapped_column(Computed(_RANK, persisted=True))
    """What needs a person first has the smallest number."""
    queue_at: Mapped[datetime] = mapped_column(Computed(_AT, persisted=True))
    """The clock that runs, or the day the preservation ends, or when it ended."""
    waits_contact_point: Mapped[int] = mapped_column(Computed(_WAITS_CONTACT_POINT, persisted=True))
    """1 while the contact point owes something."""
    waits_provider: Mapped[int] = mapped_column(Computed(_WAITS_PROVIDER, persisted=True))
    """1 while the provider owes something."""

    authority: Mapped[Authority] = relationship()
    provider: Mapped[Provider] = relationship()
    officer: Mapped[Person | None] = relationship(foreign_keys=officer_id)
    submitted_by: Mapped[Person | None] = relationship(foreign_keys=submitted_by_id)
    authorised_by: Mapped[Person | None] = relationship(foreign_keys=authorised_by_id)
    ratified_by: Mapped[Person | None] = relationship(foreign_keys=ratified_by_id)
    writers: Mapped[list[OrderWriter]] = relationship(
        order_by="OrderWriter.at", cascade="all, delete-orphan"
    )
    memorandum: Mapped[Memorandum | None] = relationship()
    request: Mapped[CounterpartRequest | None] = relationship()
    targets: Mapped[list[OrderTarget]] = relationship(
        order_by="OrderTarget.position", cascade="all, delete-orphan", back_populates="order"
    )
    reports: Mapped[list[Report]] = relationship(order_by="Report.reported_at, Report.id")
    thread: Mapped[list[ThreadMessage]] = relationship(order_by="ThreadMessage.id")
    extensions: Mapped[list[Extension]] = relationship(order_by="Extension.id")
    follow_ups: Mapped[list[FollowUp]] = relationship(order_by="FollowUp.id")
    doubts: Mapped[list[Doubt]] = relationship(order_by="Doubt.id")
    routes: Mapped[list[Route]] = relationship(order_by="Route.id")
    notes: Mapped[list[OrderNote]] = relationship(order_by="OrderNote.id")
    """What only the contact point reads; never given to the provider."""

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
    __table_args__ = (UniqueConstraint("order_id", "position"),)

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

    attachments: Mapped[list[Attachment]] = relationship(order_by="Attachment.position")


class RefCounter(Base):
    """The last number given to an order of an authority in a year."""

    __tablename__ = "ref_counter"

    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
