"""An order ends while it is doubted: whoever ended it, our own people hear of it."""

from __future__ import annotations

import pytest

from liaison.domain.answer import Refusal
from liaison.domain.vocabulary import Ground
from liaison.models import Database, Order
from liaison.services import answers, orders
from liaison.worker import Work, run_once
from tests.keeping import release
from tests.mail import RecordingSender
from tests.threads import routine
from tests.worker.doubting import DUTY, SUPERVISOR, alarms, doubt, vouch
from tests.worker.looking import messages
from tests.world import World


def end(world: World, order: Order, how: str) -> None:
    """The person in charge, or the doubting provider's program, ends it."""
    with world.database.transaction() as session:
        if how == "declined":
            refusal = Refusal((Ground.MANIFEST_ERROR,), "It looks forged.", True)
            answers.decline(session, world.actor("program"), order.name, refusal, world.now)
        elif how == "withdrew":
            actor = world.actor("officer")
            orders.withdraw(session, actor, order.name, "A mistake.", world.now)
    if how == "released":
        release(world, order)


def worked(work: Work) -> None:
    for _ in range(6):
        run_once(work)


def ended(sender: RecordingSender) -> list[str]:
    return sorted(m.address for m in sender.sent if "while" in m.subject and "doubted" in m.subject)


@pytest.mark.parametrize("how", ["withdrew", "released", "declined"])
def test_a_doubt_is_not_silenced_before_the_workers_next_turn(
    work: Work, world: World, sender: RecordingSender, how: str
) -> None:
    order = world.preserve(world.issue()) if how == "released" else world.issue()
    worked(work)
    sender.sent.clear()
    doubt(world, order)
    end(world, order, how)
    worked(work)
    world.clock.move(hours=2)
    worked(work)
    assert alarms(sender) == [DUTY], "the first alarm leaves in any case, and no other"
    assert ended(sender) == [DUTY, SUPERVISOR]
    letter = next(m for m in sender.sent if "while" in m.subject and "doubted" in m.subject)
    assert how in letter.text
    assert "23 Nov 2026, 12:00 UTC" in letter.text
    assert world.person("officer").name not in letter.text


def test_after_the_first_alarm_the_supervisor_hears_all_the_same(
    work: Work, world: World, sender: RecordingSender
) -> None:
    order = doubt(world, world.issue())
    worked(work)
    end(world, order, "withdrew")
    worked(work)
    assert alarms(sender) == [DUTY]
    assert ended(sender) == [DUTY, SUPERVISOR]


def test_a_date_that_passes_ends_no_doubt_without_a_word(
    work: Work, world: World, sender: RecordingSender
) -> None:
    order = world.preserve(routine(world), days=1)
    worked(work)
    world.clock.move(hours=23)
    doubt(world, order)
    worked(work)
    sender.sent.clear()
    world.clock.move(hours=1)
    worked(work)
    assert world.order(order.name).state == "expired"
    assert {DUTY, SUPERVISOR} <= set(ended(sender))
    assert "its date passed" in next(m.text for m in sender.sent if "doubted" in m.subject)


def test_what_two_have_vouched_for_ends_without_a_word(world: World, database: Database) -> None:
    order = doubt(world, world.issue())
    vouch(world, order, by="second_officer")
    vouch(world, order, by="supervisor")
    end(world, order, "withdrew")
    assert not [m for m in messages(database, order) if m.letter == "doubt_ended"]
