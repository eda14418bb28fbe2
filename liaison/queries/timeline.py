"""What has happened to an order: its ledger entries, newest first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.models import Entry, Order
from liaison.queries.latest import ATTRIBUTION, readable


@dataclass(frozen=True)
class Item:
    """One act. ``own`` entries only the contact point sees; ``data`` is None once erased."""

    at: datetime
    type: str
    who: str
    organisation: str
    data: dict[str, Any] | None
    via: dict[str, Any] | None
    own: bool
    entry: Entry


def for_order(session: Session, actor: Actor, order: Order) -> list[Item]:
    """Both sides' entries for the contact point, the shared ones for the provider.

    ``order`` is one the actor may see. From where an officer acted stands in an entry of its
    own; it is told with the act.
    """
    entries = session.scalars(
        select(Entry)
        .where(Entry.order_id == order.id, readable(actor))
        .order_by(Entry.at.desc(), Entry.stream.desc(), Entry.seq.desc())
    ).all()
    loaded = [(entry, _data(entry)) for entry in entries]
    via = {
        (entry.actor, entry.at, data["act"]): data.get("via")
        for entry, data in loaded
        if entry.type == ATTRIBUTION and data
    }
    return [
        _item(entry, data, via.get((entry.actor, entry.at, entry.type)))
        for entry, data in loaded
        if entry.type != ATTRIBUTION
    ]


def just_done(session: Session, actor: Actor, order: Order, type_: str, now: datetime) -> bool:
    """Whether the actor did this very act within the last minute: then it was sent twice."""
    found = (
        select(Entry.seq)
        .where(
            Entry.order_id == order.id,
            readable(actor),
            Entry.actor == actor.id,
            Entry.type == type_,
            Entry.at > now - timedelta(minutes=1),
        )
        .limit(1)
    )
    return session.execute(found).first() is not None


def _item(entry: Entry, data: dict[str, Any] | None, via: dict[str, Any] | None) -> Item:
    by = (data or {}).get("by") or {}
    return Item(
        at=entry.at,
        type=entry.type,
        who=by.get("name", ""),
        organisation=by.get("organisation", ""),
        data=data,
        via=via or (data or {}).get("via"),
        own=entry.stream.startswith("authority:"),
        entry=entry,
    )


def _data(entry: Entry) -> dict[str, Any] | None:
    if entry.data is None:
        return None
    data: dict[str, Any] = json.loads(entry.data)
    return data
