"""The keys of this installation."""

from __future__ import annotations

import click

from liaison.cli.frame import command, database_here, settings_here
from liaison.services import rotation
from liaison.services.vault import Vault


@click.group("keys")
def keys() -> None:
    """The keys of this installation."""


@keys.command("rotate")
@command
def keys_rotate() -> None:
    """Seal every stored secret anew.

    With the newest key of LIAISON_ENCRYPTION_KEY.
    """
    settings = settings_here().with_keys()
    vault, database = Vault(settings.encryption_key), database_here(settings)
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
