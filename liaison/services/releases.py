"""The contact point needs the data no longer, and says so before the date comes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from liaison.domain.actors import Actor
from liaison.domain.lifecycle import Action
from liaison.domain.reading import LONGEST_NOTE, check_texts
from liaison.models import Order
from liaison.services import issuance, keeping, ledger
from liaison.services.guards import order_for


def release(
    session: Session,
    actor: Actor,
    name: str,
    now: datetime,
    *,
    note: str | None = None,
    version: int | None = None,
) -> Order:
    """Releases the provider from keeping the data; the one end of what an MLA request suspended.

    Needs a fresh second factor as for issuing: what is let go is gone, and a stolen session must
    not do it. The provider is told, and to confirm disposal where the terms ask for it.
    """
    order, state = order_for(session, actor, name, Action.RELEASE, version)
    check_texts(("/note", note, LONGEST_NOTE))
    issuance.demand_factor(session, order, actor, now)
    order.state = state
    order.release_note = note.strip() or None if note else None
    keeping.end(session, order, now)
    keeping.tell_end(session, order, "released", now)
    told = {"note": order.release_note, "disposal_wanted": order.disposal_wanted}
    ledger.record(session, now, *ledger.act(order, "order.released", actor, told))
    return order
