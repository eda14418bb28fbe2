"""How people come in, prove who they are, and are let go."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.models.base import Base, new_id
from liaison.models.orders import Order
from liaison.models.people import Person


class Invitation(Base):
    """A link that leads a person through password, second factor and recovery codes, once.

    ``kind`` is ``invitation`` (the person is new) or ``reset`` (they lost their factor).
    """

    __tablename__ = "invitation"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(default="invitation")
    email: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    roles: Mapped[list[Any]]
    authority_id: Mapped[UUID | None] = mapped_column(ForeignKey("authority.id"), index=True)
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"), index=True)
    invited_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    invited_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    """Whose account it became, or whose factor it resets."""

    invited_by: Mapped[Person | None] = relationship(foreign_keys=[invited_by_id])
    person: Mapped[Person | None] = relationship(foreign_keys=[person_id])


class RecoveryCode(Base):
    """A code that stands in for the factor once. Random enough for a fast hash: 80 bits."""

    __tablename__ = "recovery_code"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    code_hash: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Passkey(Base):
    """A WebAuthn credential of a person."""

    __tablename__ = "passkey"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    credential_id: Mapped[str] = mapped_column(unique=True)
    """base64url, as the browser gives it."""
    public_key: Mapped[str]
    """base64url of the COSE key."""
    sign_count: Mapped[int]
    transports: Mapped[list[Any]]
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class FactorReset(Base):
    """A lost factor: asked for by an administrator, in force after the cooling-off."""

    __tablename__ = "factor_reset"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    reason: Mapped[str]
    asked_by_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]
    effective_at: Mapped[datetime]
    confirmed_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    confirmed_at: Mapped[datetime | None]
    """A second administrator shortens the cooling-off."""
    cancelled_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    cancelled_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    asked_by: Mapped[Person] = relationship(foreign_keys=[asked_by_id])
    confirmed_by: Mapped[Person | None] = relationship(foreign_keys=[confirmed_by_id])


class OrderReview(Base):
    """An open order that a disabled person touched: another one confirms or withdraws it."""

    __tablename__ = "order_review"
    __table_args__ = (Index("ix_order_review_order", "order_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("preservation_order.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    opened_at: Mapped[datetime]
    decision: Mapped[str | None]
    """``confirmed`` or ``withdrawn``."""
    decided_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime | None]

    order: Mapped[Order] = relationship()
    person: Mapped[Person] = relationship(foreign_keys=[person_id])
    decided_by: Mapped[Person | None] = relationship(foreign_keys=[decided_by_id])


class KeptForm(Base):
    """What somebody had typed when their session ran out, sealed, until they are back."""

    __tablename__ = "kept_form"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    path: Mapped[str]
    sealed: Mapped[str]
    kept_at: Mapped[datetime] = mapped_column(index=True)


class KeptFile(Base):
    """A file that was sent with a form that was not taken: sealed, until it is sent again."""

    __tablename__ = "kept_file"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    path: Mapped[str]
    field: Mapped[str]
    name: Mapped[str]
    """Sealed: it may name a case."""
    size: Mapped[int]
    """Bytes, before they were sealed."""
    sealed: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    kept_at: Mapped[datetime] = mapped_column(index=True)
