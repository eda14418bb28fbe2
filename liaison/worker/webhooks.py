"""What the step that sends needs for a webhook: its secrets just before, its health just after."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from liaison.delivery import DeliveryError, Outgoing
from liaison.domain.actors import CLOCK
from liaison.models import Message
from liaison.services import ledger, webhook_health, webhooks
from liaison.services.claims import Claimed
from liaison.worker.work import Work


def outgoing(work: Work, claimed: Claimed) -> Outgoing:
    """The event with address and secrets as they are at this moment."""
    assert claimed.endpoint_id is not None, "a webhook goes to an endpoint"
    with work.database.reading() as session:
        ready = webhooks.ready(session, claimed.endpoint_id, work.now())
    if ready is None:
        raise DeliveryError("The webhook was disabled meanwhile.", permanent=True)
    return Outgoing(
        address=ready.url,
        subject="",
        text="",
        html="",
        idem=claimed.idem,
        written_at=claimed.created_at,
        channel=claimed.channel,
        number=str(claimed.id),
        body=webhooks.body(claimed.params, work.settings.base_url),
        secrets=tuple(work.vault.open(sealed) for sealed in ready.sealed),
    )


def note_ok(session: Session, claimed: Claimed, now: datetime) -> None:
    """The endpoint took it; nothing to note where the message is no webhook."""
    if claimed.endpoint_id is not None:
        webhook_health.note_ok(session, claimed.endpoint_id, now)


def note_failure(
    session: Session, claimed: Claimed, error: DeliveryError, now: datetime, base_url: str
) -> list[ledger.Record]:
    """Before its message is put off: the endpoint's row is locked first, as everywhere.

    Gives back what is to be recorded after.
    """
    if claimed.endpoint_id is None:
        return []
    return webhook_health.note_failure(session, claimed.endpoint_id, now, base_url, gone=error.gone)


def note_used_up(message: Message, now: datetime) -> None:
    """Nobody is called and nothing is left to do: the ladder calls, and the stream has it all."""
    message.settled_at, message.settled_by = now, CLOCK.id
