"""Links that open a door: the letter carries them, the database never shows one."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from liaison.delivery import DeliveryError
from liaison.models import Message
from liaison.models.base import Base
from liaison.models.work import MessageState
from liaison.services import claims
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.services import test_people, test_resets
from tests.world import World

TOKEN = {"invitation": "signed-token", "factor_reset": "/reset/"}


def queue(world: World, letter: str) -> None:
    if letter == "invitation":
        test_people.invite(world)
        return
    test_resets.ask(world)
    world.clock.move(hours=24)
    test_resets.send(world)


def everything(world: World) -> str:
    with world.database.reading() as session:
        rows = (session.execute(select(table)).all() for table in Base.metadata.sorted_tables)
        return "\n".join(str(row) for of_table in rows for row in of_table)


def sealed(world: World, letter: str) -> tuple[MessageState, str | None]:
    with world.database.reading() as session:
        row = session.scalars(select(Message).where(Message.letter == letter)).one()
        return row.state, row.sealed_link


@pytest.mark.parametrize("letter", list(TOKEN))
def test_the_letter_carries_it_and_no_column_does(
    world: World, work: Work, sender: RecordingSender, letter: str
) -> None:
    queue(world, letter)
    assert TOKEN[letter] not in everything(world)
    run_once(work)
    run_once(work)
    assert any(TOKEN[letter] in outgoing.text for outgoing in sender.sent)
    assert TOKEN[letter] not in everything(world)
    assert sealed(world, letter) == (MessageState.SENT, None)


@pytest.mark.parametrize("permanent", [True, False])
def test_one_that_fails_for_good_is_forgotten_and_one_that_waits_is_not(
    world: World, work: Work, sender: RecordingSender, permanent: bool
) -> None:
    queue(world, "invitation")
    sender.fail(DeliveryError("550 no such user", permanent=permanent))
    run_once(work)
    state, link = sealed(world, "invitation")
    assert state is (MessageState.FAILED if permanent else MessageState.QUEUED)
    assert (link is None) == permanent


def test_one_that_is_wanted_no_longer_is_forgotten(world: World) -> None:
    queue(world, "invitation")
    with world.database.transaction() as session:
        (claimed,) = claims.claim(session, world.now)
        assert claims.drop(session, claimed, world.now)
    assert sealed(world, "invitation") == (MessageState.CANCELLED, None)
