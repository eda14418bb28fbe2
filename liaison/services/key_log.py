"""What a key's program asked for and was answered: kept for seven days, for its engineers.

It is a help and no record: what it says may be lost with a process, and never what is in the
ledger. Nothing is written while a request is answered; the endpoint collects in memory
(``api.noted``) and hands over what is alike as one row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Delete, delete, select, update
from sqlalchemy.orm import Session

from liaison.models import KeyRequest
from liaison.models.base import insert_once

KEEP = timedelta(days=7)
PORTION = 5_000
"""Rows deleted at a time: many at once would hold up whoever writes an order."""


class Alike(NamedTuple):
    """What two requests have in common to be one row; the fields of ``KeyRequest``.

    A tuple, for one is made for every request: half as long as a dataclass takes.
    """

    api_key_id: UUID
    method: str
    route: str
    order_name: str | None
    status: int
    problem: str | None
    pointers: tuple[str, ...]
    address: str


@dataclass(frozen=True)
class Noted:
    """So many requests that were alike, between two moments."""

    id: UUID
    alike: Alike
    first_at: datetime
    last_at: datetime
    count: int
    request_id: str


def write(session: Session, found: Sequence[Noted]) -> None:
    """Writes rows that are new, and how far those that stood there have grown.

    In the order of the keys: two processes never wait for each other's rows crosswise.
    """
    for noted in sorted(found, key=lambda noted: (noted.alike.api_key_id, noted.id)):
        grown = {
            "last_at": noted.last_at,
            "count": noted.count,
            "request_id": noted.request_id,
        }
        new = {"id": noted.id, **noted.alike._asdict(), "first_at": noted.first_at, **grown}
        new["pointers"] = list(noted.alike.pointers)
        if not insert_once(session, KeyRequest, new):
            session.execute(
                update(KeyRequest)
                .where(KeyRequest.id == noted.id)
                .values(grown)
                .execution_options(synchronize_session=False)
            )


def past_their_time(now: datetime) -> Delete:
    """A portion of what is older than seven days."""
    old = (
        select(KeyRequest.id)
        .where(KeyRequest.last_at <= now - KEEP)
        .order_by(KeyRequest.last_at)
        .limit(PORTION)
    )
    return delete(KeyRequest).where(KeyRequest.id.in_(old))
