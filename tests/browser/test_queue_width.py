"""What must fit its place: the queue its page, a target its card, the words of rungs their line."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from liaison.models import Order, OrderTarget
from liaison.services import ladder_moves
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.browser.conftest import Person
from tests.mail import RecordingSender
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]


def test_a_full_row_fits_a_desktop(world: World, sign_in: Callable[..., Person]) -> None:
    order = world.issue()
    world.issue("03-cgnat-fraud-routine.json")
    with world.database.transaction() as session:
        session.execute(
            update(OrderTarget)
            .where(OrderTarget.order_id == order.id)
            .values(value="2001:0db8:85a3:0000:0000:8a2e:0370:7334-and-more")
        )
        session.execute(
            update(Order)
            .where(Order.id == order.id)
            .values(question_open_since=world.now, doubt_open_since=world.now)
        )
    page = sign_in("officer", viewport={"width": 1600, "height": 900}).go("/orders")
    beyond = page.locator("table.orders").evaluate(
        "table => table.scrollWidth - table.parentElement.clientWidth"
    )
    assert beyond <= 0


def test_a_target_stands_in_one_line_of_a_phones_card(
    world: World, sign_in: Callable[..., Person]
) -> None:
    world.issue()
    page = sign_in("officer", viewport={"width": 390, "height": 844}).go("/orders")
    target = page.locator("td[data-label=Target] bdi").first
    assert len(target.inner_text()) > 12
    assert target.evaluate("e => e.getClientRects().length") == 1


@pytest.mark.parametrize("width", [620, 1280])
def test_the_words_of_rungs_run_into_nothing(
    world: World,
    sign_in: Callable[..., Person],
    settings: Settings,
    sender: RecordingSender,
    width: int,
) -> None:
    order = world.issue()
    work = Work(settings, world.database, world.clock, sender, name="worker-1")
    run_once(work)
    for number in (1, 2):
        world.clock.move(seconds=20)
        with world.database.transaction() as session:
            supervisor = world.actor("supervisor")
            ladder_moves.escalate(session, supervisor, order.name, number, "Now.", world.now)
        run_once(work)
    page = sign_in("officer", viewport={"width": width, "height": 900}).go(f"/orders/{order.name}")
    words = page.locator(".deadline svg text")
    expect(words.first).to_be_visible()
    line, boxes = (
        page.locator(".deadline svg").bounding_box(),
        [w.bounding_box() for w in words.all()],
    )
    assert line is not None
    assert len(boxes) >= 5
    for box in boxes:
        assert box is not None
        assert box["x"] >= line["x"] - 1
        assert box["x"] + box["width"] <= line["x"] + line["width"] + 1
        assert box["y"] + box["height"] <= line["y"] + line["height"] + 1
    for one, other in combinations(boxes, 2):
        assert one is not None
        assert other is not None
        beside = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
        assert beside or abs(one["y"] - other["y"]) >= 14
