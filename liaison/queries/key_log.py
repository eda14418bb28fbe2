"""What a key's program asked for, to be looked at by its provider's people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from liaison.models import ApiKey, KeyRequest

PAGE = 50


@dataclass(frozen=True)
class Requests:
    """A page, the latest begun first; ``older`` is where the next one begins."""

    rows: Sequence[KeyRequest]
    older: UUID | None


def of_key(
    session: Session, key: ApiKey, before: UUID | None = None, *, problems: bool = False
) -> Requests:
    """Requests of a key that comes from ``key_list.seen``; ``problems``: refused ones only."""
    found = session.scalars(newest(key.id, before, problems=problems)).all()
    more = len(found) > PAGE
    return Requests(found[:PAGE], found[PAGE - 1].id if more else None)


def newest(key_id: UUID, before: UUID | None, *, problems: bool) -> Select[KeyRequest]:
    """A page and one row more: each kind has an index that begins with the key."""
    query = (
        select(KeyRequest)
        .where(KeyRequest.api_key_id == key_id)
        .order_by(KeyRequest.id.desc())
        .limit(PAGE + 1)
    )
    if problems:
        query = query.where(KeyRequest.problem.is_not(None))
    return query if before is None else query.where(KeyRequest.id < before)
