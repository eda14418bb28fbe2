"""Webhooks, to be looked at: a provider's own with their deliveries, and how all of them do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.errors import Forbidden, NotFound
from liaison.models import Message, WebhookEndpoint
from liaison.models.webhooks import EndpointState

PAGE = 20
MOST_SHOWN = 500
"""Endpoints of all providers that the contact point's page lists, those that fail first."""


@dataclass(frozen=True)
class Deliveries:
    """A page of deliveries, newest first; ``older`` is where the next one begins."""

    messages: Sequence[Message]
    older: UUID | None


def of_provider(session: Session, actor: Actor) -> Sequence[WebhookEndpoint]:
    """The webhooks of the actor's own provider."""
    _demand_own(actor)
    return session.scalars(
        select(WebhookEndpoint)
        .where(
            WebhookEndpoint.provider_id == actor.provider_id,
            WebhookEndpoint.state != EndpointState.REMOVED,
        )
        .order_by(WebhookEndpoint.id)
    ).all()


def of_all(session: Session, actor: Actor) -> Sequence[WebhookEndpoint]:
    """Every provider's, for the contact point: whether they work is its business too."""
    demand(actor, Verb.READ_WEBHOOKS)
    if not actor.is_contact_point:
        raise Forbidden("Other providers' webhooks are not yours to see.")
    return session.scalars(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.state != EndpointState.REMOVED)
        .options(joinedload(WebhookEndpoint.provider))
        .order_by(
            WebhookEndpoint.state.desc(),
            WebhookEndpoint.failing_since.is_(None),
            WebhookEndpoint.provider_id,
            WebhookEndpoint.id,
        )
        .limit(MOST_SHOWN)
    ).all()


def one(session: Session, actor: Actor, endpoint_id: UUID) -> WebhookEndpoint:
    """One of the actor's own provider; another's is absent."""
    _demand_own(actor)
    row = session.scalars(
        select(WebhookEndpoint).where(
            WebhookEndpoint.id == endpoint_id,
            WebhookEndpoint.provider_id == actor.provider_id,
            WebhookEndpoint.state != EndpointState.REMOVED,
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return row


def deliveries(
    session: Session, row: WebhookEndpoint, before: UUID | None, most: int = PAGE
) -> Deliveries:
    """What was sent there, with each try; ``row`` comes from ``one``."""
    query = (
        select(Message)
        .where(Message.endpoint_id == row.id)
        .options(selectinload(Message.tries))
        .order_by(Message.id.desc())
        .limit(most + 1)
    )
    if before is not None:
        query = query.where(Message.id < before)
    found = session.scalars(query).all()
    more = len(found) > most
    return Deliveries(found[:most], found[most - 1].id if more else None)


def _demand_own(actor: Actor) -> None:
    demand(actor, Verb.READ_WEBHOOKS)
    if actor.provider_id is None:
        raise Forbidden("Webhooks belong to a provider; you act for none.")
