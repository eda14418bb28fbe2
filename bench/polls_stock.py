"""Very many orders and their streams' entries for the polls, copied from one by the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import Connection, Table, text

from bench.stage import Stage, issue
from liaison.domain.terms import terms_json
from liaison.models import Authority, Contact, Entry, Memorandum, Order, Provider, Stream
from liaison.models.base import rows_of
from liaison.services import keys
from tests.register import terms

SHARED = 8
"""Providers that the many orders are spread over."""
FULL = 200
"""Of each stream's last entries the data are as long as those of a real one; of others short."""


@dataclass(frozen=True)
class Asker:
    """A provider with a key: ``key`` is what its program presents."""

    name: str
    provider: UUID
    key: str

    @property
    def stream(self) -> str:
        """The stream it reads."""
        return f"provider:{self.provider}"


def askers(stage: Stage, count: int, prefix: str) -> list[Asker]:
    """So many providers with a contact, a memorandum, a stream and a key that never ends."""
    made = []
    agreed = terms_json(terms())
    with stage.database.transaction() as session:
        authority = session.get_one(Authority, stage.world.register.authorities["CP"])
        for number in range(count):
            name = f"{prefix} {number:03}"
            mailbox = f"{prefix.lower()}{number:03}.example"
            provider = _provider(name, mailbox)
            session.add_all([provider, _memorandum(authority, provider, agreed)])
            session.flush()
            key = keys.make_key(session, provider, "Poller", ["read"], stage.clock.now())[1]
            session.add(Stream(id=f"provider:{provider.id}", seq=0, head="0" * 64))
            made.append(Asker(name, provider.id, key))
    return made


def _provider(name: str, domain: str) -> Provider:
    contacts = [
        Contact(
            position=place,
            name=f"{function} at {domain}",
            function=function,
            email=f"{function}@{domain}",
            phone=f"+3741000{place:04}",
            channels=["email"],
            languages=["en"],
            review_on=date(2030, 1, 1),
        )
        for place, function in enumerate(("primary", "deputy", "fallback"))
    ]
    return Provider(
        name=name,
        legal_name=f"{name} Ltd",
        country="AM",
        time_zone="Asia/Yerevan",
        domains=[domain],
        services=["access"],
        languages=["en"],
        contacts=contacts,
    )


def _memorandum(authority: Authority, provider: Provider, agreed: dict[str, object]) -> Memorandum:
    return Memorandum(
        authority=authority,
        provider=provider,
        reference=f"MoU {provider.name}",
        version=1,
        signed_on=date(2025, 12, 1),
        in_force_from=date(2026, 1, 1),
        in_force_to=date(2040, 12, 31),
        terms=agreed,
    )


def fill(stage: Stage, count: int, shared: list[Asker]) -> None:
    """So many orders over these providers, each with its entry.

    3 in 100 are open and no emergencies, so that whoever asks whether one is open finds none;
    one in five was an emergency. The entries' chain is none: nothing is verified here.
    """
    issue(stage, 1)
    sqlite = stage.kind == "sqlite"
    with stage.database.transaction() as session:
        connection = session.connection()
        if sqlite:
            connection.exec_driver_sql("PRAGMA cache_size = -262144")
        _numbers(connection, count, shared)
        tables = [rows_of(Order), rows_of(Entry)]
        indexes = [index for table in tables for index in table.indexes]
        for index in indexes:
            index.drop(connection)
        spelled = "printf('%032x', n)" if sqlite else "CAST(lpad(to_hex(n), 32, '0') AS uuid)"
        _copy(connection, tables[0], _ORDER | {"id": spelled})
        each = count // len(shared)
        full = f"CASE WHEN n / {len(shared)} >= {each - FULL} THEN data ELSE '{{}}' END"
        own = {"id": spelled, "order_id": spelled, "data": full}
        _copy(connection, tables[1], _ENTRY | own)
        connection.execute(
            text("UPDATE stream SET seq = :each, head = hash FROM entry"
                 " WHERE entry.stream = stream.id AND entry.seq = :each"),
            {"each": each},
        )  # fmt: skip
        for index in indexes:
            index.create(connection)
    with stage.database.engine.connect() as connection:
        # As the database's own housekeeping leaves it.
        words = "ANALYZE" if sqlite else "VACUUM ANALYZE"
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(words))


_ORDER = {
    "ref": "'BENCH-' || n",
    "provider_id": "p.provider",
    "state": (
        "CASE n / 8 % 100 WHEN 0 THEN 'issued' WHEN 1 THEN 'acknowledged' WHEN 2 THEN 'issued'"
        " WHEN 3 THEN 'preserved' ELSE 'expired' END"
    ),
    "urgency": "CASE WHEN n / 8 % 5 = 4 THEN 'emergency' ELSE 'routine' END",
    "terms": "NULL",
    "facts": "'Facts.'",
    "ratify_by": "NULL",
    "ended_at": "t.created_at",
}
_ENTRY = {
    "stream": "p.stream",
    "seq": f"n / {SHARED} + 1",
    "prev": "hash",
}


def _numbers(connection: Connection, count: int, shared: list[Asker]) -> None:
    """Two tables to copy by: numbers from 0 on, and the providers in turn."""
    assert len(shared) == SHARED
    connection.execute(text("CREATE TABLE bench_number (n INTEGER)"))
    connection.execute(
        text(
            "INSERT INTO bench_number WITH RECURSIVE up(n) AS"
            " (SELECT 0 UNION ALL SELECT n + 1 FROM up WHERE n + 1 < :count) SELECT n FROM up"
        ),
        {"count": count},
    )
    connection.execute(
        text(
            "CREATE TABLE bench_provider AS SELECT 0 AS place, id AS provider,"
            " CAST('' AS TEXT) AS stream FROM provider WHERE name LIKE 'Shared %'"
        )
    )
    for place, asker in enumerate(shared):
        connection.execute(
            text(
                "UPDATE bench_provider SET place = :place, stream = :stream"
                " WHERE provider = (SELECT id FROM provider WHERE name = :name)"
            ),
            {"place": place, "stream": asker.stream, "name": asker.name},
        )


def _copy(connection: Connection, table: Table, changed: Mapping[str, str]) -> None:
    """Copies the one row of a table that was really made, with these columns put otherwise."""
    names = [column.name for column in table.columns if column.computed is None]
    values = ", ".join(changed.get(name, f"t.{name}") for name in names)
    own = "type = 'order.issued'" if table.name == "entry" else "ref IS NOT NULL"
    connection.execute(
        text(
            f"INSERT INTO {table.name} ({', '.join(names)}) SELECT {values}"
            f" FROM bench_number JOIN bench_provider p ON p.place = n % {SHARED}"
            f" CROSS JOIN (SELECT * FROM {table.name} WHERE {own} LIMIT 1) t"
        )
    )
