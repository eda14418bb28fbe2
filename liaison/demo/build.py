"""Builds the demo's database: a new one beside the old, put in its place when it is whole."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from liaison.clock import SystemClock, rfc3339
from liaison.delivery import Sender, Ways
from liaison.demo import accounts, register, story
from liaison.demo.gateway import FilingGateway
from liaison.demo.letters import FilingSender
from liaison.demo.place import ROOT
from liaison.demo.stage import Stage, StageClock
from liaison.domain.vocabulary import Channel
from liaison.models import Database
from liaison.services import schema
from liaison.services.vault import Vault
from liaison.settings import Settings
from liaison.worker import Work

FRESH = timedelta(hours=12)
"""How old the story may be: its emergency is long lost by then."""


def say(text: str) -> None:
    """One line to whoever started the demo."""
    print(f"· {text}", flush=True)


def prepare(settings: Settings) -> None:
    """Builds the database and the story's letters unless fresh ones are there."""
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    now = SystemClock().now()
    why = _why_build(settings, now)
    if why is None:
        say(f"the demo's database is there: {settings.data_dir / 'liaison.db'}")
        return
    say(f"building the demo's database ({why})")
    began = time.monotonic()
    _build(settings, now)
    say(f"built in {time.monotonic() - began:.1f} s: orders, drills, their ledger and letters")


def _why_build(settings: Settings, now: datetime) -> str | None:
    if not (settings.data_dir / "liaison.db").exists():
        return "there is none yet"
    try:
        stamp = json.loads((settings.data_dir / "story.json").read_text(encoding="utf-8"))
        built = datetime.fromisoformat(stamp["built_at"])
    except (OSError, ValueError, KeyError, TypeError):
        return "the last one was not finished"
    if stamp.get("made_of") != _made_of(settings):
        return "the programs or keys have changed"
    if not timedelta(0) <= now - built < FRESH:
        return f"the story is older than {FRESH.total_seconds() / 3600:.0f} hours"
    return None


def _made_of(settings: Settings) -> str:
    """Fingerprint of what a database was built from: programs, migrations, orders, keys."""
    parts = hashlib.sha256(settings.encryption_key.encode())
    known = json.dumps(accounts.kept(settings.data_dir), sort_keys=True)
    parts.update(known.encode())
    for folder, pattern in (
        (ROOT / "liaison" / "demo", "*.py"),
        (ROOT / "migrations" / "versions", "*.py"),
        (ROOT / "tests" / "data" / "orders", "*.json"),
    ):
        for path in sorted(folder.glob(pattern)):
            parts.update(path.read_bytes())
    return parts.hexdigest()


def _build(settings: Settings, now: datetime) -> None:
    folder = settings.data_dir
    (folder / "story.json").unlink(missing_ok=True)
    draft, letters = folder / "building.db", folder / "building-mail"
    _remove(draft)
    shutil.rmtree(letters, ignore_errors=True)
    letters.mkdir()
    shutil.rmtree(folder / "texts", ignore_errors=True)
    with _quiet():
        _play(replace(settings, database_url=f"sqlite:///{draft}"), letters, now)
    _remove(folder / "liaison.db")
    draft.rename(folder / "liaison.db")
    shutil.rmtree(folder / "mail", ignore_errors=True)
    letters.rename(folder / "mail")
    stamp = {"built_at": rfc3339(now), "made_of": _made_of(settings)}
    (folder / "story.json").write_text(json.dumps(stamp), encoding="utf-8")


def _play(settings: Settings, letters: Path, now: datetime) -> None:
    database = Database(settings.database_url)
    try:
        schema.migrate(database)
        clock = StageClock(now - story.EARLIEST)
        telephones = FilingGateway(settings.data_dir / "texts")
        ways: dict[Channel, Sender] = {
            Channel.EMAIL: FilingSender(letters, settings.mail_from),
            Channel.TEXT: telephones,
            Channel.VOICE: telephones,
        }
        work = Work(settings, database, clock, Ways(ways))
        with database.transaction() as session:
            known = accounts.kept(settings.data_dir)
            register.build(session, Vault(settings.encryption_key), known, clock.now())
        story.play(Stage(work, clock), now)
        with database.engine.connect() as connection:
            # The file alone must hold everything before it is renamed.
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
    finally:
        database.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """A hundred acts of the past are no news: only warnings are logged."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    try:
        yield
    finally:
        structlog.configure(**before)


def _remove(database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            database.with_name(database.name + suffix).unlink()
