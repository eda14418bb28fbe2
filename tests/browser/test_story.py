"""The whole story in a real browser, from the officer's sign-in to the SPOC's confirmation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from liaison.domain.lifecycle import OrderState
from liaison.models import Order
from tests.browser.conftest import Person
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

SignIn = Callable[..., Person]


def fill_emergency(page: Page) -> None:
    """The seven fields."""
    page.get_by_label("Provider", exact=True).select_option(label="Meridian Telecom")
    page.get_by_label("Emergency ground", exact=True).fill("Imminent risk to the life of a child.")
    page.get_by_label("Case number").first.fill("MP-2026-0231")
    page.get_by_label("Offence", exact=True).fill("Abduction of a minor")
    page.get_by_label("Facts", exact=True).fill(
        "A 12-year-old left home after contact with an unknown adult."
    )
    page.get_by_label("Identifier", exact=True).fill("198.51.100.24")
    page.get_by_label("Period from", exact=True).fill("2026-11-23 01:10")


def stored(world: World) -> Order:
    with world.database.reading() as session:
        return session.scalars(select(Order)).one()


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_from_the_officers_sign_in_to_the_spocs_confirmation(
    world: World, sign_in: SignIn, scripts: bool
) -> None:
    officer = sign_in("officer", java_script_enabled=scripts)
    page = officer.page
    page.get_by_role("link", name="New emergency order").click()
    fill_emergency(page)
    page.get_by_role("button", name="Check").click()
    expect(page.get_by_role("heading", name="Check the order", level=1)).to_be_visible()
    expect(page.get_by_text("SPOC at meridian.example").first).to_be_visible()
    page.get_by_label("Code").fill(world.unused_code("officer"))
    page.get_by_role("button", name="Issue").click()
    expect(page.get_by_role("heading", name="CP-2026-0001", level=1)).to_be_visible()
    assert stored(world).state is OrderState.ISSUED

    spoc = sign_in("spoc", java_script_enabled=scripts)
    spoc.page.get_by_role("link", name="CP-2026-0001").click()
    spoc.page.get_by_role("link", name="Acknowledge").first.click()
    spoc.page.get_by_role("button", name="Acknowledge").click()
    assert stored(world).state is OrderState.ACKNOWLEDGED
    spoc.page.get_by_role("link", name="Confirm preservation").first.click()
    expect(spoc.page.get_by_label("How long will the data be kept?")).to_have_value("90")
    spoc.page.get_by_label("Everything in the order").check()
    spoc.page.get_by_role("button", name="Confirm preservation").click()
    expect(spoc.page.get_by_text("Preserved until").first).to_be_visible()
    assert stored(world).state is OrderState.PRESERVED

    page.goto(officer.address + "/orders/CP-2026-0001")
    expect(page.get_by_text("Preserved until 21 Feb 2027").first).to_be_visible()
    assert officer.complaints == spoc.complaints == []


def test_the_officers_page_shows_the_acknowledgement_without_being_reloaded(
    world: World, sign_in: SignIn
) -> None:
    order = world.issue()
    officer = sign_in("officer")
    page = officer.go(f"/orders/{order.ref}")
    expect(page.get_by_text("Waiting for acknowledgement").first).to_be_visible()
    world.acknowledge(order)
    expect(page.get_by_text("Waiting for acknowledgement")).to_have_count(0)
    assert officer.complaints == []


def test_what_was_typed_survives_an_error(world: World, sign_in: SignIn) -> None:
    officer = sign_in("officer")
    page = officer.go("/orders/new?urgency=emergency")
    fill_emergency(page)
    page.get_by_label("Identifier", exact=True).fill("198.51.100.256")
    page.get_by_label("Period from", exact=True).fill("yesterday")
    page.get_by_role("button", name="Check").click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("There are 2 problems")
    expect(page.get_by_label("Facts", exact=True)).to_have_value(
        "A 12-year-old left home after contact with an unknown adult."
    )
    expect(page.get_by_label("Period from", exact=True)).to_have_value("yesterday")
    summary.get_by_role("link").first.click()
    assert "#" in page.url
    assert officer.complaints == []


def test_a_term_that_stands_in_the_way_is_named_before_anything_is_sent(
    world: World, sign_in: SignIn
) -> None:
    officer = sign_in("officer")
    data = world.data("04-foreign-followup-mail.json")
    data["targets"][0]["data"] = ["location"]
    draft = world.draft("04-foreign-followup-mail.json", targets=data["targets"])
    page = officer.go(f"/orders/{draft.name}/issue")
    expect(page.get_by_role("alert")).to_contain_text("Location data not covered")
    expect(page.get_by_role("button", name="Issue")).to_have_count(0)


def test_hostile_text_is_shown_and_does_nothing(world: World, sign_in: SignIn) -> None:
    order = world.issue("06-hostile-text.json")
    for who in ("officer", "sevan_spoc"):
        person = sign_in(who)
        page = person.go(f"/orders/{order.ref}")
        expect(page.get_by_text("<script>alert(document.cookie)</script>").first).to_be_visible()
        expect(page.get_by_text("{{ 7*7 }}").first).to_be_visible()
        assert person.complaints == []


@pytest.mark.parametrize("path", ["/orders", "/orders/CP-2026-0001", "/orders/new", "/providers"])
def test_a_phone_needs_no_scrolling_sideways(world: World, sign_in: SignIn, path: str) -> None:
    world.issue()
    page = sign_in("officer", viewport={"width": 390, "height": 844}).go(path)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
