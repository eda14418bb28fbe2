"""`liaison check`: is everything there that a working portal needs?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from liaison import scanning
from liaison.checks import given
from liaison.checks.findings import Finding, Warned
from liaison.clock import Clock
from liaison.documents.order_jws import Signer
from liaison.errors import LiaisonError, SettingsError
from liaison.models import Database
from liaison.queries import deliveries, lag, office_hours, registry, watching
from liaison.services import canaries, rotation, schema
from liaison.services.vault import Vault
from liaison.settings import Settings, may_ask

DRIFT = timedelta(seconds=5)

NEED_A_DATABASE = (
    "schema",
    "secrets",
    "clock",
    "worker",
    "canaries",
    "programs",
    "contacts",
    "holidays",
    "notices",
)
"""What is not looked at where there is none."""


def run(
    settings: Settings,
    database: Database,
    clock: Clock,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[Finding]:
    """Looks at one thing after the other; a failure does not hide the rest."""
    looks: dict[str, Callable[[], str]] = {
        "settings": lambda: given.settings(settings),
        "names": lambda: given.names(environ),
        "bind": lambda: given.bind(settings),
        "keys": lambda: _keys(settings),
        "database": lambda: _database(database),
        "schema": lambda: _schema(database),
        "secrets": lambda: _secrets(settings, database),
        "clock": lambda: _clock(database, clock),
        "worker": lambda: _worker(database, clock),
        "canaries": lambda: _canaries(settings, database, clock),
        "heartbeat": lambda: _heartbeat(settings),
        "programs": lambda: _programs(database, clock),
        "contacts": lambda: _contacts(database, clock),
        "holidays": lambda: _holidays(database),
        "mail": lambda: given.mail(settings),
        "gateway": lambda: given.gateway(settings),
        "bounces": lambda: given.bounces(settings),
        "notices": lambda: _undelivered(database),
        "scanner": lambda: scanning.probe(settings.scan_command),
    }
    if not database.exists:
        for name in NEED_A_DATABASE:
            del looks[name]
    for name, look in looks.items():
        try:
            yield Finding(name, True, look())
        except Warned as warning:
            yield Finding(name, True, warning.detail, warns=True)
        except (LiaisonError, OSError) as error:
            # A line each, as `serve` tells them: some end in a command that people copy.
            for line in str(error).splitlines() or [type(error).__name__]:
                yield Finding(name, False, line)
        except SQLAlchemyError as error:
            yield Finding(name, False, f"the database refuses: {type(error).__name__}")


def prove_keys(settings: Settings) -> Settings:
    """The settings with their keys; ``SettingsError`` unless each is there and can be used."""
    settings = settings.with_keys()
    Vault(settings.encryption_key)
    Signer.from_settings(settings)
    return settings


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
    try:
        vault = Vault(settings.with_keys().encryption_key)
    except SettingsError:
        raise LiaisonError("not looked at: the keys come first, see above.") from None
    with database.reading() as session:
        found = rotation.count(session, vault)
    if found.lost:
        raise LiaisonError(
            f"{found.lost} of {found.all} sealed secrets cannot be opened: a key is missing from "
            "LIAISON_ENCRYPTION_KEY. Add it behind the newest one."
        )
    if found.older:
        raise Warned(
            f"{found.older} of {found.all} sealed with an older key. Run: liaison keys rotate"
        )
    return f"{found.all} sealed with the newest key"


def _clock(database: Database, clock: Clock) -> str:
    with database.engine.begin() as connection:
        theirs = database.server_clock(connection)
    if theirs is None:
        return "SQLite has no clock of its own: this machine's counts"
    drift = abs(theirs - clock.now())
    if drift > DRIFT:
        raise LiaisonError(f"{drift.total_seconds():.0f} s between this machine and the database.")
    return f"within {DRIFT.total_seconds():.0f} s of the database's"


def _worker(database: Database, clock: Clock) -> str:
    now = clock.now()
    with database.reading() as session:
        beat, fault = lag.heartbeat(session, now), lag.lag(session, now).fault
        stuck = lag.stuck(session, now)
    if beat is None:
        raise LiaisonError("no heartbeat in the last minute. Start: liaison worker")
    if fault:
        raise LiaisonError(f"{fault}. Read the worker's log.")
    if stuck:
        raise LiaisonError(f"what falls due fails; act by hand: {', '.join(stuck)}")
    return f"last heartbeat {beat.isoformat()}"


def _canaries(settings: Settings, database: Database, clock: Clock) -> str:
    if not canaries.ways(settings):
        raise Warned("off: nobody would notice that notices leave and do not arrive")
    late = canaries.every(settings) + 2 * canaries.LATE
    with database.reading() as session:
        ways = watching.ways(session, settings, clock.now())
    lost = [way.channel.value for way in ways if way.lost or (way.age and way.age > late)]
    if lost:
        raise LiaisonError(f"none came back lately by {' and '.join(lost)}. Read the worker's log.")
    if unknown := [way.channel.value for way in ways if way.age is None]:
        raise Warned(f"none has come back yet by {' and '.join(unknown)}: look again in a while")
    return f"they come back by {' and '.join(way.channel.value for way in ways)}"


def _heartbeat(settings: Settings) -> str:
    url = settings.heartbeat_url
    if not url:
        raise Warned("LIAISON_HEARTBEAT_URL is not set: nobody is called where all of this stops")
    # It may hold a key: no part of it is shown.
    if not may_ask(url):
        raise LiaisonError(
            "LIAISON_HEARTBEAT_URL must look like https://watch.example/…, or lead to this machine."
        )
    if not canaries.ways(settings):
        raise LiaisonError("LIAISON_HEARTBEAT_URL is called after canaries only, and they are off.")
    return f"called about every {settings.canary_every} min, while canaries come back"


def _programs(database: Database, clock: Clock) -> str:
    with database.reading() as session:
        silent = watching.silent_programs(session, clock.now())
    if silent:
        raise Warned(f"silent: {', '.join(silent)}")
    return "none has fallen silent"


def _contacts(database: Database, clock: Clock) -> str:
    with database.reading() as session:
        missing = registry.unreachable(session, clock.now())
    if missing:
        raise LiaisonError(
            "a ladder would reach nobody: register a duty officer and a supervisor "
            f"for {', '.join(missing)}."
        )
    return "somebody stands at the top of every ladder"


def _holidays(database: Database) -> str:
    with database.reading() as session:
        unknown = office_hours.unknown_holidays(session)
    if unknown:
        raise Warned(
            "a memorandum speaks of public holidays that are not known here, so that no ladder "
            f"waits for them: {', '.join(unknown)}."
        )
    return "those of every memorandum that speaks of them are known"


def _undelivered(database: Database) -> str:
    with database.reading() as session:
        count = deliveries.unsettled(session)
    if count:
        more = "or more " if count >= deliveries.MOST_COUNTED else ""
        raise Warned(f"{count} {more}undelivered and nobody has dealt with them: /undelivered")
    return "none is undelivered"
