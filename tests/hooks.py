"""Short ways to keep webhooks in the tests' world."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from liaison.models import Entry, Message, WebhookEndpoint
from liaison.services import ledger, webhook_keeping
from liaison.services.webhook_keeping import Wanted
from tests.world import World

KEEPER = "provider_administrator"


def made(world: World, url: str, events: Sequence[str] = (), by: str = KEEPER) -> tuple[UUID, str]:
    """An endpoint of Meridian Telecom's, committed: its id and its secret."""
    with world.database.transaction() as session:
        row, secret = webhook_keeping.make(
            session,
            world.vault,
            world.actor(by),
            Wanted(url, "Case system", events),
            world.now,
            loopback=True,
        )
        return row.id, secret


def of_norvik(world: World, url: str) -> UUID:
    """An endpoint of another provider."""
    with world.database.transaction() as session:
        row = WebhookEndpoint(
            provider_id=world.register.providers["Norvik Mobile"],
            url=url,
            sealed_secret=world.vault.seal("whsec_bm9ydmlrIG5vcnZpayBub3J2aWsh"),
            created_at=world.now,
            created_by="Ingrid Berg",
            changed_at=world.now,
        )
        session.add(row)
        session.flush()
        return row.id


def endpoint(world: World, endpoint_id: UUID) -> WebhookEndpoint:
    """It, as it stands in the database now."""
    with world.database.reading() as session:
        return session.get_one(WebhookEndpoint, endpoint_id)


def queued(world: World, endpoint_id: UUID) -> list[Message]:
    """Its messages, oldest first."""
    with world.database.reading() as session:
        return list(
            session.scalars(
                select(Message).where(Message.endpoint_id == endpoint_id).order_by(Message.id)
            )
        )


def stream(world: World, provider: str = "Meridian Telecom") -> list[Entry]:
    """The provider's entries."""
    name = ledger.provider_stream(world.register.providers[provider])
    with world.database.reading() as session:
        return list(session.scalars(select(Entry).where(Entry.stream == name).order_by(Entry.seq)))
