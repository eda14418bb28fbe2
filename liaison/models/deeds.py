"""Writing by statements that are made once: a rung writes six rows, and SQLAlchemy's way to each
takes longer than the database itself. They go through the session's own connection all the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Update
from sqlalchemy.orm import Session

from liaison.models.made import Made

_BARE = "liaison_bare"


class Deed:
    """A statement that writes; an INSERT is told the columns that it is given."""

    def __init__(self, statement: Insert | Update, columns: Iterable[str] | None = None) -> None:
        self._statement = statement
        self._columns = None if columns is None else tuple(columns)
        self._on = lru_cache(maxsize=2)(self._for)

    def _for(self, dialect: Dialect) -> Made:
        return Made(self._statement, dialect, self._columns)

    def on(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Does it, with these values by the names of the columns, or of what is bound.

        The driver's rows, where the statement asks for some back.
        """
        return self._on(connection.dialect).on(connection, values)


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
