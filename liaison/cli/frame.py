"""What every command stands on: refusals as lines, the settings, the database."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from sqlalchemy import select

from liaison.errors import Invalid, LiaisonError
from liaison.logs import configure
from liaison.models import Authority, Database
from liaison.services import schema
from liaison.settings import Env, Settings


def command(function: Callable[..., Any]) -> Callable[..., Any]:
    """Refusals become lines on standard error, never traces."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Invalid as error:
            for fault in error.errors:
                click.echo(f"{fault.pointer or '(the whole)'}: {fault.detail}", err=True)
            click.echo(f"{error.detail} Nothing was changed.", err=True)
        except LiaisonError as error:
            click.echo(error.detail, err=True)
        sys.exit(1)

    return run


def settings_here(*, or_demo: bool = True) -> Settings:
    """The settings; in the demo's environment, the demo's own.

    ``or_demo``: where nothing names another installation and a demo alone is on this machine, the
    demo is meant, and it is said. Not for what begins an installation or runs it: there it would
    hide that its settings are missing.
    """
    settings = Settings.from_env()
    guessed = or_demo and _is_demo_alone(settings)
    if settings.env is Env.DEMO or guessed:
        from liaison.demo import demo_settings

        settings = demo_settings()
    if guessed:
        click.echo(f"No setting names an installation: the demo, {settings.data_dir}", err=True)
    configure(settings.env)
    return settings


def _is_demo_alone(settings: Settings) -> bool:
    here = settings.data_dir
    if (here / "liaison.db").exists() or not (here / "demo" / "liaison.db").exists():
        return False
    from liaison.demo import place

    return not place.names_another(os.environ)


def opened(settings: Settings) -> Database:
    """The database, given back when the command ends."""
    database = Database(settings.database_url)
    click.get_current_context().call_on_close(database.close)
    return database


def database_here(settings: Settings) -> Database:
    """The database, which must be there: no command but ``migrate`` makes one."""
    database = opened(settings)
    if not database.exists or not schema.is_current(database):
        raise LiaisonError(
            f"{database.url.render_as_string(hide_password=True)} has not the newest schema. "
            "Run: liaison migrate (or set LIAISON_ENV=demo to mean the demo)"
        )
    return database


def authority_named(session: Any, code: str | None) -> Authority:
    """The authority of this code; without one, the only one there is."""
    found = session.scalars(select(Authority).order_by(Authority.code)).all()
    wanted = [a for a in found if code is None or a.code.lower() == code.lower()]
    if len(wanted) != 1:
        codes = ", ".join(a.code for a in found) or "none is registered"
        raise LiaisonError(f"Say which authority with --authority: {codes}.")
    one: Authority = wanted[0]
    return one
