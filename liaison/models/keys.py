"""What providers' programs asked of the endpoint, for whoever looks after the key."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from liaison.models.base import Base, new_id

_WITH_PROBLEM = text("problem IS NOT NULL")


class KeyRequest(Base):
    """Requests of one key that were alike: one row with how many they were.

    Never what was sent or answered: the route instead of the path, of a fault its place only.
    """

    __tablename__ = "key_request"
    __table_args__ = (
        Index("ix_key_request_key", "api_key_id", "id"),
        Index(
            "ix_key_request_problem",
            "api_key_id",
            "id",
            postgresql_where=_WITH_PROBLEM,
            sqlite_where=_WITH_PROBLEM,
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    api_key_id: Mapped[UUID] = mapped_column(ForeignKey("api_key.id"))
    first_at: Mapped[datetime]
    last_at: Mapped[datetime] = mapped_column(index=True)
    count: Mapped[int]
    method: Mapped[str]
    route: Mapped[str]
    """As the reference writes it: ``/api/v1/orders/{order}``."""
    order_name: Mapped[str | None]
    """What stood for ``{order}``: a ref, or an id. None where none did, or several."""
    status: Mapped[int]
    problem: Mapped[str | None]
    """The last part of the problem's ``type``; None where the answer was none."""
    pointers: Mapped[list[Any]]
    """Where the input was refused (JSON pointers)."""
    address: Mapped[str]
    """Empty where they came from several."""
    request_id: Mapped[str]
    """That of the last one: what ``instance`` and ``X-Request-Id`` said."""
