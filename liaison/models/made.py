"""A statement made once for its database: its text, and what reads the values that are bound.

Making one anew, as SQLAlchemy does at each asking, takes longer than the database itself, and so
does its way to the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Insert, Select, Update
from sqlalchemy.exc import InvalidRequestError, StatementError

from liaison.models import pipes
from liaison.models.driver_errors import told

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
        if made.insert_prefetch or made.update_prefetch:
            raise TypeError("give a value for each column that has a default")
        self.text = str(compiled)
        self.returns = isinstance(statement, Select) or bool(made.effective_returning)
        binds = {name: made.binds[name] for name in made.params}
        self._needs = frozenset(name for name, bind in binds.items() if bind.required)
        self._own = {n: value for n, value in made.params.items() if n not in self._needs}
        self._places: list[str] | None = made.positiontup
        types = {name: bind.type.dialect_impl(dialect) for name, bind in binds.items()}
        found = {name: type_.bind_processor(dialect) for name, type_ in types.items()}
        self._converts = [(n, convert) for n, convert in found.items() if convert is not None]

    def given(self, asked: Mapping[str, Any]) -> Given:
        """What the driver is handed: the values asked with, and the statement's own.

        ``StatementError`` where one is missing, or is none that its column could keep.
        """
        if not self._needs <= asked.keys():
            missing = ", ".join(sorted(self._needs - asked.keys()))
            raise StatementError(f"a value is needed for {missing}", self.text, None, None)
        bound = {**self._own, **asked}
        try:
            for name, convert in self._converts:
                bound[name] = convert(bound[name])
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            told = f"{type(error).__name__}: {error}"
            raise StatementError(told, self.text, None, error, hide_parameters=True) from error
        return bound if self._places is None else tuple([bound[name] for name in self._places])

    def on(self, connection: Connection, asked: Mapping[str, Any]) -> list[Any]:
        """The driver's rows, within the transaction that runs there; none where none come back.

        Those that give none are not waited for where nobody need (``pipes.unwaited``).

        By the driver's own cursor; where somebody listens to what is asked, SQLAlchemy tells them.
        """
        given = self.given(asked)
        if not connection.in_transaction():
            raise InvalidRequestError("no transaction runs: what is written could not go back")
        if pipes.is_heard(connection):
            result = connection.exec_driver_sql(self.text, given)
            return list(result.all()) if result.returns_rows else []
        raw = connection.connection
        with told(connection.dialect, self.text, raw, connection.invalidate):
            pipes.enter(raw.driver_connection)
            cursor = raw.cursor()
            try:
                cursor.execute(self.text, cast(Any, given))
                return list(cursor.fetchall()) if self.returns else []
            finally:
                cursor.close()
