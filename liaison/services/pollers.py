"""Programs that fell silent: whoever expects them is told, once a silence.

An organisation says how often its program calls (``ApiKey.expected_every``). One that has called
before and then does not is told of: to its administrators, for they can mend it, and of a
provider's to the duty officers of the contact points that have agreed with it, for an order may
lie unread.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from liaison.clock import rfc3339
from liaison.domain.actors import CLOCK
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import Urgency
from liaison.models import ApiKey, Order
from liaison.services import key_notices, portal_log, watch_letters

SHORTEST, LONGEST = 2, 10_080
"""Minutes within which a program may be expected: its calls are noted once a minute; a week."""

IN_EMERGENCY = timedelta(minutes=5)
"""So long a program may be silent at most while an emergency of its provider is open."""

BATCH = 20
"""Keys told of in one transaction."""


def is_due(session: Session, now: datetime) -> bool:
    """Whether anything is to be told: asked before a writing transaction is begun."""
    keys = session.scalars(select(ApiKey).where(_watched(now)))
    return any(_is_changed(session, key, now) for key in keys)


def run(session: Session, now: datetime, base_url: str) -> int:
    """Tells of programs that fell silent, and notes those that are back; how many."""
    rows = session.scalars(
        select(ApiKey)
        .where(_watched(now))
        .order_by(ApiKey.id)
        .with_for_update(skip_locked=True, of=ApiKey)
        .execution_options(populate_existing=True)
    ).all()
    changed = [key for key in rows if _is_changed(session, key, now)][:BATCH]
    for key in changed:
        was_silent = key.silent_since is not None
        key.silent_since = None if was_silent else now
        if not was_silent:
            _tell(session, key, base_url, now)
    session.flush()
    for key in changed:
        _note(session, key, now)
    return len(changed)


def _watched(now: datetime) -> ColumnElement[bool]:
    """Keys that count, are expected and were used before.

    One that was rolled over is waited for until its successor is used: then the program has moved.
    """
    successor = aliased(ApiKey)
    moved = (
        select(successor.id)
        .where(successor.id == ApiKey.successor_id, successor.last_used_at.is_not(None))
        .correlate(ApiKey)
        .exists()
    )
    return (
        ApiKey.expected_every.is_not(None)
        & ApiKey.last_used_at.is_not(None)
        & ApiKey.revoked_at.is_(None)
        & or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now)
        & ~moved
    )


def _is_changed(session: Session, key: ApiKey, now: datetime) -> bool:
    assert key.last_used_at is not None
    if key.silent_since is not None:
        return key.last_used_at > key.silent_since
    return _is_silent(session, key, now)


def _is_silent(session: Session, key: ApiKey, now: datetime) -> bool:
    assert key.last_used_at is not None
    assert key.expected_every is not None
    expected = timedelta(minutes=key.expected_every)
    if now - key.last_used_at > expected:
        return True
    limit = min(expected, IN_EMERGENCY)
    if now - key.last_used_at <= limit:
        return False
    # It learns of an emergency by calling: it is given as long from the moment of issue.
    begun = _emergency_since(session, key)
    return begun is not None and now - begun > limit


def _emergency_since(session: Session, key: ApiKey) -> datetime | None:
    """When the oldest emergency was issued that the key's provider has not answered yet."""
    return session.scalar(
        select(func.min(Order.issued_at)).where(
            Order.provider_id == key.provider_id,
            Order.state.in_((OrderState.ISSUED, OrderState.ACKNOWLEDGED)),
            Order.urgency == Urgency.EMERGENCY,
            Order.test.is_(False),
        )
    )


def _tell(session: Session, key: ApiKey, base_url: str, now: datetime) -> None:
    assert key.last_used_at is not None
    params = {
        "provider": key.owner.name,
        "key": key.name,
        "prefix": key.prefix,
        "last": rfc3339(key.last_used_at),
        "expected": key.expected_every,
    }
    reason = f"silent:{key.id}:{rfc3339(now)}"
    theirs = {person.email: person.name for person in key_notices.keepers(session, key)}
    own = {**params, "link": f"{base_url}/api-keys"}
    watch_letters.send(session, theirs, "watch/key_silent", own, reason, now)
    if key.provider_id is None:
        return  # a contact point's own: nobody else waits for it
    ours = {**params, "link": f"{base_url}/providers/{key.provider_id}"}
    letter = "watch/program_silent"
    watch_letters.tell_partners(session, key.provider_id, letter, ours, reason, now)


def _note(session: Session, key: ApiKey, now: datetime) -> None:
    told = {"key": str(key.id), "name": key.name, "prefix": key.prefix}
    type_ = "key_back" if key.silent_since is None else "key_silent"
    portal_log.note(session, now, type_, CLOCK.id, portal_log.organisation_of(key), told)
