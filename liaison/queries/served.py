"""What was served, word for word: the content that an order's fingerprint was taken of.

All of it is kept on the order but two names: the register may call an authority or a provider
otherwise by now. Which names stood there then is known from the register's log; the fingerprint
says which of them is right, so nothing needs to be believed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from liaison.documents.order_json import fingerprint
from liaison.errors import InvalidTransition, LiaisonError
from liaison.models import Entry, Order
from liaison.queries.views import order_content
from liaison.services.ledger import PORTAL

MOST_NAMES = 50
"""Earlier names of one organisation that are tried."""


class NotAsServed(LiaisonError):
    """What is stored of the order is not what was served: nothing is signed of it."""

    title = "The order is not what was served"

    def __init__(self) -> None:
        super().__init__(
            "What is stored of this order does not match the fingerprint it was served with, so "
            "nothing was signed. Call the contact point."
        )


def served_content(session: Session, order: Order) -> dict[str, Any]:
    """The content as it was served. ``InvalidTransition`` of a draft, ``NotAsServed``."""
    if order.ref is None or order.sha256 is None:
        raise InvalidTransition("A draft was not served on anybody: there is nothing to sign.")
    content = order_content(order)
    if fingerprint(content) == order.sha256:
        return content
    authorities = _names(session, "portal.authority_changed", order.authority_id)
    providers = _names(session, "portal.provider_changed", order.provider_id)
    for authority, provider in product(
        (order.authority.name, *authorities), (order.provider.name, *providers)
    ):
        content["authority"] = {**content["authority"], "name": authority}
        content["provider"] = {**content["provider"], "name": provider}
        if fingerprint(content) == order.sha256:
            return content
    raise NotAsServed


def _names(session: Session, type_: str, id_: UUID) -> Iterator[str]:
    """Earlier names of an organisation, the latest first."""
    told = session.scalars(
        select(Entry.data)
        .where(Entry.stream == PORTAL, Entry.type == type_, Entry.data.contains(str(id_)))
        .where(Entry.data.contains('"name":{'))
        .order_by(Entry.seq.desc())
        .limit(MOST_NAMES)
    )
    for data in told:
        change = (json.loads(data).get("changes") or {}).get("name") if data else None
        if isinstance(change, dict) and isinstance(change.get("before"), str):
            yield change["before"]
