"""The base of all tables, the column types, and the engine: the only room that knows dialects."""

from __future__ import annotations

import enum
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import uuid6
from sqlalchemy import (
    JSON,
    URL,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Enum,
    MetaData,
    Table,
    Text,
    bindparam,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from liaison.errors import SettingsError
from liaison.models import pipes
from liaison.models.deeds import Deed
from liaison.models.looks import Look, Looking

WRITES = "liaison_writes"

_WAKES, _BARE = "liaison_wakes", "liaison_bare"
_LOOK_EVERY = 0.05
"""Seconds between two looks at whether an SQLite file has changed; one takes some 10 µs."""

POOL: dict[str, Any] = {"pool_size": 8, "max_overflow": 32, "pool_timeout": 5}
"""Two connections for each of a process's 16 threads, and some to spare; seconds to wait."""


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
        self.url = _known_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url) if self.is_sqlite else _server_engine(url)
        writer = self.engine.execution_options(**{WRITES: True})
        self._alone = (
            self.engine
            if self.is_sqlite
            # With connections of its own: to switch one there and back takes as long as to ask.
            else _server_engine(url, isolation_level="AUTOCOMMIT", max_overflow=8)
        )
        self.reading = sessionmaker(self.engine, expire_on_commit=False)
        self.writing = sessionmaker(writer, expire_on_commit=False)
        if not self.is_sqlite:
            event.listen(self.writing, "before_commit", _notify)

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

    def hints(self) -> Hints:
        """What tells a worker that there may be work."""
        return _FileHints(self.engine) if self.is_sqlite else _ServerHints(self.engine)


class _Clock(NamedTuple):
    moment: datetime


_CLOCK = Look(select(func.clock_timestamp()), _Clock)

TIMERS = "timers"
"""The kind of hint that timers are; that of a message is its channel."""


def hint(session: Session, kind: str) -> None:
    """Tells the workers, when the transaction commits, that there may be work of this kind.

    It is a hint only: whoever misses it finds the work at their next look. SQLite needs none: a
    worker sees there that the file has changed.
    """
    session.info.setdefault(_WAKES, set()).add(kind)


def unhint(session: Session, kind: str) -> None:
    """Takes such a hint back."""
    session.info.get(_WAKES, set()).discard(kind)


def _notify(session: Session) -> None:
    """In the same transaction as the work, and once for all of it."""
    kinds = session.info.pop(_WAKES, None)
    if kinds:
        _NOTIFY.within(bare(session), kinds=",".join(sorted(kinds)))


class _Told(NamedTuple):
    nothing: str


_NOTIFY = Look(select(func.pg_notify("liaison", bindparam("kinds", type_=Text()))), _Told)


class Hints(Protocol):
    """``wait`` says of what kinds there may be work: none when time is up, None for any."""

    def wait(self, seconds: float) -> set[str] | None:
        """Waits for a hint, so many seconds at most; raises where the connection is lost."""
        ...

    def close(self) -> None:
        """Gives the connection back."""
        ...


def _own_connection(engine: Engine) -> Any:
    """The driver's own, taken out of the pool for good."""
    pooled = engine.raw_connection()
    own = pooled.driver_connection
    pooled.detach()
    return own


class _ServerHints:
    """Listens on a connection of its own, outside the pool."""

    def __init__(self, engine: Engine) -> None:
        self._connection = _own_connection(engine)
        self._connection.autocommit = True
        self._connection.execute("LISTEN liaison")

    def wait(self, seconds: float) -> set[str] | None:
        found = self._connection.notifies(timeout=seconds, stop_after=1)
        return {kind for notice in found for kind in notice.payload.split(",")}

    def close(self) -> None:
        self._connection.close()


class _FileHints:
    """Looks whether anybody else has committed: the file tells no more than that."""

    def __init__(self, engine: Engine) -> None:
        self._connection = _own_connection(engine)
        self._seen = self._version()

    def _version(self) -> int:
        version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        return version

    def wait(self, seconds: float) -> set[str] | None:
        end = time.monotonic() + seconds
        while (now := self._version()) == self._seen:
            if time.monotonic() >= end:
                return set()
            time.sleep(_LOOK_EVERY)
        self._seen = now
        return None

    def close(self) -> None:
        self._connection.close()


def bare(session: Session) -> Connection:
    """The session's connection, for statements that go around its objects.

    Kept while its transaction runs: asking the session for it takes half as long as a statement.
    It is asked all the same where it must begin a savepoint first, or refuse: a transaction that
    a failed flush has rolled back takes nothing more.
    """
    kept: Connection | None = session.info.get(_BARE)
    if kept is None or kept.closed or not kept.in_transaction() or session.in_nested_transaction():
        session.info[_BARE] = kept = session.connection()
    return kept


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
        hint(session, str(values["channel"]))


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


# Parameters stay out of error texts: they are what people typed, and errors are logged.


def _known_url(url: str) -> URL:
    try:
        found = make_url(url)
    except ArgumentError:
        found = None
    if found is None or found.get_backend_name() not in ("sqlite", "postgresql"):
        raise SettingsError(
            "LIAISON_DATABASE_URL must begin with sqlite:/// or postgresql://; "
            "no other database is supported."
        )
    return found


_SILENT_SERVER = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
"""How long we wait for a server that says nothing (its machine lost power), in libpq's words.

The system's own answer is two hours. What the URL says of these goes first.
"""

_SILENT_CLIENT = (
    "SET idle_in_transaction_session_timeout = '2min'",
    "SET tcp_keepalives_idle = 10",
    "SET tcp_keepalives_interval = 5",
    "SET tcp_keepalives_count = 3",
)
"""How long the server keeps the locks of one of us that stopped, or whose machine lost power.

Until then nobody fires a timer of an order that it held. No transaction waits for anything but
the database itself, so none is ever idle for long.
"""


def _server_engine(url: str, **given: Any) -> Engine:
    ours = {k: v for k, v in _SILENT_SERVER.items() if k not in make_url(url).query}
    settings = {**POOL, **given}
    engine = create_engine(
        url, hide_parameters=True, pool_pre_ping=True, connect_args=ours, **settings
    )

    pipes.watch(engine)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        before, connection.autocommit = connection.autocommit, True
        connection.execute("; ".join(_SILENT_CLIENT))
        connection.autocommit = before

    return engine


def _sqlite_engine(url: str) -> Engine:
    name = make_url(url).database
    if name and name != ":memory:":
        _make_folder(Path(name).parent)
    waits = {"timeout": 30, "check_same_thread": False}
    engine = create_engine(url, hide_parameters=True, connect_args=waits, **POOL)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: object) -> None:
        # The driver must not begin transactions by itself: writers begin IMMEDIATE below.
        connection.isolation_level = None
        _switch_to_wal(connection)
        for pragma in ("synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _make_folder(folder: Path) -> None:
    try:
        # One level only: a path that is mistyped higher up is a mistake, not a wish.
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise SettingsError(
            f"LIAISON_DATABASE_URL: {folder} cannot be made ({error.strerror}). Make it first."
        ) from None


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Whoever opens a new file first switches it to a write-ahead log.

    Others that come in that instant are turned away at once, whatever their timeout.
    """
    for _ in range(50):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            time.sleep(0.05)
        else:
            return
    connection.execute("PRAGMA journal_mode=WAL")
