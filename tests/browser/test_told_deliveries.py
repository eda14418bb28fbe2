"""The delivery record and a ladder that stands still, as a browser draws them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import update

from liaison.domain.vocabulary import Channel
from liaison.models import Contact, Message
from liaison.models.work import MessageState
from liaison.services import escalation
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.browser.conftest import Person
from tests.mail import RecordingSender
from tests.portal.test_told_deliveries import HOOK, to_program
from tests.services.test_undelivered import failed
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

SignIn = Callable[..., Person]

WIDER = "() => document.documentElement.scrollWidth > document.documentElement.clientWidth"
BROKEN = """() => [...document.querySelectorAll(".reach")].filter(one => {
    const range = document.createRange();
    range.selectNodeContents(one);
    return new Set([...range.getClientRects()].map(at => Math.round(at.top))).size > 1;
}).map(one => one.textContent)"""
"""Addresses and numbers that stand on two lines."""


@pytest.mark.parametrize(
    ("width", "scheme"), [(1200, "light"), (1200, "dark"), (980, "light"), (390, "light")]
)
def test_addresses_stand_whole_and_a_closed_ladder_is_still(
    world: World,
    sign_in: SignIn,
    settings: Settings,
    sender: RecordingSender,
    width: int,
    scheme: str,
) -> None:
    order = world.issue()
    run_once(Work(settings, world.database, world.clock, sender, name="worker-1"))
    failed(world, order, channel=Channel.TEXT, address="+37410000102")
    to_program(world, order, [MessageState.SENT] * 10, HOOK)
    world.clock.move(minutes=10)
    with world.database.transaction() as session:
        escalation.close(session, world.actor("officer"), order.name, "I drive there.", world.now)
        # A short name leaves its column no wider than the address needs.
        session.execute(update(Contact).values(name="Ani"))
        long = {"letter": "unratified_withdrawn", "delivered_at": world.now - timedelta(days=1)}
        session.execute(update(Message).values(sent_at=world.now - timedelta(days=1), **long))
    person = sign_in(
        "officer",
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
    )
    page = person.go(f"/orders/{order.name}")
    assert page.locator(".reach").count() >= 3
    assert page.evaluate(BROKEN) == []
    assert not page.evaluate(WIDER)
    assert page.locator(".steps .now").count() == 0
    assert page.locator(".steps li").count() == 1
    fold = page.get_by_text("10 events: 10 delivered")
    fold.click()
    assert page.get_by_text("order.escalated").count() == 10
    assert not page.evaluate(WIDER)
    assert person.axe() == []
    assert person.complaints == []
