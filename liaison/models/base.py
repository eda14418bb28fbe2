"""The base of all tables, the column types, the database, and inserting once."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import uuid6
from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    Enum,
    MetaData,
    Table,
    Text,
    event,
    func,
    inspect,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from liaison.models import engines, hints
from liaison.models.deeds import Deed, bare
from liaison.models.looks import Look, Looking


class UTCDateTime(TypeDecorator[datetime]):
    """A moment in UTC: aware on both sides, whatever the database stores."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuses a moment without a time zone: nobody could say when it was."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self,
        value: datetime | None,
        dialect: Dialect,  # noqa: ARG002 - the name is SQLAlchemy's
    ) -> datetime | None:
        """Gives back UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


ByteOrdered = Text().with_variant(Text(collation="C"), "postgresql")
"""Text compared byte by byte on both databases, so that an index finds what begins alike."""


class dashed(FunctionElement[str]):  # noqa: N801 - it reads as a function of SQL
    """A UUID as its text, made by the database: ``dashed(Entry.id)``."""

    name = "dashed"
    type = Text()
    inherit_cache = True


@compiles(dashed)
def _cast(element: dashed, compiler: SQLCompiler, **given: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **given)} AS TEXT)"


@compiles(dashed, "sqlite")
def _cut(element: dashed, compiler: SQLCompiler, **given: Any) -> str:
    """SQLite keeps it as 32 hexadecimal digits."""
    value = compiler.process(element.clauses, **given)
    parts = (f"substr({value}, {begin}, {length})" for begin, length in _PARTS)
    joined = " || '-' || ".join(parts)
    return f"({joined})"


_PARTS = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
"""Of a UUID's digits: where each begins, counted from 1, and how long it is."""


class Base(DeclarativeBase):
    """Every table; enums by value, moments in UTC, names of constraints by rule."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        datetime: UTCDateTime,
        str: Text,
        dict[str, Any]: JSON,
        list[Any]: JSON,
        enum.Enum: Enum(
            enum.Enum,
            native_enum=False,
            create_constraint=False,
            length=40,
            values_callable=lambda members: [member.value for member in members],
        ),
    }


def new_id() -> UUID:
    """A UUID of version 7: unique everywhere, in order of making."""
    return UUID(int=uuid6.uuid7().int)


class Database:
    """An engine with its two kinds of session: one that reads, one that may write."""

    def __init__(self, url: str) -> None:
        self.url = engines.known_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = engines.sqlite_engine(url) if self.is_sqlite else engines.server_engine(url)
        writer = self.engine.execution_options(**{engines.WRITES: True})
        self._alone = (
            self.engine
            if self.is_sqlite
            # With connections of its own: to switch one there and back takes as long as to ask.
            else engines.server_engine(url, isolation_level="AUTOCOMMIT", max_overflow=8)
        )
        self.reading = sessionmaker(self.engine, expire_on_commit=False)
        self.writing = sessionmaker(writer, expire_on_commit=False)
        if not self.is_sqlite:
            event.listen(self.writing, "before_commit", hints.notify)

    @property
    def exists(self) -> bool:
        """Whether there is a database to connect to; SQLite would make an empty one."""
        name = self.url.database
        return not self.is_sqlite or not name or Path(name).exists()

    def looking(self) -> Looking:
        """For statements that each read for themselves: ``with database.looking() as looking``.

        Beginning and ending a transaction costs a poll more than what it asks for.
        """
        return Looking(self._alone)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A writing session that commits at the end, or rolls all of it back."""
        with self.writing.begin() as session:
            yield session

    def server_clock(self, connection: Connection) -> datetime | None:
        """The database's own clock, which decides what is due; None where it has none.

        Asked within a transaction.
        """
        if self.is_sqlite:
            return None
        return _CLOCK.within(connection)[0].moment.astimezone(UTC)

    def close(self) -> None:
        """Gives all connections back."""
        self.engine.dispose()
        self._alone.dispose()

    def hints(self) -> hints.Hints:
        """What tells a worker that there may be work."""
        return hints.FileHints(self.engine) if self.is_sqlite else hints.ServerHints(self.engine)


class _Clock(NamedTuple):
    moment: datetime


_CLOCK = Look(select(func.clock_timestamp()), _Clock)


def insert_once(session: Session, table: type[Base], values: Mapping[str, Any]) -> bool:
    """Inserts a row unless one with the same key stands; whether it was new."""
    new = bool(_inserted(session, table, values, asks=True))
    if new:
        _hint_of(session, table, values)
    return new


def insert_missing(session: Session, table: type[Base], values: Mapping[str, Any]) -> None:
    """The same for whoever need not know whether it was new, and so need not wait for it."""
    _inserted(session, table, values, asks=False)
    _hint_of(session, table, values)


def _inserted(
    session: Session, table: type[Base], values: Mapping[str, Any], *, asks: bool
) -> list[Any]:
    session.flush()  # what it refers to may wait there; a bare statement does not ask for it
    connection = bare(session)
    return _once(connection.dialect.name, table, tuple(values), asks=asks).on(connection, values)


def _hint_of(session: Session, table: type[Base], values: Mapping[str, Any]) -> None:
    if table.__tablename__ == "message":
        hints.hint(session, str(values["channel"]))


def rows_of(table: type[Base]) -> Table:
    """The bare table, for statements that go around the session's objects."""
    rows = inspect(table).local_table
    assert isinstance(rows, Table)
    return rows


@cache
def _once(dialect: str, table: type[Base], columns: tuple[str, ...], *, asks: bool) -> Deed:
    """The statement for one table, made once: making it takes longer than running it."""
    rows = rows_of(table)
    insert = sqlite.insert if dialect == "sqlite" else postgresql.insert
    made = insert(rows).on_conflict_do_nothing()
    # What was inserted comes back: the count of rows is -1 on PostgreSQL, new or not.
    key = rows.primary_key.columns.values()[0]
    return Deed(made.returning(key) if asks else made, columns)
