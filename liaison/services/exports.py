"""That a list of orders was taken away: who, which, how many."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.permissions import Verb, demand
from liaison.queries.queue_filters import Filters
from liaison.services import portal_log


def note(session: Session, actor: Actor, filters: Filters, rows: int, now: datetime) -> None:
    """Notes an export in the portal's log; what was searched for is not repeated there."""
    demand(actor, Verb.EXPORT)
    # A search word may be an identifier: case data stand in orders, never in this log.
    asked = filters.without("q").query()
    told = {"filter": asked, "searched": bool(filters.text), "rows": rows}
    organisation = portal_log.organisation_of_actor(actor)
    portal_log.note(
        session, now, "orders_exported", actor.id, organisation, {**told, **portal_log.by(actor)}
    )
