"""The ledger, walked through from a terminal."""

from __future__ import annotations

import sys
from typing import Any

import click

from liaison.cli.frame import command, database_here, settings_here
from liaison.models import Stream
from liaison.services import ledger_check


@click.group("ledger")
def ledger() -> None:
    """The ledger."""


@ledger.command("verify")
@click.option("--stream", default=None, help="One stream only, like provider:<id>.")
@click.option(
    "--head", "head", type=click.File("r"), help="Heads noted earlier (JSON): must still stand."
)
@command
def ledger_verify(stream: str | None, head: Any) -> None:
    """Walk the chain; name the first bad entry where it breaks."""
    database = database_here(settings_here())
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
