"""The ledger, walked through from a terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import Any

import click

from liaison.cli.frame import command, database_here, settings_here
from liaison.errors import LiaisonError
from liaison.models import Stream
from liaison.services import ledger_check
from liaison.services.ledger_check import Head

_PRINTED = re.compile(r"^ok +(\S+)  ([0-9]+) entries, head ([0-9a-f]{64})$", re.MULTILINE)
"""A stream that holds, as ``ledger verify`` says so."""


@click.group("ledger")
def ledger() -> None:
    """The ledger."""


@ledger.command("verify")
@click.option("--stream", default=None, help="One stream only, like provider:<id>.")
@click.option(
    "--head",
    "head",
    type=click.File("r"),
    help="Heads noted earlier, which must still stand: what this command printed, or JSON like "
    '{"provider:<id>": {"seq": 12, "hash": "…"}}. With --stream also the head of a poll, '
    '{"seq": 12, "hash": "…"}.',
)
@command
def ledger_verify(stream: str | None, head: Any) -> None:
    """Walk the chain; name the first bad entry where it breaks.

    Keep what it prints elsewhere: given as --head later, it shows whether an end was cut off.
    """
    database = database_here(settings_here())
    noted = _noted(head.read(), stream) if head else {}
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


def _noted(text: str, stream: str | None) -> Mapping[str, Head]:
    """The heads of a file; of one stream alone where one is asked for."""
    printed = _PRINTED.findall(text)
    heads = {name: Head(int(seq), hash_) for name, seq, hash_ in printed}
    heads = heads or ledger_check.read_heads(text, stream)
    if stream is None:
        return heads
    if stream not in heads:
        raise LiaisonError(f"The file given as --head holds no head of {stream}.")
    return {stream: heads[stream]}
