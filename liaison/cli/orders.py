"""Drafts from a file."""

from __future__ import annotations

import json
from typing import Any

import click

from liaison.cli.frame import authority_named, command, database_here, settings_here
from liaison.clock import SystemClock
from liaison.domain.actors import operator
from liaison.errors import LiaisonError
from liaison.services import orders


@click.group()
def order() -> None:
    """Orders."""


@order.command("import")
@click.argument("file", type=click.File("r", encoding="utf-8"))
@click.option("--authority", "code", default=None, help="Whose draft it is; not needed for one.")
@command
def order_import(file: Any, code: str | None) -> None:
    """Load a draft order from JSON; every fault is told with its JSON pointer."""
    settings = settings_here()
    try:
        data = json.load(file)
    except (ValueError, RecursionError) as error:
        raise LiaisonError(f"{file.name} is no JSON: {error}. Nothing was stored.") from None
    database = database_here(settings)
    with database.transaction() as session:
        authority = authority_named(session, code)
        actor = operator(authority.id, authority.name)
        made = orders.draft(session, actor, data, SystemClock().now())
        name = made.name
    click.echo(f"Draft {name} for {made.provider.name}, {len(made.targets)} targets.")
    click.echo(f"Check and issue it: {settings.base_url}/orders/{name}/issue")
