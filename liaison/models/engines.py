"""How each database is connected to, and how long its silence is borne.

Parameters stay out of error texts: they are what people typed, and errors are logged.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from liaison.errors import SettingsError
from liaison.models import pipes

WRITES = "liaison_writes"
"""The option of a connection whose transactions may write."""

POOL: dict[str, Any] = {"pool_size": 8, "max_overflow": 32, "pool_timeout": 5}
"""Two connections for each of a process's 16 threads, and some to spare; seconds to wait."""


def known_url(url: str) -> URL:
    """The address of a database that we know; ``SettingsError`` otherwise."""
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


def server_engine(url: str, **given: Any) -> Engine:
    """For PostgreSQL; ``given`` goes before our own settings of the pool."""
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


def sqlite_engine(url: str) -> Engine:
    """For a file; writers begin IMMEDIATE, so that none fails half-way."""
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
