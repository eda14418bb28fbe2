"""`liaison check`: is everything there that a working portal needs?"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from liaison.clock import Clock
from liaison.errors import LiaisonError
from liaison.models import Database, Heartbeat
from liaison.services import schema
from liaison.services.vault import Vault
from liaison.settings import Env, Settings

DRIFT = timedelta(seconds=5)
SILENT = timedelta(seconds=60)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str


def run(settings: Settings, database: Database, clock: Clock) -> Iterator[Finding]:
    """Looks at one thing after the other; a failure does not hide the rest."""
    looks: dict[str, Callable[[], str]] = {
        "settings": lambda: _settings(settings),
        "keys": lambda: _keys(settings),
        "database": lambda: _database(database),
        "schema": lambda: _schema(database),
        "clock": lambda: _clock(database, clock),
        "worker": lambda: _worker(database, clock),
        "mail": lambda: _mail(settings),
    }
    if not database.exists:
        del looks["schema"], looks["clock"], looks["worker"]
    for name, look in looks.items():
        try:
            yield Finding(name, True, look())
        except (LiaisonError, OSError) as error:
            yield Finding(name, False, " ".join(str(error).split("\n")))
        except SQLAlchemyError as error:
            yield Finding(name, False, f"the database refuses: {type(error).__name__}")


def _settings(settings: Settings) -> str:
    if settings.env is Env.PRODUCTION and not settings.is_secure:
        raise LiaisonError("LIAISON_BASE_URL must begin with https:// in production.")
    return f"{settings.env}, {settings.base_url}"


def _keys(settings: Settings) -> str:
    Vault(settings.with_keys().encryption_key)
    return "all there"


def _database(database: Database) -> str:
    if not database.exists:
        raise LiaisonError(f"{database.url.database} is not there. Run: liaison migrate")
    with database.reading() as session:
        session.execute(text("SELECT 1"))
    return database.url.render_as_string(hide_password=True)


def _schema(database: Database) -> str:
    if not schema.is_current(database):
        raise LiaisonError("not the newest. Run: liaison migrate")
    return str(schema.current(database))


def _clock(database: Database, clock: Clock) -> str:
    with database.engine.connect() as connection:
        theirs = database.server_clock(connection)
    if theirs is None:
        return "this machine's decides"
    drift = abs(theirs - clock.now())
    if drift > DRIFT:
        raise LiaisonError(f"{drift.total_seconds():.0f} s between this machine and the database.")
    return f"within {DRIFT.total_seconds():.0f} s of the database's"


def _worker(database: Database, clock: Clock) -> str:
    with database.reading() as session:
        beat = session.scalar(select(func.max(Heartbeat.at)))
    if beat is None or clock.now() - beat > SILENT:
        raise LiaisonError("no heartbeat in the last minute. Start: liaison worker")
    return f"last heartbeat {beat.isoformat()}"


def _mail(settings: Settings) -> str:
    parts = urlsplit(settings.smtp_url)
    place = (parts.hostname or "", parts.port or (465 if parts.scheme == "smtps" else 25))
    try:
        with socket.create_connection(place, timeout=5):
            return f"{place[0]}:{place[1]} answers"
    except OSError as error:
        raise LiaisonError(f"{place[0]}:{place[1]} does not answer: {error}") from None
