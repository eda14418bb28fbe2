"""The command line. Every refusal is a line that says what to do; exit 1 where something failed."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from liaison import checks
from liaison.clock import Clock, FixedClock, SystemClock
from liaison.documents import provider_csv
from liaison.domain.actors import operator
from liaison.domain.vocabulary import Role
from liaison.errors import Invalid, LiaisonError
from liaison.logs import configure
from liaison.models import Authority, Database, RegisterImport, Stream
from liaison.queries import register_imports as register_imports_read
from liaison.services import (
    accounts,
    import_run,
    ledger_check,
    orders,
    register,
    register_imports,
    rotation,
    schema,
    totp,
)
from liaison.services.vault import Vault
from liaison.settings import Env, Settings


def _command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Refusals become lines on standard error, never traces."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Invalid as error:
            for fault in error.errors:
                click.echo(f"{fault.pointer or '(the whole)'}: {fault.detail}", err=True)
            click.echo(f"{error.detail} Nothing was changed.", err=True)
        except LiaisonError as error:
            click.echo(error.detail, err=True)
        sys.exit(1)

    return run


def _settings(*, or_demo: bool = False) -> Settings:
    """The settings; in the demo's environment, the demo's own.

    ``or_demo``: on a machine that holds a demo and nothing else, the demo is meant.
    """
    settings = Settings.from_env()
    unset = not any(os.environ.get(f"LIAISON_{n}") for n in ("ENV", "DATABASE_URL"))
    here = settings.data_dir
    alone = not (here / "liaison.db").exists() and (here / "demo" / "liaison.db").exists()
    if settings.env is Env.DEMO or (or_demo and unset and alone):
        from liaison.demo import demo_settings

        settings = demo_settings()
    configure(settings.env)
    return settings


def _open(settings: Settings) -> Database:
    """The database, given back when the command ends."""
    database = Database(settings.database_url)
    click.get_current_context().call_on_close(database.close)
    return database


def _database(settings: Settings) -> Database:
    """The database, which must be there: no command but ``migrate`` makes one."""
    database = _open(settings)
    if not database.exists or not schema.is_current(database):
        raise LiaisonError(
            f"{database.url.render_as_string(hide_password=True)} has not the newest schema. "
            "Run: liaison migrate (or set LIAISON_ENV=demo to mean the demo)"
        )
    return database


@click.group()
def main() -> None:
    """Liaison: preservation orders between a contact point and providers."""


@main.command()
@_command
def migrate() -> None:
    """Bring the database to the newest schema."""
    database = _open(_settings())
    before = schema.current(database)
    schema.migrate(database)
    after = schema.current(database)
    click.echo(f"The schema is {after}." if before == after else f"{before or 'empty'} → {after}")


@main.command()
@_command
def serve() -> None:
    """The portal and the endpoint, under gunicorn (see gunicorn.conf.py)."""
    checks.prove_keys(_settings())
    conf = Path(__file__).parent.parent / "gunicorn.conf.py"
    sys.exit(subprocess.call([sys.executable, "-m", "gunicorn", "-c", str(conf)]))  # noqa: S603


@main.command()
@click.option("--once", is_flag=True, help="Do all that is due, then exit.")
@click.option(
    "--as-of", "as_of", metavar="TIME", help="As if it were TIME (RFC 3339); not in production."
)
@_command
def worker(once: bool, as_of: str | None) -> None:
    """Fire timers, send messages."""
    from liaison.worker import open_work, run_once, run_until_signalled

    settings = _settings()
    if as_of and not once:
        raise click.UsageError("--as-of goes with --once.")
    clock: Clock = FixedClock(_moment(settings, as_of)) if as_of else SystemClock()
    _database(settings)
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


@main.command()
@click.option("--prepare", is_flag=True, help="Build the demo database and exit.")
@click.option(
    "--accounts", "show", is_flag=True, help="Accounts with their current codes, as JSON."
)
@_command
def demo(prepare: bool, show: bool) -> None:
    """Everything on this machine: portal, worker, mailbox, a toy provider."""
    from liaison import demo as demonstration

    if show:
        click.echo(demonstration.accounts_json())
    elif prepare:
        demonstration.prepare()
    else:
        sys.exit(demonstration.run())


@main.command()
@_command
def check() -> None:
    """Look at settings, database, schema, keys, mail, clock, worker; one line each."""
    settings = _settings(or_demo=True)
    failed = False
    for finding in checks.run(settings, _open(settings), SystemClock()):
        failed = failed or not finding.ok
        word = "FAIL" if not finding.ok else "warn" if finding.warns else "ok  "
        click.echo(f"{word}  {finding.name:9} {finding.detail}")
    sys.exit(1 if failed else 0)


@main.command()
@click.argument("file", type=click.File("rb"), default="-")
def bounce(file: Any) -> None:
    """Take in a letter that came back, from FILE or standard input; for a mail server's pipe.

    Exit 0: taken in, or none of ours. 65: it cannot be read. 75: try again later.
    """
    from liaison.worker.bounces import LARGEST, take

    try:
        database = _database(_settings())
        verdicts = take(database, file.read(LARGEST), SystemClock().now())
    except (LiaisonError, SQLAlchemyError, OSError) as error:
        # Never the text of a database's error: it could quote what was stored.
        said = error.detail if isinstance(error, LiaisonError) else type(error).__name__
        click.echo(said, err=True)
        sys.exit(75)
    except Exception as error:
        click.echo(f"This letter cannot be read: {type(error).__name__}", err=True)
        sys.exit(65)
    for said in map(str, verdicts or ("no report of a letter that came back",)):
        click.echo(said)


@main.group()
def admin() -> None:
    """People, at the server's command line."""


@admin.command("create")
@click.option("--email", prompt=True, help="Institutional address.")
@click.option("--name", prompt=True, help="The person's name.")
@click.option("--authority", "code", prompt="Authority's code", help="Begins its orders' refs.")
@click.option("--authority-name", default="", help="For an authority that is not registered yet.")
@click.option("--country", default="", help="Two letters; for a new authority.")
@click.option("--time-zone", default="UTC", show_default=True, help="For a new authority.")
@click.option("--phone", default="", help="+…; for a new authority.")
@click.password_option(help="12 to 128 characters.")
@_command
def admin_create(
    email: str,
    name: str,
    code: str,
    authority_name: str,
    country: str,
    time_zone: str,
    phone: str,
    password: str,
) -> None:
    """Create the first administrator, and their authority where it is new."""
    settings = _settings().with_keys()
    database = _database(settings)
    with database.transaction() as session:
        new = (authority_name, country, time_zone, phone, email)
        authority = register.first_authority(session, code, *new)
        person, secret = accounts.register_person(
            session,
            Vault(settings.encryption_key),
            email=email,
            name=name,
            password=password,
            roles=[Role.ADMINISTRATOR],
            authority=authority,
            now=SystemClock().now(),
        )
        address = person.email
    click.echo(f"{address} is administrator of {authority.name}.")
    click.echo("Put this secret into an authenticator now; it is not shown again:")
    click.echo(f"  {secret}")
    click.echo(f"  {totp.enrolment_uri(secret, address)}")


@main.group("keys")
def keys_group() -> None:
    """The keys of this installation."""


@keys_group.command("rotate")
@_command
def keys_rotate() -> None:
    """Seal every stored secret with the newest key of LIAISON_ENCRYPTION_KEY."""
    settings = _settings(or_demo=True).with_keys()
    vault, database = Vault(settings.encryption_key), _database(settings)
    for kind in rotation.SEALED:
        done, after = 0, None
        while True:
            # A transaction each: sign-ins go on meanwhile, and what is done stays done.
            with database.transaction() as session:
                batch = rotation.reseal(session, vault, kind, after)
            done, after = done + batch.resealed, batch.last
            if after is None:
                break
        click.echo(f"{done} sealed anew: {kind}.")
    click.echo("Now the older keys can be taken out of LIAISON_ENCRYPTION_KEY.")


@main.group()
def order() -> None:
    """Orders."""


@order.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--authority", "code", default=None, help="Whose draft it is; not needed for one.")
@_command
def order_import(file: Any, code: str | None) -> None:
    """Load a draft order from JSON; every fault is told with its JSON pointer."""
    settings = _settings(or_demo=True)
    try:
        data = json.load(file)
    except (ValueError, RecursionError) as error:
        raise LiaisonError(f"{file.name} is no JSON: {error}. Nothing was stored.") from None
    database = _database(settings)
    with database.transaction() as session:
        authority = _authority(session, code)
        actor = operator(authority.id, authority.name)
        made = orders.draft(session, actor, data, SystemClock().now())
        name = made.name
    click.echo(f"Draft {name} for {made.provider.name}, {len(made.targets)} targets.")
    click.echo(f"Check and issue it: {settings.base_url}/orders/{name}/issue")


def _authority(session: Any, code: str | None) -> Authority:
    found = session.scalars(select(Authority).order_by(Authority.code)).all()
    wanted = [a for a in found if code is None or a.code.lower() == code.lower()]
    if len(wanted) != 1:
        codes = ", ".join(a.code for a in found) or "none is registered"
        raise LiaisonError(f"Say which authority with --authority: {codes}.")
    one: Authority = wanted[0]
    return one


@main.group("register")
def register_group() -> None:
    """The register of providers, as CSV."""


@register_group.command("export")
@click.argument("file", type=click.File("w", encoding="utf-8"), default="-")
@_command
def register_export(file: Any) -> None:
    """Write all providers to FILE, or to standard output."""
    with _database(_settings(or_demo=True)).reading() as session:
        file.writelines(provider_csv.write(register_imports_read.rows(session)))


@register_group.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Say what would change; store nothing.")
@click.option("--authority", "code", default=None, help="Whose import it is; not needed for one.")
@click.option("--reason", default="", help="Why a status changes; needed where one does.")
@_command
def register_import(file: Any, dry_run: bool, code: str | None, reason: str) -> None:
    """Check FILE, tell every fault by row; import it where there is none."""
    settings, clock = _settings(or_demo=True), SystemClock()
    database, content = _database(settings), file.read(provider_csv.LARGEST + 1)
    with database.writing() as session:
        authority = _authority(session, code)
        at_server = operator(authority.id, authority.name)
        actor = replace(at_server, roles=frozenset({Role.ADMINISTRATOR}))
        session.rollback()  # nobody waits while the file is read
        made = register_imports.check_at_server(session, actor, file.name, content, clock.now())
        counts = made.report["counts"]
        click.echo(
            "{rows} rows: {new} new, {changed} changed, {unchanged} the same.".format(**counts)
        )
        if counts["faulty"]:
            _tell_faults(made.report["faults"])
            raise LiaisonError(f"Rows with faults: {counts['faulty']}. Nothing was imported.")
        if dry_run or not made.total:
            click.echo("Nothing was imported.")
            return
        register_imports.confirm_at_server(session, actor, made.id, clock.now(), reason)
        session.commit()
    row = _import(database, made, settings.base_url)
    if row.state != register_imports.DONE:
        _tell_faults(row.report["failed"])
        raise LiaisonError("The register changed meanwhile. Nothing was imported.")
    click.echo(f"{row.total} providers written.")


def _import(database: Database, made: RegisterImport, base_url: str) -> RegisterImport:
    """Does the worker's part at once, beside it if it runs."""
    with click.progressbar(length=made.total, label="Importing") as bar:
        while True:
            with database.transaction() as session:
                row = import_run.step(session, made.id, SystemClock().now(), base_url)
                bar.update(row.done - bar.pos)
                if row.state != register_imports.CONFIRMED:
                    return row


def _tell_faults(faults: list[Any]) -> None:
    for number, column, detail in faults:
        place = f"row {number}" if number else "the file"
        click.echo(f"{place}{f', {column}' if column else ''}: {detail}", err=True)


@main.group("ledger")
def ledger_group() -> None:
    """The ledger."""


@ledger_group.command("verify")
@click.option("--stream", default=None, help="One stream only, like provider:<id>.")
@click.option(
    "--head", "head", type=click.File("r"), help="Heads noted earlier (JSON): must still stand."
)
@_command
def ledger_verify(stream: str | None, head: Any) -> None:
    """Walk the chain; name the first bad entry where it breaks."""
    database = _database(_settings(or_demo=True))
    noted = ledger_check.read_heads(head.read(), stream) if head else {}
    broken = False
    with database.reading() as session:
        for found in ledger_check.verify(session, stream, noted):
            if isinstance(found, Stream):
                click.echo(f"ok    {found.id}  {found.seq} entries, head {found.head}")
            else:
                broken = True
                click.echo(f"BREAK {found.stream}  {found.place}: {found.reason}", err=True)
    if not head:
        click.echo(
            "Without --head, an end that was cut off cannot be seen where its orders were cut off "
            "with it, or where no order needs its entries."
        )
    sys.exit(1 if broken else 0)
