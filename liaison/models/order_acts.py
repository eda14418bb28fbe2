"""What is done to an order beside its states: who wrote it, what was asked, doubted and found."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.domain.vocabulary import FollowUpKind
from liaison.models.base import Base, new_id


class OrderWriter(Base):
    """Whoever wrote any part of an order can neither authorise nor ratify it."""

    __tablename__ = "order_writer"

    order_id: Mapped[UUID] = mapped_column(
        ForeignKey("preservation_order.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    at: Mapped[datetime]
    """When they wrote first."""


class Extension(Base):
    """The contact point asks for a later date; the provider confirms one. None is changed after."""

    __tablename__ = "extension"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("preservation_order.id"), index=True)
    asked_at: Mapped[datetime]
    asked_by: Mapped[str]
    until: Mapped[datetime]
    """The date that is asked for."""
    reason: Mapped[str | None] = mapped_column(Text)
    confirmed_at: Mapped[datetime | None]
    confirmed_by: Mapped[str | None]
    confirmed_until: Mapped[datetime | None]
    """The date that the provider gave."""
    dropped_at: Mapped[datetime | None]
    """When it was asked no longer: the order ended, or was kept for an MLA request."""


class FollowUp(Base):
    """The MLA request or production order that followed: the order expires no more."""

    __tablename__ = "follow_up"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("preservation_order.id"), index=True)
    kind: Mapped[FollowUpKind]
    reference: Mapped[str]
    sent_on: Mapped[date]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    note: Mapped[str | None] = mapped_column(Text)


class Doubt(Base):
    """The provider doubts that the order is real: two people vouch, or it is withdrawn."""

    __tablename__ = "doubt"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("preservation_order.id"), index=True)
    at: Mapped[datetime]
    raised_by: Mapped[str]
    reason: Mapped[str] = mapped_column(Text)
    vouched_at: Mapped[datetime | None]
    """When the second person vouched."""
    ended_at: Mapped[datetime | None]
    """When it ended in another way: the order was withdrawn, declined, or its life was over."""

    vouches: Mapped[list[Vouch]] = relationship(order_by="Vouch.at")


class Vouch(Base):
    """One person of the contact point says that the order is real, with a fresh factor."""

    __tablename__ = "vouch"

    doubt_id: Mapped[UUID] = mapped_column(ForeignKey("doubt.id"), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    name: Mapped[str]
    at: Mapped[datetime]
    note: Mapped[str | None] = mapped_column(Text)


class Route(Base):
    """Another provider took part in the transmission (Budapest Convention arts 17, 30)."""

    __tablename__ = "route"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("preservation_order.id"), index=True)
    at: Mapped[datetime]
    reported_by: Mapped[str]
    named: Mapped[str]
    """The other provider, as it was named."""
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"))
    """Where the register knows it; never told to the provider who named it."""
    path: Mapped[str] = mapped_column(Text)
    """Enough to identify the path: addresses, ports, times."""
    target_id: Mapped[UUID | None] = mapped_column(ForeignKey("order_target.id"))
    followed_at: Mapped[datetime | None]
    """When a follow-on order was drafted; that order carries ``follows_id``."""


class OrderNote(Base):
    """An internal note: only the contact point reads it."""

    __tablename__ = "order_note"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("preservation_order.id"), index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    author_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    author: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
