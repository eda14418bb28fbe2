"""A call that nobody answers comes back, until the provider has acknowledged."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from liaison.models import Database
from liaison.settings import Settings
from liaison.worker import Work
from liaison.worker.timers import fire_one
from tests.browser.conftest import Person
from tests.mail import RecordingSender
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

SPOC = "+37410000200"


def test_a_call_comes_back_until_it_is_acknowledged_by_phone(
    world: World, database: Database, settings: Settings, sign_in: Callable[..., Person]
) -> None:
    work = Work(settings, database, world.clock, RecordingSender(), name="worker-1")

    def clock_works() -> None:
        while fire_one(work):
            pass

    order = world.issue()
    clock_works()
    officer = sign_in("officer")
    page = officer.go("/calls")
    expect(page.get_by_role("link", name=SPOC)).to_have_attribute("href", f"tel:{SPOC}")
    page.get_by_role("rowheader").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Never say")).to_be_visible()
    expect(page.locator("#call-script")).to_contain_text(order.name)
    page.get_by_label("No answer").check()
    page.get_by_role("button", name="Log this call").click()
    expect(page).to_have_url(f"{officer.address}/orders/{order.ref}")
    officer.go("/calls")
    expect(page.get_by_text("Nobody has to be called.")).to_be_visible()

    world.clock.move(minutes=5)
    clock_works()
    officer.go("/calls")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Nobody answered the last call.")
    page.get_by_role("rowheader").get_by_role("link").click()
    page.get_by_label("Reached").check()
    page.get_by_label("Who answered?").fill("Ani of the night shift")
    page.get_by_label("They acknowledged the order by phone").check()
    page.get_by_role("button", name="Log this call").click()
    expect(page.locator("body")).to_contain_text("acknowledged by phone.")
    expect(page.locator("body")).to_contain_text("Ani of the night shift")

    world.clock.move(minutes=30)
    clock_works()
    officer.go("/calls")
    expect(page.get_by_text("Nobody has to be called.")).to_be_visible()
    assert officer.complaints == []
