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
    """Take in a letter that came back, from FILE or standard input; for a mail server's pipe.

    Exit 0: taken in, or none of ours. 65: it cannot be read. 75: try again later.
    """
    from liaison.worker.bounces import LARGEST, take

    try:
        database = database_here(settings_here())
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
