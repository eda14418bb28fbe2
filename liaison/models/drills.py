"""Drills: orders marked TEST, when they are planned and what became of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.domain.vocabulary import DrillState, Urgency
from liaison.models.base import Base, new_id
from liaison.models.memoranda import Memorandum
from liaison.models.orders import Order


class Drill(Base):
    """One drill. The order it becomes carries ``test`` and a ref of its own series."""

    __tablename__ = "drill"
    __table_args__ = (
        Index(
            "ix_drill_due",
            "planned_at",
            postgresql_where=text("state = 'planned'"),
            sqlite_where=text("state = 'planned'"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    memorandum_id: Mapped[UUID] = mapped_column(ForeignKey("memorandum.id"), index=True)
    slot: Mapped[str | None] = mapped_column(unique=True)
    """``<authority>:<provider>:<year>:<number>`` of those the memorandum asks for; None for one
    that a person planned."""
    urgency: Mapped[Urgency]
    announced: Mapped[bool]
    """Whether the provider is told beforehand."""
    announced_at: Mapped[datetime | None]
    planned_at: Mapped[datetime]
    state: Mapped[DrillState] = mapped_column(default=DrillState.PLANNED)
    planned_by: Mapped[str]
    put_off: Mapped[int] = mapped_column(default=0)
    """How often a real emergency stood in its way."""
    why: Mapped[str | None]
    """Why it was put off, cancelled or broken off."""
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("preservation_order.id"), unique=True)
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    memorandum: Mapped[Memorandum] = relationship()
    order: Mapped[Order | None] = relationship()


class DrillCounter(Base):
    """The last number given to a drill of an authority in a year: real refs have no gaps."""

    __tablename__ = "drill_counter"

    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"), primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
