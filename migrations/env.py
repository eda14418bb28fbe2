"""Runs the migrations on a connection handed over by ``liaison.services.schema``, or by URL.

All revisions of one upgrade run in one transaction, alone: two programs that start together
upgrade once, and a migration that fails leaves nothing behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import sqlalchemy as sa
from alembic import context
from alembic.autogenerate.api import AutogenContext

from liaison.models import Base, Database
from liaison.models.base import UTCDateTime
from liaison.models.engines import WRITES
from liaison.settings import Settings

LOCK = 0x11A150
"""The advisory lock on PostgreSQL that only a migration takes."""


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """Column types of ours are written as plain ones: a revision outlives the models."""
    if kind != "type":
        return False
    if isinstance(item, UTCDateTime):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, sa.Enum):
        return f"sa.String(length={item.length})"
    return False


def configure(**options: Any) -> None:
    """What both ways of running have in common."""
    context.configure(
        target_metadata=Base.metadata,
        render_as_batch=True,
        render_item=render_item,
        compare_type=True,
        **options,
    )


def offline(url: str) -> None:
    """Writes the SQL instead of running it: ``alembic upgrade head --sql``."""
    configure(url=url, literal_binds=True, dialect_opts={"paramstyle": "named"})
    with context.begin_transaction():
        context.run_migrations()


def online(connection: sa.Connection) -> None:
    """Runs the migrations in one transaction."""
    alone = _alone_on_sqlite if connection.dialect.name == "sqlite" else _alone_on_postgresql
    with alone(connection):
        configure(connection=connection)
        with context.begin_transaction():
            context.run_migrations()


@contextmanager
def _alone_on_postgresql(connection: sa.Connection) -> Iterator[None]:
    with connection.begin():
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        yield


@contextmanager
def _alone_on_sqlite(connection: sa.Connection) -> Iterator[None]:
    # SQLite changes a table by building it anew. With foreign keys on, dropping the old one would
    # delete the rows that point to it; they can only be switched outside a transaction.
    driver: Any = connection.connection.driver_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        with connection.begin():
            yield
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
            if broken is not None:
                raise RuntimeError(f"the migration broke a foreign key of table {broken[0]}")
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def main() -> None:
    """The connection that was handed over, else a new one."""
    handed: sa.Connection | None = context.config.attributes.get("connection")
    if handed is not None:
        online(handed)
        return
    url = context.get_x_argument(as_dictionary=True).get("url") or Settings.from_env().database_url
    if context.is_offline_mode():
        offline(url)
        return
    database = Database(url)
    with database.engine.connect().execution_options(**{WRITES: True}) as connection:
        online(connection)
    database.close()


main()
