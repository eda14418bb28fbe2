"""Letters that came back, handed in by a mail server."""

from __future__ import annotations

import sys
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from liaison.cli.frame import database_here, settings_here
from liaison.clock import SystemClock
from liaison.errors import LiaisonError


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
def bounce(file: Any) -> None:
    """Take in a letter that came back.

    From FILE or standard input; for a mail server's pipe.

    Exit 0: taken in, or none of ours. 65: it cannot be read. 75: try again later.
    """
    from liaison.worker.bounces import LARGEST, take

    try:
        # Never a guess: a letter that a demo takes in is lost to the installation it came to.
        database = database_here(settings_here(or_demo=False))
        raw, size = _read(file, LARGEST)
        verdicts = take(database, raw, SystemClock().now())
    except (LiaisonError, SQLAlchemyError, OSError) as error:
        # Never the text of a database's error: it could quote what was stored.
        said = error.detail if isinstance(error, LiaisonError) else type(error).__name__
        click.echo(said, err=True)
        sys.exit(75)
    except Exception as error:
        click.echo(f"This letter cannot be read: {type(error).__name__}", err=True)
        sys.exit(65)
    nothing = "no report of a letter that came back"
    if size > LARGEST:
        # Exit 0 all the same: a report stands before the letter it returns, so this is none. The
        # mail server would only try it again for days, or send it back to whoever wrote it.
        nothing += (
            f" in its first {LARGEST:,} bytes; it has {size:,}, which is too large: "
            "no more is ever read"
        )
    for said in map(str, verdicts or (nothing,)):
        click.echo(said)


def _read(file: Any, most: int) -> tuple[bytes, int]:
    """The letter as far as it is read, and its whole size.

    It is taken to its end: a mail server whose pipe breaks believes that the letter was not.
    """
    raw = file.read(most)
    size = len(raw)
    while piece := file.read(64 * 1024):
        size += len(piece)
    return raw, size
