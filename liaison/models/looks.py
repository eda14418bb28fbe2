"""Reading by the driver's own cursor, for what every poll asks: SQLAlchemy's way takes longer than
the database itself. Statements are made as everywhere; only their running is bare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from sqlalchemy import Connection, Dialect, Engine, Select
from sqlalchemy.pool import PoolProxiedConnection

from liaison.models.driver_errors import told
from liaison.models.made import Convert, Given, Made

R = TypeVar("R", bound=tuple[Any, ...])


class Look(Generic[R]):
    """A statement that reads, and the ``NamedTuple`` of its rows: a field for each column.

    What it is asked with is bound by name.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]], shape: type[R]) -> None:
        self.statement, self.shape = statement, shape
        self._on = lru_cache(maxsize=2)(self._for)

    def _for(self, dialect: Dialect) -> tuple[Made, list[tuple[int, Convert]]]:
        """It on this database, and what reads which columns."""
        columns = enumerate(self.statement.selected_columns)
        found = [
            (n, c.type.dialect_impl(dialect).result_processor(dialect, None)) for n, c in columns
        ]
        converts: list[tuple[int, Convert]] = [(n, c) for n, c in found if c is not None]
        return Made(self.statement, dialect), converts

    def read(self, rows: Iterable[Iterable[Any]], dialect: Dialect) -> list[R]:
        """The driver's rows, their values as the columns' types have them."""
        converts = self._on(dialect)[1]
        read = []
        for row in rows:
            values = list(row)
            for n, convert in converts:
                values[n] = convert(values[n])
            read.append(self.shape(*values))
        return read

    def within(self, connection: Connection, **asked: Any) -> list[R]:
        """Every row that is found, inside of a transaction that runs."""
        dialect = connection.dialect
        return self.read(self._on(dialect)[0].on(connection, asked), dialect)

    def asked(self, dialect: Dialect, asked: Mapping[str, Any]) -> tuple[str, Given]:
        """Its text, and what is bound to it, as the driver takes them."""
        made = self._on(dialect)[0]
        return made.text, made.given(asked)


class Looking:
    """A connection on which each look reads for itself; no transaction is begun."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._raw: PoolProxiedConnection | None = None

    def __enter__(self) -> Self:
        with told(self._engine.dialect, "connecting", None, self._lose):
            self._raw = self._engine.raw_connection()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        if self._raw is not None:
            self._raw.close()

    def all(self, look: Look[R], **asked: Any) -> list[R]:
        """Every row that is found."""
        assert self._raw is not None, "looks are taken inside of `with`"
        text, bound = look.asked(self._engine.dialect, asked)
        with told(self._engine.dialect, text, self._raw, self._lose):
            cursor = self._raw.cursor()
            try:
                cursor.execute(text, bound)
                rows = cursor.fetchall()
            finally:
                cursor.close()
        return look.read(rows, self._engine.dialect)

    def _lose(self, error: Exception) -> None:
        if self._raw is not None:
            self._raw.invalidate(error)
