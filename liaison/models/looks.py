"""Reading by the driver's own cursor, for what every poll asks: SQLAlchemy's way takes longer than
the database itself. Statements are made as everywhere; only their running is bare."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, cast

from sqlalchemy import Dialect, Engine, Select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

R = TypeVar("R", bound=tuple[Any, ...])
Convert = Callable[[Any], Any]


class Look(Generic[R]):
    """A statement that reads, and the ``NamedTuple`` of its rows: a field for each column.

    What it is asked with is bound by name, as texts and whole numbers.
    """

    def __init__(self, statement: Select[Any], shape: type[R]) -> None:
        self.statement, self.shape = statement, shape
        self._on = lru_cache(maxsize=2)(self._for)

    def _for(self, dialect: Dialect) -> tuple[str, Callable[[Mapping[str, Any]], Any], list[Any]]:
        """Its text on this database, how that is asked, and what reads which columns."""
        made = self.statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        own, places = dict(made.params), cast(Any, made).positiontup
        columns = enumerate(self.statement.selected_columns)
        found = [
            (n, c.type.dialect_impl(dialect).result_processor(dialect, None)) for n, c in columns
        ]

        def bound(asked: Mapping[str, Any]) -> Any:
            values = {**own, **asked}
            return [values[name] for name in places] if places is not None else values

        return str(made), bound, [(n, convert) for n, convert in found if convert is not None]

    def read(self, rows: Iterable[Iterable[Any]], dialect: Dialect) -> list[R]:
        """The driver's rows, their values as the columns' types have them."""
        converts: list[tuple[int, Convert]] = self._on(dialect)[2]
        read = []
        for row in rows:
            values = list(row)
            for n, convert in converts:
                values[n] = convert(values[n])
            read.append(self.shape(*values))
        return read

    def asked(self, dialect: Dialect, asked: Mapping[str, Any]) -> tuple[str, Any]:
        """Its text, and what is bound to it, as the driver takes them."""
        text, bound, _ = self._on(dialect)
        return text, bound(asked)


class Looking:
    """A connection on which each look reads for itself; no transaction is begun."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._raw: PoolProxiedConnection | None = None

    def __enter__(self) -> Self:
        with self._told("connecting"):
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
        with self._told(text):
            cursor = self._raw.cursor()
            try:
                cursor.execute(text, bound)
                rows = cursor.fetchall()
            finally:
                cursor.close()
        return look.read(rows, self._engine.dialect)

    @contextmanager
    def _told(self, text: str) -> Iterator[None]:
        """The driver's errors as SQLAlchemy's; what is lost with its server goes back to no pool.

        Parameters stay out of them: errors are logged.
        """
        dialect = self._engine.dialect
        errors = dialect.loaded_dbapi.Error
        try:
            yield
        except errors as error:
            raw = self._raw
            lost = dialect.is_disconnect(error, raw, None)
            if lost and raw is not None:
                raw.invalidate(error)
            raise DBAPIError.instance(
                text, None, error, errors, hide_parameters=True, connection_invalidated=lost,
                dialect=dialect,
            ) from error  # fmt: skip
