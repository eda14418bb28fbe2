"""Memoranda: versions, who signed which, and the document itself."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.domain.vocabulary import MemorandumState, Side
from liaison.models.base import Base, new_id
from liaison.models.registry import Authority, Provider


class Memorandum(Base):
    """A memorandum between an authority and a provider; its terms are data (domain/terms.py).

    A draft can be written by both sides; once both have signed the same content it is agreed and
    is never changed again, but for its end. Whether it binds on a day follows from the dates.
    """

    __tablename__ = "memorandum"
    __table_args__ = (UniqueConstraint("authority_id", "provider_id", "reference", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"), index=True)
    reference: Mapped[str]
    version: Mapped[int]
    state: Mapped[MemorandumState] = mapped_column(default=MemorandumState.AGREED)
    signed_on: Mapped[date | None]
    """The day the second side signed; None for a draft."""
    in_force_from: Mapped[date]
    in_force_to: Mapped[date | None]
    """The last day in force; None while no end is agreed."""
    terms: Mapped[dict[str, Any]]
    edit: Mapped[int] = mapped_column(default=1)
    """Counts what was written to a draft: a form that read an older one is stale."""
    drafted_by: Mapped[str] = mapped_column(default="")
    drafted_at: Mapped[datetime | None]
    changed_by: Mapped[str] = mapped_column(default="")
    changed_at: Mapped[datetime | None]
    sides: Mapped[list[Any]] = mapped_column(default=list)
    """The sides (``Side``) that began, wrote or signed it: a draft shows nobody's people before."""
    ended_by: Mapped[str | None]
    """Who set its end, by name and organisation, where one side ended it."""
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str | None]
    warned_at: Mapped[datetime | None]
    """When both sides were last told that it ends soon."""

    authority: Mapped[Authority] = relationship()
    provider: Mapped[Provider] = relationship(back_populates="memoranda")
    signatures: Mapped[list[Signature]] = relationship(order_by="Signature.id")
    document: Mapped[MemorandumDocument | None] = relationship(back_populates="memorandum")

    @property
    def standing(self) -> list[Signature]:
        """The signatures that count: a change of the content voids those given before."""
        return [signature for signature in self.signatures if signature.voided_at is None]


class Signature(Base):
    """One side's signature under one content of a memorandum, given with a fresh factor."""

    __tablename__ = "memorandum_signature"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    memorandum_id: Mapped[UUID] = mapped_column(ForeignKey("memorandum.id"), index=True)
    side: Mapped[Side]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    name: Mapped[str]
    factor: Mapped[str]
    signed_at: Mapped[datetime]
    sha256: Mapped[str]
    """Of what was signed: reference, version, dates, terms and the document's own SHA-256."""
    voided_at: Mapped[datetime | None]


class MemorandumDocument(Base):
    """The document as a file (PDF), beside the memorandum so that lists do not read it."""

    __tablename__ = "memorandum_document"

    memorandum_id: Mapped[UUID] = mapped_column(ForeignKey("memorandum.id"), primary_key=True)
    name: Mapped[str]
    sha256: Mapped[str]
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    uploaded_by: Mapped[str]
    uploaded_at: Mapped[datetime]

    memorandum: Mapped[Memorandum] = relationship(back_populates="document")
