"""What is the same in every test is made once a process: templates, routes, statements.

Each test has an application and a database of its own. Making them anew was more than half of the
time of a test of a page: Jinja compiled the same templates, werkzeug the same routes, SQLAlchemy
the same statements. What is kept here depends on nothing but its source.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import flask
import sqlalchemy
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from liaison.models import engines

STATEMENTS = 5000
"""Compiled statements that are kept; a test run has more of them than an installation."""


class _Templates(BytecodeCache):
    """Compiled templates by the checksum of their source."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """The code, where it was compiled before."""
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps the code."""
        self._kept[bucket.key, bucket.checksum] = bucket.code


def keep() -> None:
    """Begins to keep; once, before the first test."""
    flask.Flask.jinja_options = {**flask.Flask.jinja_options, "bytecode_cache": _Templates()}
    Rule._compile_builder = _routes(Rule._compile_builder)  # type: ignore[method-assign]
    setattr(engines, "create_engine", _engines(sqlalchemy.create_engine))  # noqa: B010
    setattr(engines, "sqlite_engine", _hurried(engines.sqlite_engine))  # noqa: B010


def _routes(compiled: Callable[..., Any]) -> Callable[..., Any]:
    """A route's builder is a function of the rule that it is given: one does for all alike."""
    known: dict[Any, Any] = {}

    def builder(rule: Rule, append_unknown: bool = True) -> Any:
        if rule.defaults:
            return compiled(rule, append_unknown)
        key = (rule.rule, append_unknown, tuple(rule._trace))
        if key not in known:
            known[key] = compiled(rule, append_unknown)
        return known[key]

    return builder


def _hurried(create: Callable[[str], Engine]) -> Callable[[str], Engine]:
    """A test's file may be lost with the machine: once it is set up, nothing waits for the disk."""

    def made(url: str) -> Engine:
        engine = create(url)

        @sqlalchemy.event.listens_for(engine, "connect")
        def _hurry(connection: Any, _record: object) -> None:
            connection.execute("PRAGMA synchronous=OFF")

        return engine

    return made


def _engines(create: Callable[..., Engine]) -> Callable[..., Engine]:
    """Engines of one kind share a dialect, which statements are compiled for, and the statements.

    The first of a kind that has connected lends them: a dialect learns from its server.
    """
    lenders: dict[str, Engine] = {}

    def made(url: Any, **options: Any) -> Engine:
        engine = create(url, **options)
        kind = engine.dialect.name
        if kind in lenders:
            engine.dialect = lenders[kind].dialect
            engine.pool._dialect = engine.dialect
            engine._compiled_cache = lenders[kind]._compiled_cache
        else:
            engine._compiled_cache = LRUCache(STATEMENTS)

            @sqlalchemy.event.listens_for(engine, "engine_connect", once=True)
            def _lend(_connection: Any) -> None:
                lenders.setdefault(kind, engine)

        return engine

    return made
