"""A contact as the ladder needs it: plain values, which nobody changes by accident."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from liaison.domain.vocabulary import Function
from liaison.models.registry import Contact


class ContactRow(NamedTuple):
    """Whom to reach, where, and what of it was verified; the fields are those of ``Contact``.

    A rung reads its contacts so: making objects of them takes longer than the database itself.
    """

    id: UUID
    authority_id: UUID | None
    provider_id: UUID | None
    name: str
    function: Function
    email: str
    phone: str
    channels: list[Any]
    email_verified_at: datetime | None
    phone_verified_at: datetime | None
    usable_from: datetime | None
    removed_at: datetime | None
    wrong_number_at: datetime | None


AnyContact = Contact | ContactRow
