"""The demo: everything on this machine, nothing of it real.

``prepare`` builds its database, ``run`` starts all of it, ``accounts_json`` tells who can sign
in. The parts are imported when they are needed: the portal imports this package for its mailbox.
"""

from __future__ import annotations

from liaison.settings import Settings


def demo_settings() -> Settings:
    """The demo's own settings; ``SettingsError`` where a production setting is present."""
    from liaison.demo import place

    return place.demo_settings()


def prepare() -> Settings:
    """Builds the demo's database unless a fresh one is there; says what it does."""
    from liaison.demo import build, place

    settings = demo_settings()
    with place.alone(settings.data_dir):
        build.prepare(settings)
    return settings


def run() -> int:
    """Everything of ``make demo`` after the installation, until it is told to end; exit code."""
    from liaison.demo import running

    return running.run(demo_settings())


def accounts_json() -> str:
    """Who can sign in, with the codes of this moment, and the providers' keys, as JSON."""
    import json

    from liaison.demo import accounts

    return json.dumps(accounts.listing(demo_settings()), ensure_ascii=False, indent=2)
