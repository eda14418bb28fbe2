"""Orders that were preserved before: after the upgrade their officers are reminded, too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from liaison.models import Database, Order, Timer
from liaison.models.work import TimerKind, TimerState
from liaison.services import keeping, schema
from liaison.services.vault import Vault
from tests import register
from tests.keeping import must_wait, planned
from tests.world import START, MovableClock, World


def test_what_is_kept_already_is_reminded_of(empty_database: Database, vault: Vault) -> None:
    database = empty_database
    schema.migrate(database)
    with database.transaction() as session:
        built = register.build(session, vault, START)
    now = datetime.now(UTC).replace(microsecond=0)  # the upgrade asks the real clock
    world = World(database, MovableClock(now), vault, built)
    mla = {"intended": True, "expected_by": (now + timedelta(days=60)).date().isoformat()}
    kept = world.preserve(world.issue(mla=mla))
    soon = world.preserve(world.issue(mla=mla), days=5)
    acknowledged = world.acknowledge(world.issue(mla=mla))
    before = {order.id: planned(world, order) for order in (kept, soon, acknowledged)}
    assert [len(timers) for timers in before.values()] == [6, 4, 2]
    schema.take_back(database, "0003")
    with database.reading() as session:
        kinds = set(session.scalars(sa.text("SELECT kind FROM timer")))
    assert kinds <= {"ladder", "expiry", "drill_end"}
    schema.migrate(database)
    for order in (kept, soon, acknowledged):
        assert planned(world, order) == before[order.id] == must_wait(world, order)
    with database.transaction() as session:
        nag = session.scalars(
            sa.select(Timer).where(
                Timer.order_id == kept.id,
                Timer.kind == TimerKind.EXPIRY_NEARS,
                Timer.state == TimerState.WAITING,
            )
        ).first()
        assert nag is not None
        assert keeping.is_planned(session.get_one(Order, kept.id), nag)
