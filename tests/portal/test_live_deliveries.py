"""The live part follows the delivery record: a carrier's word is shown at the next look."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from liaison.domain.vocabulary import Channel
from liaison.models import Message, Order
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.portal.filled import SignedIn
from tests.world import World

pytestmark = pytest.mark.one_database


def look(client: FlaskClient, order: Order, tag: str = "") -> tuple[int, str, str]:
    """One look of an open page, which names what it has seen."""
    answer = client.get(f"/orders/{order.name}?part=live", headers={"If-None-Match": f'"{tag}"'})
    return answer.status_code, (answer.headers["ETag"] or "").strip('"'), answer.text


def test_what_a_carrier_says_is_shown_though_the_order_stays_as_it_is(
    world: World, signed_in: SignedIn, settings: Settings, sender: RecordingSender
) -> None:
    order = world.issue()
    run_once(Work(settings, world.database, world.clock, sender, name="worker-1"))
    officer, spoc = signed_in("officer"), signed_in("spoc")
    spoc.get(f"/orders/{order.name}")
    for client in (officer, spoc):
        _, tag, before = look(client, order)
        assert ">Delivered" not in before
        assert look(client, order, tag)[0] == 304
        with world.database.transaction() as session:
            theirs = Message.order_id == order.id, Message.channel == Channel.EMAIL
            session.execute(update(Message).where(*theirs).values(delivered_at=world.now))
        status, _, after = look(client, order, tag)
        assert status == 200
        assert ">Delivered" in after or "Delivered</span>" in after
        with world.database.transaction() as session:
            session.execute(update(Message).values(delivered_at=None))


def test_who_acknowledged_and_when_stands_above_what_would_come_next(
    world: World, signed_in: SignedIn
) -> None:
    order = world.issue()
    officer = signed_in("officer")
    assert "Acknowledged at" not in look(officer, order)[2]
    world.acknowledge(order)
    told = look(officer, order)[2]
    assert "<strong>Acknowledged at 12:00 UTC</strong> by" in told
    assert "the calls to acknowledge have stopped" in told
    assert "Acknowledged at" not in look(signed_in("spoc"), order)[2]
