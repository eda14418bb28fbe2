"""A statement made once for its database: its text, and what reads the values that are bound.

Making one anew, as SQLAlchemy does at each asking, takes longer than the database itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from sqlalchemy import Dialect, Insert, Select, Update

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
