"""Which programs wrote an order: for whoever authorises it, and whoever reads it later."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.models import ApiKey, Entry, Order

_WRITING = ("order.drafted", "order.edited", "order.submitted")
_KEY = "key:"


def wrote(session: Session, order: Order) -> list[str]:
    """Names of the keys that drafted, changed or submitted it, in that order; mostly none.

    By the ledger: it holds who acted also where the data of an entry were erased.
    """
    actors = session.scalars(
        select(Entry.actor)
        .where(
            Entry.order_id == order.id,
            Entry.stream == f"authority:{order.authority_id}",
            Entry.type.in_(_WRITING),
            Entry.actor.startswith(_KEY),
        )
        .order_by(Entry.seq)
    )
    ids = [UUID(actor.removeprefix(_KEY)) for actor in dict.fromkeys(actors)]
    if not ids:
        return []
    found = session.execute(select(ApiKey.id, ApiKey.name).where(ApiKey.id.in_(ids)))
    names = {row.id: row.name for row in found}
    return list(dict.fromkeys(names[id_] for id_ in ids if id_ in names))
