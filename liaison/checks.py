"""`liaison check`: is everything there that a working portal needs?"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from liaison import scanning
from liaison.clock import Clock
from liaison.errors import LiaisonError, SettingsError
from liaison.models import Database
from liaison.queries import lag, registry
from liaison.services import rotation, schema
from liaison.services.vault import Vault
from liaison.settings import HOW_TO_MAKE, Env, Settings

DRIFT = timedelta(seconds=5)


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    name: str
    ok: bool
    detail: str
    warns: bool = False
    """Nothing is broken; something is to be done."""


class _Warned(LiaisonError):
    """A look that found nothing broken, but something to do."""


def run(settings: Settings, database: Database, clock: Clock) -> Iterator[Finding]:
    """Looks at one thing after the other; a failure does not hide the rest."""
    looks: dict[str, Callable[[], str]] = {
        "settings": lambda: _settings(settings),
        "keys": lambda: _keys(settings),
        "database": lambda: _database(database),
        "schema": lambda: _schema(database),
        "secrets": lambda: _secrets(settings, database),
        "clock": lambda: _clock(database, clock),
        "worker": lambda: _worker(database, clock),
        "contacts": lambda: _contacts(database, clock),
        "mail": lambda: _mail(settings),
        "scanner": lambda: scanning.probe(settings.scan_command),
    }
    if not database.exists:
        for name in ("schema", "secrets", "clock", "worker", "contacts"):
            del looks[name]
    for name, look in looks.items():
        try:
            yield Finding(name, True, look())
        except _Warned as warning:
            yield Finding(name, True, warning.detail, warns=True)
        except (LiaisonError, OSError) as error:
            yield Finding(name, False, " ".join(str(error).split("\n")))
        except SQLAlchemyError as error:
            yield Finding(name, False, f"the database refuses: {type(error).__name__}")


def _settings(settings: Settings) -> str:
    if settings.env is Env.PRODUCTION and not settings.is_secure:
        raise LiaisonError("LIAISON_BASE_URL must begin with https:// in production.")
    return f"{settings.env}, {settings.base_url}"


def prove_keys(settings: Settings) -> None:
    """``SettingsError`` unless every key is there and can be used."""
    settings = settings.with_keys()
    Vault(settings.encryption_key)
    if settings.env is not Env.PRODUCTION:
        return
    try:
        key = load_pem_private_key(Path(settings.signing_key).read_bytes(), None)
    except (OSError, ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        hint = HOW_TO_MAKE["LIAISON_SIGNING_KEY"]
        raise SettingsError(
            f"LIAISON_SIGNING_KEY holds no Ed25519 key in PEM without a password. "
            f"Make one with: {hint}"
        )


def _keys(settings: Settings) -> str:
    prove_keys(settings)
    return "all there, all usable"


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


def _secrets(settings: Settings, database: Database) -> str:
    vault = Vault(settings.with_keys().encryption_key)
    with database.reading() as session:
        found = rotation.count(session, vault)
    if found.lost:
        raise LiaisonError(
            f"{found.lost} of {found.all} sealed secrets cannot be opened: a key is missing from "
            "LIAISON_ENCRYPTION_KEY. Add it behind the newest one."
        )
    if found.older:
        raise _Warned(
            f"{found.older} of {found.all} sealed with an older key. Run: liaison keys rotate"
        )
    return f"{found.all} sealed with the newest key"


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
    now = clock.now()
    with database.reading() as session:
        beat, fault = lag.heartbeat(session, now), lag.lag(session, now).fault
        stuck = lag.stuck(session)
    if beat is None:
        raise LiaisonError("no heartbeat in the last minute. Start: liaison worker")
    if fault:
        raise LiaisonError(f"{fault}. Read the worker's log.")
    if stuck:
        raise LiaisonError(f"what falls due fails; act by hand: {', '.join(stuck)}")
    return f"last heartbeat {beat.isoformat()}"


def _contacts(database: Database, clock: Clock) -> str:
    with database.reading() as session:
        missing = registry.unreachable(session, clock.now())
    if missing:
        raise LiaisonError(
            "a ladder would reach nobody: register a duty officer and a supervisor "
            f"for {', '.join(missing)}."
        )
    return "somebody stands at the top of every ladder"


def _mail(settings: Settings) -> str:
    parts = urlsplit(settings.smtp_url)
    place = (parts.hostname or "", parts.port or (465 if parts.scheme == "smtps" else 25))
    try:
        with socket.create_connection(place, timeout=5):
            return f"{place[0]}:{place[1]} answers"
    except OSError as error:
        raise LiaisonError(f"{place[0]}:{place[1]} does not answer: {error}") from None
