"""What the desk works with: words orders are found by, saved filters, hand-overs of a shift."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from liaison.models.base import Base, ByteOrdered, new_id


class OrderKey(Base):
    """One word an order is found by: ref, target, case number, counterpart's reference.

    In the normal form of its kind (domain/order_keys.py), and in byte order, so that its
    beginning is found by an index.
    """

    __tablename__ = "order_key"
    __table_args__ = (
        Index("ix_order_key_authority", "authority_id", "kind", "key", "order_id"),
        Index("ix_order_key_provider", "provider_id", "kind", "key", "order_id"),
    )

    order_id: Mapped[UUID] = mapped_column(
        ForeignKey("preservation_order.id", ondelete="CASCADE"), primary_key=True
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    """``ref``, ``target``, ``case``, ``reference`` (counterpart's), ``answer`` (provider's)."""
    key: Mapped[str] = mapped_column(ByteOrdered, primary_key=True)
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"))
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"))
    """None until it is served, and for what only the contact point may find it by."""


class SavedFilter(Base):
    """A view of the queue that a person has named."""

    __tablename__ = "saved_filter"
    __table_args__ = (UniqueConstraint("person_id", "name_key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    name: Mapped[str]
    name_key: Mapped[str]
    query: Mapped[str]
    """The address's query string, canonical."""
    saved_at: Mapped[datetime]


class HandOver(Base):
    """The end of a shift: what is open, what was promised; signed off by who gives and who takes.

    What stood open is kept as it was told (refs, states, dates; no case data).
    """

    __tablename__ = "hand_over"
    __table_args__ = (Index("ix_hand_over_authority", "authority_id", "given_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"))
    given_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    given_by: Mapped[str]
    given_at: Mapped[datetime]
    notes: Mapped[str] = mapped_column(Text)
    told: Mapped[list[Any]]
    taken_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    taken_by: Mapped[str | None]
    taken_at: Mapped[datetime | None]
    taken_note: Mapped[str | None] = mapped_column(Text)
    cancelled_at: Mapped[datetime | None]
