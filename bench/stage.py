"""A database with the register, orders, and as many waiting timers as are asked for."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from liaison.models import Database, Order, Timer
from liaison.models.base import new_id
from liaison.models.work import TimerKind, TimerState
from liaison.services import orders, schema
from liaison.services.vault import Vault
from liaison.settings import Env, Settings
from tests import register
from tests.conftest import ENCRYPTION_KEY
from tests.postgresql import PostgreSQL
from tests.world import MovableClock, World

START = datetime(2026, 11, 23, 12, tzinfo=UTC)
ORDER = Path(__file__).parent.parent / "tests/data/orders/01-emergency-missing-child.json"


@dataclass
class Stage:
    """Where a benchmark plays."""

    kind: str
    database: Database
    clock: MovableClock
    world: World
    settings: Settings


@contextmanager
def stages() -> Iterator[Iterator[Stage]]:
    """One stage on SQLite, one on PostgreSQL, both on this machine's disk."""
    with tempfile.TemporaryDirectory(prefix="liaison-bench-") as home:
        server = PostgreSQL(durable=True)
        try:
            yield (
                stage_on(kind, url, Path(home))
                for kind, url in (
                    ("sqlite", f"sqlite:///{home}/bench.db"),
                    ("postgresql", server.create()),
                )
            )
        finally:
            server.stop()


def stage_on(kind: str, url: str, home: Path) -> Stage:
    """A stage on an empty database: its schema, and the register."""
    database = Database(url)
    schema.migrate(database)
    vault = Vault(ENCRYPTION_KEY)
    clock = MovableClock(START)
    with database.transaction() as session:
        built = register.build(session, vault, START)
    settings = Settings(
        env=Env.TEST,
        database_url=url,
        data_dir=home,
        secret_key="the bench's secret",
        encryption_key=ENCRYPTION_KEY,
        base_url="http://localhost",
        rate_limit=0,  # the clock stands still
    )
    return Stage(kind, database, clock, World(database, clock, vault, built), settings)


def issue(stage: Stage, count: int) -> list[Order]:
    """Emergency orders, each with a rung that is due at once."""
    data = json.loads(ORDER.read_text(encoding="utf-8"))
    officer = stage.world.actor("officer")
    made = []
    for _ in range(count):
        with stage.database.transaction() as session:
            draft = orders.draft(session, officer, data, stage.clock.now())
            made.append(orders.issue(session, officer, draft.name, None, stage.clock.now()))
    return made


def wait_with(stage: Stage, order: Order, count: int) -> None:
    """That many other timers, waiting for next year."""
    later = stage.clock.now() + timedelta(days=365)
    with stage.database.transaction() as session:
        for begin in range(0, count, 5000):
            rows = [
                {
                    "id": new_id(),
                    "kind": TimerKind.EXPIRY,
                    "key": f"bench:{new_id()}",
                    "order_id": order.id,
                    "due_at": later + timedelta(seconds=n),
                    "state": TimerState.WAITING,
                    "attempts": 0,
                    "payload": {},
                }
                for n in range(min(5000, count - begin))
            ]
            session.execute(insert(Timer), rows)
