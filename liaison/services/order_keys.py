"""Keeps the words that an order is found by in step with it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from liaison.domain import order_keys
from liaison.domain.order_keys import KeyKind
from liaison.models import Order, OrderKey


def write(session: Session, order: Order) -> None:
    """Writes what the order is found by now; called by every verb that changes any of it.

    A provider is named once the order is served: it finds nothing before.
    """
    session.flush()
    wanted = set(_keys(order))
    reader = order.provider_id if order.ref is not None else None
    standing = select(OrderKey.kind, OrderKey.key, OrderKey.provider_id).where(
        OrderKey.order_id == order.id
    )
    if {tuple(row) for row in session.execute(standing)} == {(*key, reader) for key in wanted}:
        return
    session.execute(
        delete(OrderKey)
        .where(OrderKey.order_id == order.id)
        .execution_options(synchronize_session=False)
    )
    session.execute(
        insert(OrderKey),
        [
            {
                "order_id": order.id,
                "kind": kind,
                "key": key,
                "authority_id": order.authority_id,
                "provider_id": reader,
            }
            for kind, key in sorted(wanted)
        ],
    )


def _keys(order: Order) -> Iterator[tuple[str, str]]:
    texts = (
        (KeyKind.REF, order.ref),
        (KeyKind.CASE, order.investigating_authority.get("case_number")),
        (KeyKind.CASE, (order.prosecution or {}).get("case_number")),
        (KeyKind.REFERENCE, order.origin.get("reference")),
        (KeyKind.ANSWER, order.provider_reference),
    )
    for kind, text in texts:
        for key in order_keys.beginnings(text):
            yield kind.value, key
    for key in order_keys.of_targets(target.search_key for target in order.targets):
        yield KeyKind.TARGET.value, key
