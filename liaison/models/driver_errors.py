"""What the driver says went wrong, in SQLAlchemy's words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.pool import PoolProxiedConnection

AWAY = (OperationalError, InterfaceError)
"""The database is away, or another transaction stood in the way: later the same may succeed."""


@contextmanager
def told(
    dialect: Dialect,
    text: str,
    raw: PoolProxiedConnection | None,
    invalidate: Callable[[Exception], None],
) -> Iterator[None]:
    """The driver's errors as SQLAlchemy's; what is lost with its server goes back to no pool.

    Parameters stay out of them: errors are logged.
    """
    errors = dialect.loaded_dbapi.Error
    try:
        yield
    except errors as error:
        gone = raw is not None and raw.dbapi_connection is None  # lost before, and told
        lost = gone or dialect.is_disconnect(error, raw, None)
        if lost and not gone:
            invalidate(error)
        raise DBAPIError.instance(
            text, None, error, errors, hide_parameters=True, connection_invalidated=lost,
            dialect=dialect,
        ) from error  # fmt: skip
