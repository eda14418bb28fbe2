"""The register of providers as a file."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from liaison.cli.frame import authority_named, command, database_here, settings_here
from liaison.clock import SystemClock
from liaison.documents import provider_csv
from liaison.domain.actors import operator
from liaison.domain.vocabulary import Role
from liaison.errors import LiaisonError
from liaison.models import Database, RegisterImport
from liaison.queries import register_imports as register_imports_read
from liaison.services import import_run, register_imports


@click.group("register")
def providers() -> None:
    """The register of providers, as CSV."""


@providers.command("export")
@click.argument("file", type=click.File("w", encoding="utf-8"), default="-")
@command
def register_export(file: Any) -> None:
    """Write all providers to FILE, or to standard output."""
    with database_here(settings_here()).reading() as session:
        file.writelines(provider_csv.write(register_imports_read.rows(session)))


@providers.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Say what would change; store nothing.")
@click.option("--authority", "code", default=None, help="Whose import it is; not needed for one.")
@click.option("--reason", default="", help="Why a status changes; needed where one does.")
@command
def register_import(file: Any, dry_run: bool, code: str | None, reason: str) -> None:
    """Import providers from FILE.

    Every fault is told by its row; where there is one, nothing is imported.
    """
    settings, clock = settings_here(), SystemClock()
    database, content = database_here(settings), file.read(provider_csv.LARGEST + 1)
    with database.writing() as session:
        authority = authority_named(session, code)
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
