"""The ledger: streams of entries, each chained to the one before."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from liaison.models.base import Base

GENESIS = "0" * 64
"""The hash before the first entry of a stream."""


class Stream(Base):
    """``provider:<id>`` (both sides see it), ``authority:<id>`` (the contact point), ``portal``."""

    __tablename__ = "stream"

    id: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]
    head: Mapped[str]


class Entry(Base):
    """One act. Never updated or deleted; data and salt may be erased when retention ends."""

    __tablename__ = "entry"
    __table_args__ = (
        Index("ix_entry_order", "order_id", "stream"),
        # What an authority notes beside orders is little: it is found without reading the rest.
        Index(
            "ix_entry_no_order",
            "stream",
            "seq",
            postgresql_where=text("order_id IS NULL"),
            sqlite_where=text("order_id IS NULL"),
        ),
    )

    stream: Mapped[str] = mapped_column(ForeignKey("stream.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(unique=True)
    type: Mapped[str]
    at: Mapped[datetime]
    actor: Mapped[str]
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("preservation_order.id"))
    data: Mapped[str | None]
    """Canonical JSON (RFC 8785), as it was hashed."""
    salt: Mapped[str | None]
    digest: Mapped[str]
    prev: Mapped[str]
    hash: Mapped[str]


class EntryRow(NamedTuple):
    """An entry as it is written; the fields are those of ``Entry``.

    Nobody changes one afterwards, so none becomes an object of the session.
    """

    stream: str
    seq: int
    type: str
    at: datetime
    actor: str
    order_id: UUID | None
    data: str
    salt: str
    digest: str
    prev: str
    hash: str = ""
    id: UUID = UUID(int=0)


AnyEntry = Entry | EntryRow
