"""The first administrator, made at the server."""

from __future__ import annotations

import click

from liaison.cli.frame import command, database_here, settings_here
from liaison.clock import SystemClock
from liaison.domain.vocabulary import Role
from liaison.services import accounts, register, totp
from liaison.services.vault import Vault


@click.group()
def admin() -> None:
    """People, at the server's command line."""


@admin.command("create")
@click.option("--email", help="Institutional address.")
@click.option("--name", help="The person's name.")
@click.option("--authority", "code", help="The authority's code: its orders' refs begin with it.")
@click.option("--authority-name", default="", help="For an authority that is not registered yet.")
@click.option("--country", default="", help="Two letters; for a new authority.")
@click.option("--time-zone", default="UTC", show_default=True, help="For a new authority.")
@click.option("--phone", default="", help="+…; for a new authority.")
@click.option("--password", help="12 to 128 characters.")
@command
def admin_create(
    email: str | None,
    name: str | None,
    code: str | None,
    authority_name: str,
    country: str,
    time_zone: str,
    phone: str,
    password: str | None,
) -> None:
    """Make the first administrator.

    Their authority too, where it is new. What is not given is asked for.
    """
    # Before anything is asked: whoever has typed a password wants it to count.
    settings = settings_here(or_demo=False).with_keys()
    vault, database = Vault(settings.encryption_key), database_here(settings)
    email = email or click.prompt("E-mail")
    name = name or click.prompt("Name")
    code = code or click.prompt("Authority's code")
    password = password or click.prompt("Password", hide_input=True, confirmation_prompt=True)
    with database.transaction() as session:
        new = (authority_name, country, time_zone, phone, email)
        authority = register.first_authority(session, code, *new)
        person, secret = accounts.register_person(
            session,
            vault,
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
