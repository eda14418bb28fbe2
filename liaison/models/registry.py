"""The register: who issues, who is asked, whom to reach, under which memorandum."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.domain.vocabulary import Function
from liaison.models.base import Base, new_id


class Authority(Base):
    """An issuing authority. ``code`` begins the refs of its orders."""

    __tablename__ = "authority"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    country: Mapped[str]
    time_zone: Mapped[str]
    postal_address: Mapped[str] = mapped_column(default="")
    phone: Mapped[str]
    email: Mapped[str]
    office_hours: Mapped[str] = mapped_column(default="24/7")
    preferred_answer: Mapped[str] = mapped_column(default="Through this portal")
    passkey_to_issue: Mapped[bool] = mapped_column(default=False)
    """Whether its officers issue with a passkey only."""
    domains: Mapped[list[Any]] = mapped_column(default=list)
    """Its people's institutional mail domains."""

    contacts: Mapped[list[Contact]] = relationship(order_by="Contact.position")


class Provider(Base):
    """A provider. ``domains`` are registered ones: orders may name the provider by them."""

    __tablename__ = "provider"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(unique=True)
    legal_name: Mapped[str]
    country: Mapped[str]
    time_zone: Mapped[str]
    domains: Mapped[list[Any]]
    services: Mapped[list[Any]]
    languages: Mapped[list[Any]]

    contacts: Mapped[list[Contact]] = relationship(order_by="Contact.position")
    memoranda: Mapped[list[Memorandum]] = relationship(order_by="Memorandum.in_force_from")


class Contact(Base):
    """A registered contact. Calls go to this number and to no other."""

    __tablename__ = "contact"
    __table_args__ = (
        CheckConstraint("(authority_id IS NULL) <> (provider_id IS NULL)", name="one_organisation"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    authority_id: Mapped[UUID | None] = mapped_column(ForeignKey("authority.id"), index=True)
    provider_id: Mapped[UUID | None] = mapped_column(ForeignKey("provider.id"), index=True)
    position: Mapped[int]
    name: Mapped[str]
    function: Mapped[Function]
    email: Mapped[str]
    phone: Mapped[str]
    languages: Mapped[list[Any]]
    review_on: Mapped[date]


class Memorandum(Base):
    """A memorandum between an authority and a provider; its terms are data (domain/terms.py)."""

    __tablename__ = "memorandum"
    __table_args__ = (UniqueConstraint("authority_id", "provider_id", "reference", "version"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    authority_id: Mapped[UUID] = mapped_column(ForeignKey("authority.id"))
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"), index=True)
    reference: Mapped[str]
    version: Mapped[int]
    signed_on: Mapped[date]
    in_force_from: Mapped[date]
    in_force_to: Mapped[date | None]
    """The last day in force; None while no end is agreed."""
    terms: Mapped[dict[str, Any]]

    authority: Mapped[Authority] = relationship()
    provider: Mapped[Provider] = relationship(back_populates="memoranda")
