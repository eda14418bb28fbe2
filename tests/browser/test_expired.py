"""A session that runs out in the middle of a long form costs nothing that was typed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from liaison.domain.lifecycle import OrderState
from liaison.models import Order
from tests.browser.conftest import Person
from tests.browser.test_story import fill_emergency
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

TARGETS = ["198.51.100.24", "+37491000118", "someone@example.org"]
FACTS = "A 12-year-old left home after contact with an unknown adult."
LINE = "You were signed out; this is what you had typed. Nothing was sent."


def fill_three_targets(page: Page) -> None:
    fill_emergency(page)
    for number in (1, 2):
        page.get_by_role("button", name="Add another target").click()
        page.locator(f"#targets-{number}-value").fill(TARGETS[number])
        page.locator(f"#targets-{number}-start").fill("2026-11-23 01:10")


def give_both_factors(page: Page, world: World, who: str) -> None:
    page.get_by_label("E-mail").fill(world.person(who).email)
    page.get_by_label("Password").fill(world.person(who).password)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code").fill(world.unused_code(who))
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_signed_out_in_the_middle_of_a_long_form_and_the_form_is_intact(
    world: World, sign_in: Callable[..., Person], scripts: bool
) -> None:
    officer = sign_in("officer", java_script_enabled=scripts)
    page = officer.go("/orders/new?urgency=emergency")
    fill_three_targets(page)
    world.clock.move(hours=1, minutes=1)  # a long telephone call

    page.get_by_role("button", name="Check").last.click()
    expect(page.get_by_role("heading", name="Sign in", level=1)).to_be_visible()
    give_both_factors(page, world, "officer")

    expect(page.get_by_text(LINE)).to_be_visible()
    assert officer.axe() == [] if scripts else True
    for number, value in enumerate(TARGETS):
        expect(page.locator(f"#targets-{number}-value")).to_have_value(value)
        expect(page.locator(f"#targets-{number}-start")).to_have_value("2026-11-23 01:10")
    expect(page.get_by_label("Facts", exact=True)).to_have_value(FACTS)
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Order)) == 0

    page.get_by_role("button", name="Check").last.click()
    expect(page.get_by_role("heading", name="Check the order", level=1)).to_be_visible()
    expect(page.get_by_text(LINE)).to_have_count(0)
    page.get_by_label("Code").fill(world.unused_code("officer"))
    page.get_by_role("button", name="Issue").click()
    expect(page.get_by_role("heading", name="CP-2026-0001", level=1)).to_be_visible()
    with world.database.reading() as session:
        order = session.scalars(select(Order)).one()
        assert order.state is OrderState.ISSUED
        assert [target.value for target in order.targets] == TARGETS
    assert officer.complaints == []


def test_signed_in_again_in_another_window_and_the_first_window_goes_on(
    world: World, sign_in: Callable[..., Person]
) -> None:
    officer = sign_in("officer")
    page = officer.go("/orders/new?urgency=emergency")
    fill_emergency(page)
    world.clock.move(hours=2)
    other = officer.context.new_page()
    other.goto(officer.address + "/orders")
    give_both_factors(other, world, "officer")
    expect(other.get_by_role("heading", name="Orders", level=1)).to_be_visible()

    page.get_by_role("button", name="Check").last.click()
    expect(page.get_by_text(LINE)).to_be_visible()
    expect(page.get_by_label("Facts", exact=True)).to_have_value(FACTS)
    page.get_by_role("button", name="Check").last.click()
    expect(page.get_by_role("heading", name="Check the order", level=1)).to_be_visible()
    assert officer.complaints == []
