"""The command line. Every refusal is a line that says what to do; exit 1 where something failed."""

from __future__ import annotations

import click

from liaison.cli import keys, ledger, letters, orders, people, programs, register


@click.group()
def main() -> None:
    """Liaison: preservation orders between a contact point and providers."""


for _command in (
    programs.migrate,
    programs.serve,
    programs.worker,
    programs.demo,
    programs.check,
    letters.bounce,
    people.admin,
    keys.keys,
    orders.order,
    ledger.ledger,
    register.providers,
):
    main.add_command(_command)
