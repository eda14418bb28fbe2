"""The portal's own stream: sign-ins, failures, changes of people, keys and factors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.models import ApiKey, Person
from liaison.services import ledger


def organisation_of(person: Person | ApiKey) -> str:
    """``authority:<id>`` or ``provider:<id>``: by it the log is scoped."""
    if person.authority_id is not None:
        return f"authority:{person.authority_id}"
    return f"provider:{person.provider_id}"


def organisation_of_actor(actor: Actor) -> str:
    """The same for an actor; ``portal`` where it is nobody's."""
    if actor.authority_id is not None:
        return f"authority:{actor.authority_id}"
    return f"provider:{actor.provider_id}" if actor.provider_id is not None else "portal"


def note(
    session: Session,
    now: datetime,
    type_: str,
    actor_id: str,
    organisation: str,
    data: Mapping[str, Any],
) -> None:
    """Appends an entry: the last write of its transaction. Secrets never stand in ``data``."""
    ledger.record(session, now, entry(type_, actor_id, organisation, data))


def entry(type_: str, actor_id: str, organisation: str, data: Mapping[str, Any]) -> ledger.Record:
    """The same for an act that has other entries too: all are recorded together."""
    told = {**data, "organisation": organisation}
    return ledger.Record(ledger.PORTAL, f"portal.{type_}", actor_id, told)


def by(actor: Actor) -> dict[str, Any]:
    """Who did it, from where, with which factor; for ``data``."""
    told: dict[str, Any] = {"by": {"name": actor.name, "organisation": actor.organisation}}
    if actor.via is not None:
        told["via"] = {"factor": actor.via.factor, "address": actor.via.address}
    return told
