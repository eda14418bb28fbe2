"""A statement made once for its database: its text, and what reads the values that are bound.

Making one anew, as SQLAlchemy does at each asking, takes longer than the database itself, and so
does its way to the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Insert, Select, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

Convert = Callable[[Any], Any]
Given = tuple[Any, ...] | dict[str, Any]


class Made:
    """One statement on one database; ``columns`` are those that an INSERT is given."""

    def __init__(
        self,
        statement: Select[*tuple[Any, ...]] | Insert | Update,
        dialect: Dialect,
        columns: Iterable[str] | None = None,
    ) -> None:
        compiled = statement.compile(
            dialect=dialect,
            column_keys=list(columns) if columns is not None else None,
            compile_kwargs={"render_postcompile": True},
        )
        made = cast(Any, compiled)
        assert not made.insert_prefetch, "give a value for each column that has a default"
        self.text = str(compiled)
        self._own: dict[str, Any] = dict(made.params)
        self._places: list[str] | None = made.positiontup
        binds = {name: made.binds[name].type for name in self._own}
        found = {n: t.dialect_impl(dialect).bind_processor(dialect) for n, t in binds.items()}
        self._converts = [(n, convert) for n, convert in found.items() if convert is not None]

    def given(self, asked: Mapping[str, Any]) -> Given:
        """What the driver is handed: the values asked with, and the statement's own."""
        bound = {**self._own, **asked}
        for name, convert in self._converts:
            bound[name] = convert(bound[name])
        return bound if self._places is None else tuple([bound[name] for name in self._places])

    def on(self, connection: Connection, asked: Mapping[str, Any]) -> list[Any]:
        """The driver's rows, within the transaction that runs there; none where none come back.

        By the driver's own cursor; where somebody listens to what is asked, SQLAlchemy tells them.
        """
        given = self.given(asked)
        if _is_heard(connection):
            result = connection.exec_driver_sql(self.text, given)
            return list(result.all()) if result.returns_rows else []
        raw = connection.connection
        with told(connection.dialect, self.text, raw, connection.invalidate):
            cursor = raw.cursor()
            try:
                cursor.execute(self.text, cast(Any, given))
                return list(cursor.fetchall()) if cursor.description else []
            finally:
                cursor.close()


def _is_heard(connection: Connection) -> bool:
    heard = connection.dispatch
    return bool(heard.before_cursor_execute or heard.after_cursor_execute)


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
        lost = dialect.is_disconnect(error, raw, None)
        if lost:
            invalidate(error)
        raise DBAPIError.instance(
            text, None, error, errors, hide_parameters=True, connection_invalidated=lost,
            dialect=dialect,
        ) from error  # fmt: skip
