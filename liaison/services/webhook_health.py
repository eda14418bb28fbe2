"""How an endpoint does: its failures are counted from the first of an unbroken row.

After an hour its provider's people are written to, after three days it is disabled; a 410 (gone)
disables it at once. The ladder goes on all the while, and the stream keeps every entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, not_, or_, select, update
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.domain.actors import CLOCK
from liaison.models import Provider, WebhookEndpoint
from liaison.models.webhooks import EndpointState
from liaison.models.work import Message, MessageState
from liaison.services import key_notices, ledger, outbox, portal_log

WARN_AFTER = timedelta(hours=1)
DISABLE_AFTER = timedelta(days=3)
SILENT = timedelta(days=1)
"""After so long without a try a failure begins a new row: nobody knows how it did meanwhile."""
NOTE_OK_EVERY = timedelta(minutes=1)
"""A busy endpoint is written to once a minute, not with each event."""

GONE = "It answered 410: gone for good."
FAILING = "Nothing could be delivered for three days."


def note_ok(session: Session, endpoint_id: UUID, now: datetime) -> None:
    """It took an event: whatever failed before is over."""
    session.execute(
        update(WebhookEndpoint)
        .where(
            WebhookEndpoint.id == endpoint_id,
            or_(
                WebhookEndpoint.failing_since.is_not(None),
                WebhookEndpoint.last_ok_at.is_(None),
                WebhookEndpoint.last_ok_at <= now - NOTE_OK_EVERY,
                # The first after an act on it: until then nobody knows whether it works.
                WebhookEndpoint.last_ok_at <= WebhookEndpoint.changed_at,
            ),
        )
        .values(failing_since=None, last_ok_at=now)
        .execution_options(synchronize_session=False)
    )


def held(session: Session, endpoint_id: UUID) -> WebhookEndpoint:
    """The endpoint, locked before its messages are; what refers to it can be written all the same.

    An act on an order holds that order and writes messages of endpoints, so a whole lock here
    would let the two wait for each other.
    """
    return session.scalars(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.id == endpoint_id)
        .with_for_update(of=WebhookEndpoint, key_share=True)
        .execution_options(populate_existing=True)
    ).one()


def note_failure(
    session: Session, endpoint_id: UUID, now: datetime, base_url: str, *, gone: bool
) -> list[ledger.Record]:
    """It did not take an event; warned of or disabled where that has lasted.

    Gives back what the portal's log must say, once the message is put off: a log's lock comes
    last, as everywhere.
    """
    row = held(session, endpoint_id)
    if row.state is not EndpointState.ACTIVE:
        return []
    if row.failing_since is None or not _was_tried(session, row.id, now - SILENT):
        row.failing_since = now
    lasted = now - row.failing_since
    if gone or lasted >= DISABLE_AFTER:
        close(session, row, EndpointState.DISABLED, GONE if gone else FAILING, now)
        _write(session, row, "webhook_disabled", f"{row.id}:{rfc3339(now)}", now, base_url)
        told = {**about(row), "why": row.disabled_why}
        organisation = f"provider:{row.provider_id}"
        return [portal_log.entry("webhook_given_up", CLOCK.id, organisation, told)]
    if lasted >= WARN_AFTER:
        # The row of failures is the letter's reason: one letter for each.
        reason = f"{row.id}:{rfc3339(row.failing_since)}"
        _write(session, row, "webhook_failing", reason, now, base_url)
    return []


def _was_tried(session: Session, endpoint_id: UUID, since: datetime) -> bool:
    """Whether anything was tried there since, before the try that fails now.

    A message's ``next_at`` is its last try or the next one, half a day later at most.
    """
    is_first_try = and_(Message.state == MessageState.SENDING, Message.attempts == 1)
    earlier = select(Message.id).where(
        Message.endpoint_id == endpoint_id,
        Message.attempts > 0,
        Message.next_at > since,
        not_(is_first_try),
    )
    return session.scalars(earlier.order_by(Message.id.desc()).limit(1)).first() is not None


def close(
    session: Session, row: WebhookEndpoint, state: EndpointState, why: str | None, now: datetime
) -> None:
    """From here on it is told nothing; what waits for it is taken back."""
    row.state, row.disabled_at, row.disabled_why = state, now, why
    row.changed_at = now
    session.flush()
    _cancel_unsent(session, row.id)


def _cancel_unsent(session: Session, endpoint_id: UUID) -> None:
    """One that somebody else holds is left: whoever sends it looks again first."""
    waiting: Iterable[UUID] = session.scalars(
        select(Message.id)
        .where(
            Message.endpoint_id == endpoint_id,
            Message.state.in_((MessageState.QUEUED, MessageState.SENDING)),
        )
        .order_by(Message.id)
        .with_for_update(skip_locked=True, of=Message)
    ).all()
    session.execute(
        update(Message)
        .where(Message.id.in_(waiting))
        .values(state=MessageState.CANCELLED)
        .execution_options(synchronize_session=False)
    )


def about(row: WebhookEndpoint) -> dict[str, Any]:
    """An endpoint as the portal's log names it: a path can hold a secret of the other side's."""
    return {"webhook": str(row.id), "name": host_of(row.url)}


def host_of(url: str) -> str:
    """Name and port of an address, nothing behind them."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0]


def _write(
    session: Session, row: WebhookEndpoint, letter: str, reason: str, now: datetime, base_url: str
) -> None:
    provider = session.get_one(Provider, row.provider_id)
    for person in key_notices.keepers(session, row):
        params = {
            "name": person.name,
            "provider": provider.name,
            "host": host_of(row.url),
            "since": rfc3339(row.failing_since or now),
            "why": row.disabled_why or "",
            "link": f"{base_url}/webhooks/{row.id}",
        }
        outbox.queue_letter(session, person.email, letter, params, f"{letter}:{reason}", now)
