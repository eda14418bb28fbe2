"""The schema's version: bringing a database to the newest one, and asking where it stands."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from liaison.errors import SettingsError
from liaison.models import Database
from liaison.models.engines import WRITES

CHECKOUT = Path(__file__).resolve().parents[2]
"""Where ``pyproject.toml`` and ``migrations`` stand, beside the package."""


def migrate(database: Database, to: str = "head") -> None:
    """Brings the database to the newest schema, or leaves it as it was.

    Two programs may do so at once: the second waits and finds nothing to do.
    """
    config = _config()
    with database.engine.connect().execution_options(**{WRITES: True}) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def take_back(database: Database, to: str) -> None:
    """Takes the schema back to an older revision; ``base`` is the empty database."""
    config = _config()
    with database.engine.connect().execution_options(**{WRITES: True}) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, to)


def current(database: Database) -> str | None:
    """The database's revision; None where no migration has run."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


@cache
def head() -> str:
    """The newest revision there is."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        raise SettingsError(f"{CHECKOUT / 'migrations'} holds no revision.")
    return found


def is_current(database: Database) -> bool:
    """Whether the database has the newest schema."""
    with database.engine.connect() as connection:
        return is_newest(connection)


def is_newest(connection: sa.Connection) -> bool:
    """The same on a connection that is open already; two small reads, for ``/readyz``."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return False
    stored = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars()
    return list(stored) == [head()]


def _config() -> Config:
    settings, scripts = CHECKOUT / "pyproject.toml", CHECKOUT / "migrations"
    if not settings.is_file() or not (scripts / "env.py").is_file():
        raise SettingsError(
            f"The migrations are not at {scripts}. Run Liaison from its checkout: "
            "git clone, then make demo or pip install --editable ."
        )
    return Config(toml_file=str(settings))
