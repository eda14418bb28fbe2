"""Where a provider's program is told that its stream has grown."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.models.base import Base, new_id
from liaison.models.registry import Provider


class EndpointState(StrEnum):
    """Only an active one is told anything."""

    ACTIVE = "active"
    DISABLED = "disabled"
    """By its people, by a 410, or after days of failure (``disabled_why``)."""
    REMOVED = "removed"


class WebhookEndpoint(Base):
    """An address of one provider, with the secret that signs what goes there."""

    __tablename__ = "webhook_endpoint"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column()
    provider_id: Mapped[UUID] = mapped_column(ForeignKey("provider.id"), index=True)
    url: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    events: Mapped[list[Any]] = mapped_column(default=list)
    """Entry types it is told of; empty means all."""
    state: Mapped[EndpointState] = mapped_column(default=EndpointState.ACTIVE)
    sealed_secret: Mapped[str]
    """Shown once, when it is made or rolled over."""
    sealed_old_secret: Mapped[str | None]
    """Signs too until ``old_secret_until``, so that a program can change over without a gap."""
    old_secret_until: Mapped[datetime | None]
    created_at: Mapped[datetime]
    created_by: Mapped[str]
    changed_at: Mapped[datetime]
    failing_since: Mapped[datetime | None]
    """When the first of an unbroken row of failures was; None after a success."""
    last_ok_at: Mapped[datetime | None]
    disabled_at: Mapped[datetime | None]
    """When it was disabled last, whether it is active again or not."""
    disabled_why: Mapped[str | None]

    provider: Mapped[Provider] = relationship()

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - read by SQLAlchemy
