"""Duty: rotas, what departs from them, and the calendars that are read from outside."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.domain.vocabulary import Holidays, Turn
from liaison.models.base import Base, new_id
from liaison.models.registry import Contact

_ONE = "(authority_id IS NULL) <> (provider_id IS NULL)"


class Rota(Base):
    """Contacts of one organisation that take turns (domain/rota.py has the rule)."""

    __tablename__ = "rota"
    __table_args__ = (CheckConstraint(_ONE, name="one_organisation"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    authority_id: Mapped[UUID | None] = mapped_column(ForeignKey("authority.id"), index=True)
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"), index=True)
    name: Mapped[str]
    time_zone: Mapped[str]
    turn: Mapped[Turn]
    handover: Mapped[str]
    """Local time ``HH:MM``."""
    weekday: Mapped[int]
    """0 (Monday) to 6, for weekly turns."""
    starts_on: Mapped[date]
    """The local day on which the first member begins, at the hand-over."""
    members: Mapped[list[Any]]
    """Ids of contacts, in turn."""
    windows: Mapped[list[Any]]
    """``{"days": [0, …], "opens": "08:00", "closes": "20:00"}``; empty means always."""
    holidays: Mapped[Holidays]
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    looked_at: Mapped[datetime | None]
    """When the coming week was last searched for gaps."""
    gaps_told: Mapped[list[Any]] = mapped_column(default=list)
    """Beginnings of the gaps that people were told of already."""


class DutyOverride(Base):
    """Somebody else is on duty from ``starts_at`` to ``ends_at``, in place of the rotas.

    A swap is two of them with one ``pair``; an imported calendar's have its ``source``.
    """

    __tablename__ = "duty_override"
    __table_args__ = (CheckConstraint(_ONE, name="one_organisation"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    authority_id: Mapped[UUID | None] = mapped_column(ForeignKey("authority.id"), index=True)
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"), index=True)
    rota_id: Mapped[UUID | None] = mapped_column(ForeignKey("rota.id"))
    """The one rota it departs from; None for all of the organisation's."""
    contact_id: Mapped[UUID] = mapped_column(ForeignKey("contact.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime] = mapped_column(index=True)
    note: Mapped[str] = mapped_column(default="")
    pair: Mapped[UUID | None]
    source: Mapped[str | None]
    """``ics:<uid>:<start>``: what is imported again takes the place of what was imported."""
    made_by: Mapped[str]
    made_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    cancelled_by: Mapped[str | None]

    contact: Mapped[Contact] = relationship()


class DutyFeed(Base):
    """A secret address under which a calendar program reads the duty; its SHA-256 is stored."""

    __tablename__ = "duty_feed"
    __table_args__ = (
        CheckConstraint(_ONE, name="one_organisation"),
        Index("ix_duty_feed_authority_id", "authority_id"),
        Index("ix_duty_feed_provider_id", "provider_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    authority_id: Mapped[UUID | None] = mapped_column(ForeignKey("authority.id"))
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"))
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)
    made_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    last_read_at: Mapped[datetime | None]
