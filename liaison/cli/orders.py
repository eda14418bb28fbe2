"""Drafts from a file; signed orders checked without a portal."""

from __future__ import annotations

import json
from typing import Any

import click

from liaison.cli.frame import authority_named, command, database_here, settings_here
from liaison.clock import SystemClock
from liaison.documents.order_jws import Keys, NotOurs, Signer, Unreadable
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
    """Load a draft order from JSON.

    Every fault is told with its JSON pointer; then nothing is loaded.
    """
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
        number = len(made.targets)
    targets = "1 target" if number == 1 else f"{number} targets"
    click.echo(f"Draft {name} for {made.provider.name}, {targets}.")
    click.echo(f"Check and issue it: {settings.base_url}/orders/{name}/issue")


@order.command("verify")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--jwks",
    type=click.File("rb"),
    default=None,
    help="Public keys, as /.well-known/jwks.json has them; without it, this installation's.",
)
@command
def order_verify(file: Any, jwks: Any | None) -> None:
    """Check a signed order (.jws) without asking anybody.

    Exit 1 where it is not ours.
    """
    try:
        signed = _keys(jwks).verify(file.read())
    except (Unreadable, NotOurs) as error:
        raise LiaisonError(f"{file.name}: {error}. Do not act on it.") from None
    content = signed.content
    click.echo(f"{content['ref']}: the signature is good. SHA-256 {signed.sha256}")
    click.echo(
        f"Issued {content['issued_at']} by {content['authority']['name']} "
        f"to {content['provider']['name']}. Whether it still stands, the portal says at /verify."
    )
    if content.get("test"):
        click.echo("TEST: a drill. No data need be kept.")


def _keys(jwks: Any | None) -> Keys:
    if jwks is None:
        return Signer.from_settings(settings_here().with_keys()).keys
    try:
        return Keys.from_jwks(jwks.read())
    except ValueError as error:
        raise LiaisonError(f"{jwks.name}: {error}.") from None
