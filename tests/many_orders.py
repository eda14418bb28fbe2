"""Very many orders at once, as no verb writes them: for what must not grow with them.

Every second order is of the first authority, and its desk is as a desk is: what is open stays
what some people can work on, whether 1,000 orders are stored or 100,000 (``DESK``); all that
comes on top is history (``HISTORY``). The other half is of an authority whose open work grows in
proportion to what is stored (``GROWING``), for who wants to know what that does.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table, text

from liaison.domain import order_keys
from liaison.domain.lifecycle import OrderState
from liaison.domain.vocabulary import OrderStatus, OriginKind, TargetType, Urgency
from liaison.models import Entry, Order, OrderKey, OrderTarget, Stream
from liaison.models.base import Base, new_id
from tests.world import World

PARTIES = ("NL", "RO", "DE", "CZ", "GE", "PT", "LK", "PH")
_PART = 5_000
_WHOLE = 10_000
"""From so many on the indexes are built once, behind the rows."""

Shape = tuple[int, OrderState, Urgency]

DESK: tuple[Shape, ...] = (
    (6, OrderState.ISSUED, Urgency.EMERGENCY),
    (30, OrderState.ISSUED, Urgency.ROUTINE),
    (24, OrderState.ACKNOWLEDGED, Urgency.URGENT),
    (10, OrderState.SUBMITTED, Urgency.ROUTINE),
    (20, OrderState.DRAFT, Urgency.ROUTINE),
    (140, OrderState.PRESERVED, Urgency.ROUTINE),
)
"""How many of each stand open at a desk: 90 to work on, 140 kept."""

HISTORY: tuple[Shape, ...] = (
    (30, OrderState.PRESERVED, Urgency.ROUTINE),
    (80, OrderState.DECLINED, Urgency.ROUTINE),
    (50, OrderState.WITHDRAWN, Urgency.URGENT),
    (40, OrderState.EXPIRED, Urgency.EMERGENCY),
    (250, OrderState.RELEASED, Urgency.URGENT),
    (550, OrderState.EXPIRED, Urgency.ROUTINE),
)
"""Of a thousand others: some are still kept, because ever more is."""

GROWING: tuple[Shape, ...] = (
    (4, OrderState.ISSUED, Urgency.EMERGENCY),
    (10, OrderState.ISSUED, Urgency.ROUTINE),
    (8, OrderState.ACKNOWLEDGED, Urgency.URGENT),
    (4, OrderState.SUBMITTED, Urgency.ROUTINE),
    (4, OrderState.DRAFT, Urgency.ROUTINE),
    (150, OrderState.PRESERVED, Urgency.ROUTINE),
    (820, OrderState.EXPIRED, Urgency.ROUTINE),
)
"""Of a thousand: 3 in 100 open, 15 kept, the rest closed."""

_FIRST = 500
"""Among so many orders of the first authority its whole desk stands, in no order."""


def fill(world: World, count: int, *, begin: int = 0) -> None:
    """So many orders, from a number on; half of them of the first authority."""
    with world.database.transaction() as session:
        for provider in world.register.providers.values():
            id_ = f"provider:{provider}"
            if session.get(Stream, id_) is None:
                session.add(Stream(id=id_, seq=0, head="0" * 64))
        session.flush()
        connection = session.connection()
        with _without_indexes(connection, wanted=count - begin >= _WHOLE):
            for first in range(begin, count, _PART):
                made = [_made(world, n) for n in range(first, min(first + _PART, count))]
                _store(connection, Order, [m.order for m in made])
                _store(connection, OrderTarget, [m.target for m in made])
                _store(connection, OrderKey, list(chain.from_iterable(m.keys for m in made)))
                _store(connection, Entry, [m.entry for m in made])


@contextmanager
def _without_indexes(connection: Connection, *, wanted: bool) -> Iterator[None]:
    tables = [_table(model) for model in (Order, OrderTarget, OrderKey, Entry)]
    indexes = [index for table in tables for index in table.indexes] if wanted else []
    if indexes and connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA cache_size = -262144")
    for index in indexes:
        index.drop(connection)
    yield
    for index in indexes:
        index.create(connection)


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def _store(connection: Connection, model: type[Base], rows: Sequence[dict[str, Any]]) -> None:
    """As the column types write them, but past SQLAlchemy: it would take minutes."""
    table, dialect = _table(model), connection.dialect
    names = list(rows[0])
    binds = [table.c[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    values = [
        [bind(row[name]) for row in rows] if bind else [row[name] for row in rows]
        for name, bind in zip(names, binds, strict=True)
    ]
    lines = zip(*values, strict=True)
    columns = ", ".join(f'"{name}"' for name in names)
    raw: Any = connection.connection.driver_connection
    if dialect.name == "sqlite":
        marks = ", ".join("?" * len(names))
        raw.executemany(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", lines)
        return
    # What refers to what is known to stand: to look it up for every row would take minutes too.
    connection.execute(text("SET LOCAL session_replication_role = replica"))
    with raw.cursor() as cursor, cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
        for line in lines:
            copy.write_row(line)


@dataclass(frozen=True)
class _Rows:
    order: dict[str, Any]
    target: dict[str, Any]
    keys: list[dict[str, Any]]
    entry: dict[str, Any]


def _made(world: World, n: int) -> _Rows:
    dice = random.Random(n)
    register = world.register
    state, urgency = _shape(n, dice)
    authority = register.authorities["CP" if n % 2 else "NL"]
    provider = dice.choice(list(register.providers.values()))
    # Far more stand closed than a memorandum's clocks concern: dates spread over two years.
    issued = world.now - timedelta(hours=dice.randint(1, 17_000))
    served = state not in (OrderState.DRAFT, OrderState.SUBMITTED)
    order = _order(world, n, dice, state, urgency) | {
        "id": new_id(),
        "ref": f"CP-2024-{n:07}" if served else None,
        "authority_id": authority,
        "provider_id": provider,
        "provider_reference": f"T-{n}" if served else None,
        **_times(n, state, world.now, issued, dice),
    }
    target = _target(n, order["id"], issued)
    return _Rows(order, target, list(_keys(order, target)), _entry(n, order, issued))


def _spread(shapes: Sequence[Shape]) -> list[tuple[OrderState, Urgency]]:
    return [(state, urgency) for share, state, urgency in shapes for _ in range(share)]


_HISTORY, _GROWING = _spread(HISTORY), _spread(GROWING)


def _first() -> list[tuple[OrderState, Urgency]]:
    dice, desk = random.Random(0), _spread(DESK)
    shapes = desk + dice.choices(_HISTORY, k=_FIRST - len(desk))
    dice.shuffle(shapes)
    return shapes


_DESK = _first()


def _shape(n: int, dice: random.Random) -> tuple[OrderState, Urgency]:
    if n % 2 == 0:
        return dice.choice(_GROWING)
    return _DESK[n // 2] if n // 2 < _FIRST else dice.choice(_HISTORY)


def _times(
    n: int, state: OrderState, now: datetime, issued: datetime, dice: random.Random
) -> dict[str, datetime | None]:
    soon = now + timedelta(minutes=dice.randint(-600, 6_000))
    opened = state in (OrderState.ISSUED, OrderState.ACKNOWLEDGED)
    served = state not in (OrderState.DRAFT, OrderState.SUBMITTED)
    kept = state is OrderState.PRESERVED
    works = _is_work(n)
    return {
        "created_at": issued,
        "issued_at": issued if served else None,
        "acknowledge_by": soon if served else None,
        "preserve_by": soon if served else None,
        "acknowledged_at": issued if kept else None,
        "preserved_until": now + timedelta(days=dice.randint(1, 90)) if kept else None,
        "ended_at": issued + timedelta(days=60) if not opened and served and not kept else None,
        "question_open_since": now if works and (opened or kept) and dice.random() < 0.1 else None,
        "ratify_by": now if opened and dice.random() < 0.1 else None,
    }


def _is_work(n: int) -> bool:
    """Whether somebody may still owe something for it."""
    return n % 2 == 0 or n // 2 < _FIRST


def _order(
    world: World, n: int, dice: random.Random, state: OrderState, urgency: Urgency
) -> dict[str, Any]:
    party = dice.choice(PARTIES) if n % 3 == 0 else None
    return {
        "version": 1,
        "state": state,
        "urgency": urgency,
        "status": OrderStatus.NEW,
        "officer_id": world.person("officer").id,
        "origin_kind": OriginKind.FOREIGN if party else OriginKind.DOMESTIC,
        "origin": {"party": party, "reference": f"MLA-{n}"} if party else {},
        "party": party,
        "issuing_officer": {"name": "Anahit Petrosyan"},
        "confirmation_contact": {},
        "investigating_authority": {"case_number": f"MP/2024/{n}"},
        "prosecution": None,
        "legal_basis": [],
        "offence": "Fraud.",
        "facts": "x" * 600,
        "necessity": "x" * 200,
        "duration_days": 90,
        "no_user_notice": False,
        "partial_disclosure": False,
        "mla_intended": False,
        "terms": None,
        "test": n % 19 == 0,
        "disposal_wanted": state is OrderState.RELEASED and _is_work(n) and n % 5 == 0,
        "clock_stopped_for": 0,
        "clock_stopped_before": 0,
    }


def _target(n: int, order: UUID, issued: datetime) -> dict[str, Any]:
    # In the normal form of their kinds, which takes long to find for a hundred thousand.
    kind, value = (
        (TargetType.IP_ADDRESS, f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"),
        (TargetType.PHONE, f"+374910{n:05}"[:12]),
        (TargetType.EMAIL, f"user{n}@example.net"),
    )[n % 3]
    return {
        "id": new_id(),
        "order_id": order,
        "position": 0,
        "type": kind,
        "value": value,
        "entered": value,
        "search_key": f"{kind}:{value}",
        "start": issued,
        "end": issued,
        "start_offset": 0,
        "end_offset": 0,
        "data": ["traffic"],
        "relation": "x",
    }


def _keys(order: dict[str, Any], target: dict[str, Any]) -> Iterator[dict[str, Any]]:
    words = (
        ("ref", order["ref"]),
        ("case", order["investigating_authority"]["case_number"]),
        ("reference", order["origin"].get("reference")),
        ("answer", order["provider_reference"]),
    )
    found = [(kind, key) for kind, word in words for key in order_keys.beginnings(word)]
    for kind, key in [*found, ("target", target["search_key"])]:
        yield {
            "order_id": order["id"],
            "kind": kind,
            "key": key,
            "authority_id": order["authority_id"],
            "provider_id": order["provider_id"] if order["ref"] else None,
        }


def _entry(n: int, order: dict[str, Any], issued: datetime) -> dict[str, Any]:
    # No real chain: nothing here is verified, only read.
    return {
        "stream": f"provider:{order['provider_id']}",
        "seq": 1_000_000 + n,
        "id": new_id(),
        "type": "order.issued",
        "at": issued,
        "actor": "bench",
        "order_id": order["id"],
        "data": "{}",
        "salt": "",
        "digest": "",
        "prev": "",
        "hash": "",
    }
