"""What helps with writing orders: cases, drafts that are not whole yet, templates, who looks."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.models.base import Base, new_id
from liaison.models.people import Person


class CaseFile(Base):
    """Orders that belong together: the same matter, several providers."""

    __tablename__ = "case_file"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"), index=True)
    name: Mapped[str]
    """What people call it: the investigating authority's case number at first."""
    opened_at: Mapped[datetime]
    opened_by: Mapped[str]


class UnfinishedDraft(Base):
    """A form as it was typed so far, whole or not: sealed, for the authority's people."""

    __tablename__ = "unfinished_draft"
    __table_args__ = (Index("ix_unfinished_authority", "authority_id", "saved_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"))
    order_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("preservation_order.id", ondelete="CASCADE"), unique=True
    )
    """The draft that is being changed; None for a new order."""
    title: Mapped[str]
    """What the list of drafts calls it."""
    sealed: Mapped[str]
    """The form's fields, encrypted: they may hold a case."""
    edit: Mapped[int] = mapped_column(default=1)
    """Counts what was saved: whoever read an older one is told."""
    begun_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    begun_at: Mapped[datetime]
    saved_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    saved_at: Mapped[datetime]

    begun_by: Mapped[Person] = relationship(foreign_keys=begun_by_id)
    saved_by: Mapped[Person] = relationship(foreign_keys=saved_by_id)


class UnfinishedWriter(Base):
    """Whoever typed into an unfinished draft has written the order that comes of it.

    It outlives the draft, hence no foreign key: pages that show the text may be sent later.
    """

    __tablename__ = "unfinished_writer"

    draft_id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    at: Mapped[datetime]


class Presence(Base):
    """Who has a page open: an order, or an unfinished draft. Gone a minute after the last sign."""

    __tablename__ = "presence"

    subject: Mapped[UUID] = mapped_column(primary_key=True)
    """The id of an order or of an unfinished draft."""
    person_id: Mapped[UUID] = mapped_column(
        ForeignKey("person.id", ondelete="CASCADE"), primary_key=True
    )
    seen_at: Mapped[datetime] = mapped_column(index=True)
    writing: Mapped[bool] = mapped_column(default=False)

    person: Mapped[Person] = relationship()


class OrderTemplate(Base):
    """A form filled in part, for an authority's people to begin an order with."""

    __tablename__ = "order_template"
    __table_args__ = (UniqueConstraint("authority_id", "name_key"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"))
    name: Mapped[str]
    name_key: Mapped[str]
    """The name folded: no two are called alike."""
    sealed: Mapped[str]
    """The form's fields, encrypted like an unfinished draft's."""
    edit: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[str]
    changed_at: Mapped[datetime]
