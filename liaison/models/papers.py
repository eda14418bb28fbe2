"""Files that go with a message: stored by their hash, never under a name somebody gave."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column, relationship

from liaison.models.base import Base, new_id


class Blob(Base):
    """The bytes of a file, once, whoever sent it."""

    __tablename__ = "blob"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    stored_at: Mapped[datetime]


class Attachment(Base):
    """A file beside a message of an order's thread."""

    __tablename__ = "attachment"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    message_id: Mapped[UUID] = mapped_column(ForeignKey("thread_message.id"), index=True)
    position: Mapped[int]
    name: Mapped[str]
    """As its sender called it; shown, and offered when it is saved."""
    media_type: Mapped[str]
    """Found from its content, one of the types that are taken."""
    sha256: Mapped[str] = mapped_column(ForeignKey("blob.sha256"))
    size: Mapped[int]

    blob: Mapped[Blob] = relationship()
