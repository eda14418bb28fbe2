"""Letters before a key expires: 30 days, 7 days and 1 day before, each once."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.vocabulary import Role
from liaison.models import ApiKey, Person, PersonRole, WebhookEndpoint
from liaison.services import outbox

DAYS_BEFORE = (30, 7, 1)
BATCH = 20
"""Keys told of in one transaction."""

_PROVIDERS: tuple[Role, ...] = (Role.PROVIDER_ADMINISTRATOR, Role.SPOC)
_AUTHORITIES: tuple[Role, ...] = (Role.ADMINISTRATOR,)


def is_due(session: Session, now: datetime) -> bool:
    """Whether anybody is to be told: asked before a writing transaction is begun."""
    return any(_days_due(row, now) for row in session.scalars(select(ApiKey).where(_ending(now))))


def run(session: Session, now: datetime, base_url: str) -> int:
    """Queues the letters that are due; how many. What was told is noted with the key."""
    link = f"{base_url}/api-keys"
    rows = session.scalars(
        select(ApiKey)
        .where(_ending(now))
        .order_by(ApiKey.expires_at, ApiKey.id)
        .with_for_update(skip_locked=True, of=ApiKey)
        .execution_options(populate_existing=True)
    )
    due = [(row, days) for row in rows if (days := _days_due(row, now))]
    told = 0
    for row, days in due[:BATCH]:
        told += sum(
            _queue(session, person, row, days, link, now) for person in keepers(session, row)
        )
        row.warned_at = now
    session.flush()
    return told


def _ending(now: datetime) -> ColumnElement[bool]:
    return (
        ApiKey.revoked_at.is_(None)
        & (ApiKey.expires_at > now)
        & (ApiKey.expires_at <= now + timedelta(days=max(DAYS_BEFORE)))
    )


def _days_due(row: ApiKey, now: datetime) -> int:
    """Which letter is due, in days before the end; 0 where none is.

    After a time without a worker only the latest letter goes out. Whoever made the key, or
    rolled it over, after a letter's moment knows already.
    """
    assert row.expires_at is not None, "a key without an end is not asked about"
    known = row.warned_at or row.created_at
    for days in sorted(DAYS_BEFORE):
        moment = row.expires_at - timedelta(days=days)
        if moment <= now:
            return days if known < moment else 0
    return 0


def keepers(session: Session, row: ApiKey | WebhookEndpoint) -> list[Person]:
    """Its organisation's administrators; a provider's SPOCs where it has none."""
    own, roles = Person.provider_id == row.provider_id, _PROVIDERS
    if isinstance(row, ApiKey) and row.authority_id is not None:
        own, roles = Person.authority_id == row.authority_id, _AUTHORITIES
    for role in roles:
        found = session.scalars(
            select(Person)
            .where(
                own,
                Person.disabled_at.is_(None),
                Person.id.in_(select(PersonRole.person_id).where(PersonRole.role == role)),
            )
            .order_by(Person.id)
        ).all()
        if found:
            return list(found)
    return []


def _queue(
    session: Session, person: Person, row: ApiKey, days: int, link: str, now: datetime
) -> bool:
    assert row.expires_at is not None
    params = {
        "name": person.name,
        "provider": row.owner.name,
        "key": row.name,
        "prefix": row.prefix,
        "days": days,
        "expires": rfc3339(row.expires_at),
        "replaced": row.successor_id is not None,
        "link": link,
    }
    # The end stands in the letter's reason: a key that was rolled over ends on another day.
    reason = f"key:{row.id}:{row.expires_at.date()}:{days}"
    return outbox.queue_letter(session, person.email, "key_expires", params, reason, now)
