"""What runs on this machine: the schema, portal and endpoint, the worker, the demo."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import click

from liaison import checks
from liaison.cli.frame import command, database_here, opened, settings_here
from liaison.clock import Clock, FixedClock, SystemClock
from liaison.domain import listening
from liaison.errors import LiaisonError
from liaison.services import schema
from liaison.settings import Env, Settings

SERVED = ("gunicorn.conf.py", "wsgi.py", "templates", "migrations")
"""What the portal is served from, beside the package; a wheel has none of it."""


@click.command()
@command
def migrate() -> None:
    """Bring the database to the newest schema."""
    database = opened(settings_here(or_demo=False))
    before = schema.current(database)
    schema.migrate(database)
    after = schema.current(database)
    click.echo(f"The schema is {after}." if before == after else f"{before or 'empty'} → {after}")


@click.command()
@command
def serve() -> None:
    """Run the portal and the JSON endpoint.

    Under gunicorn, with the settings of gunicorn.conf.py. It becomes gunicorn, under the same
    process id: what ends or watches the one has the other.
    """
    conf = _gunicorn_conf()
    settings = checks.prove_keys(settings_here(or_demo=False))
    listening.places(settings.bind)
    listening.processes(settings.processes)
    if find_spec("gunicorn") is None:
        raise LiaisonError(
            "gunicorn is not installed. Run: pip install --require-hashes -r requirements.lock"
        )
    words = [sys.executable, "-m", "gunicorn", "-c", str(conf)]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, words, _environment(settings))  # noqa: S606 - our own program


def _gunicorn_conf() -> Path:
    """The file beside the package; ``LiaisonError`` where the package is installed without it."""
    missing = [name for name in SERVED if not (schema.CHECKOUT / name).exists()]
    if missing:
        raise LiaisonError(
            f"{schema.CHECKOUT} holds no {', no '.join(missing)}: the package alone cannot serve. "
            "Clone Liaison's repository and run in it: pip install --editable '.[server]'"
        )
    return schema.CHECKOUT / "gunicorn.conf.py"


def _environment(settings: Settings) -> dict[str, str]:
    """The environment that the portal reads its settings from; in the demo, the demo's."""
    if settings.env is not Env.DEMO:
        return dict(os.environ)
    from liaison.demo import place

    return {**os.environ, **place.environment(settings)}


@click.command()
@click.option("--once", is_flag=True, help="Do all that is due, then exit.")
@click.option(
    "--as-of",
    "as_of",
    metavar="TIME",
    help="With --once: as if it were TIME, like 2026-11-24T23:00:00Z (RFC 3339), or that far from "
    "now, like +20m, +2h or +90d. Not in production.",
)
@command
def worker(once: bool, as_of: str | None) -> None:
    """Fire timers, send messages."""
    from liaison.worker import open_work, run_once, run_until_signalled

    settings = settings_here(or_demo=False)
    if as_of and not once:
        raise click.UsageError("--as-of goes with --once.")
    clock: Clock = FixedClock(_moment(settings, as_of)) if as_of else SystemClock()
    settings = checks.prove_keys(settings)
    database_here(settings)
    work = open_work(settings, clock)
    click.get_current_context().call_on_close(work.database.close)
    if once:
        done = run_once(work)
        click.echo(f"{done.fired} timers fired, {done.sent} messages sent.")
    else:
        run_until_signalled(work)


def _moment(settings: Settings, text: str) -> datetime:
    if settings.env is Env.PRODUCTION:
        raise LiaisonError("--as-of is for LIAISON_ENV demo and test; this is production.")
    try:
        if found := re.fullmatch(r"\+([0-9]{1,5})([mhd])", text):
            unit = {"m": "minutes", "h": "hours", "d": "days"}[found[2]]
            return SystemClock().now() + timedelta(**{unit: int(found[1])})
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise LiaisonError(
            "--as-of takes a time with its zone, like 2026-11-23T14:00:00Z, or a span from now, "
            "like +45m, +2h or +90d."
        ) from None


@click.command()
@click.option("--prepare", is_flag=True, help="Build the demo database and exit.")
@click.option(
    "--accounts", "show", is_flag=True, help="Accounts with their current codes, as JSON."
)
@command
def demo(prepare: bool, show: bool) -> None:
    """Run everything on this machine, with made-up cases.

    Portal, worker, mailbox, telephones and a toy provider; Ctrl-C ends it.
    """
    from liaison import demo as demonstration

    if show:
        click.echo(demonstration.accounts_json())
    elif prepare:
        demonstration.prepare()
    else:
        sys.exit(demonstration.run())


@click.command()
@command
def check() -> None:
    """Say what is missing for a working portal.

    Looks at settings, keys, database, mail, clock, worker and more, a line each; exit 1 where
    something fails.
    """
    settings = settings_here()
    failed = False
    for finding in checks.run(settings, opened(settings), SystemClock()):
        failed = failed or not finding.ok
        word = "FAIL" if not finding.ok else "warn" if finding.warns else "ok  "
        click.echo(f"{word}  {finding.name:9} {finding.detail}")
    sys.exit(1 if failed else 0)
