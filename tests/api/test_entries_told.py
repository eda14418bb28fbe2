"""What the reference tells of the stream's entries is what they hold."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from liaison.api.docs.entries import ALWAYS, DATA
from liaison.domain.stream_events import STREAM_EVENTS
from liaison.models import Entry
from liaison.services import doubts, orders
from liaison.services.ledger import entry_data
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests import keeping
from tests.api.program import Program
from tests.mail import RecordingSender
from tests.world import World

pytestmark = pytest.mark.one_database


def test_what_an_entry_holds_is_told(
    world: World, program: Program, settings: Settings, sender: RecordingSender
) -> None:
    """Entries of all types are played, each by way of its verb; what they hold stands there."""
    play(world, program)
    for hours in (1, 24, 200 * 24):
        world.clock.move(hours=hours)
        run_once(Work(settings, world.database, world.clock, sender, name="worker-1"))
    with world.database.reading() as session:
        mine = f"provider:{world.register.providers['Meridian Telecom']}"
        found = session.scalars(select(Entry).where(Entry.stream == mine)).all()
        held_by = [(entry.type, set(entry_data(entry) or {})) for entry in found]
    assert {kind for kind, _ in held_by} == set(STREAM_EVENTS) == set(DATA)
    for kind, names in held_by:
        assert names <= {*DATA[kind], *ALWAYS}, kind
    for kind in STREAM_EVENTS:
        never = set(DATA[kind]) - set[str]().union(*(names for k, names in held_by if k == kind))
        assert never <= RARE.get(kind, set()), f"{kind} has no {never}"


RARE = {
    "order.acknowledged": {"by_phone", "by_reply", "number", "way"},
    "order.issued": {"test"},
    "order.withdrawn": {"test"},
    "order.vouched": {"voided"},
    "order.escalated": {"early"},
}
"""What only another door or a drill brings about; their own tests look at it."""


def play(world: World, program: Program) -> None:
    doubted, kept, gone, declined, wrong = (world.issue() for _ in range(5))
    world.issue()  # nobody answers it
    program.get(f"/orders/{kept.ref}")
    for order, act, body in (
        (kept, "acknowledgement", {"reference": "NOC-1", "note": "Night shift."}),
        (kept, "preservation", {"days": 60}),
        (kept, "preservation", {"days": 70}),
        (kept, "messages", {"text": "Which?"}),
        (kept, "route", {"provider": "Norvik Mobile", "path": "198.51.100.1"}),
        (declined, "refusal", REFUSAL),
        (doubted, "doubt", {"reason": "Odd."}),
        (gone, "preservation", {"days": 60}),
    ):
        assert program.post(f"/orders/{order.ref}/{act}", body).status_code == 200
    world.ratify(kept)
    keeping.ask(world, kept)
    keeping.extend(world, kept)
    keeping.record_mla(world, kept)
    keeping.release(world, gone)
    keeping.dispose(world, gone)
    world.preserve(world.issue(), days=60)  # expires
    with world.database.transaction() as session:
        vouching = world.actor("supervisor")
        doubts.vouch(session, vouching, doubted.name, "I know it.", None, world.now)
        withdrawing = world.actor("officer")
        orders.withdraw(session, withdrawing, wrong.name, "Found.", world.now)


REFUSAL = {"grounds": ["overbroad"], "explanation": "All.", "preserved_meanwhile": False}
