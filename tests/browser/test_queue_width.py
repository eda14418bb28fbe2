"""The queue fits its page: no column of it is cut off where there is room for all."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update

from liaison.models import Order, OrderTarget
from tests.browser.conftest import Person
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
