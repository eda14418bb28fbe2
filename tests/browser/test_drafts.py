"""Two people at one draft, in two browsers: it is saved as it is typed, and each sees the other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from liaison.models import Order, UnfinishedDraft
from tests.browser.conftest import Person
from tests.browser.test_story import fill_emergency
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

SignIn = Callable[..., Person]


def test_saved_while_it_is_typed_and_two_people_see_each_other(
    world: World, sign_in: SignIn
) -> None:
    officer, supervisor = sign_in("officer"), sign_in("supervisor")
    mine = officer.go("/orders/new?urgency=emergency")
    fill_emergency(mine)
    saved = mine.locator("[data-saved]")
    expect(saved).to_have_text(f"Saved {world.now:%H:%M:%S} UTC")

    theirs = supervisor.go("/orders/drafts")
    theirs.get_by_role("link", name="MP-2026-0231, Meridian Telecom", exact=True).click()
    here = f"Also here: {world.person('officer').name} (writing)"
    expect(theirs.get_by_text(here)).to_be_visible()
    expect(theirs.get_by_label("Offence", exact=True)).to_have_value("Abduction of a minor")
    assert supervisor.axe() == []
    world.clock.move(seconds=30)
    theirs.get_by_label("Offence", exact=True).fill("Abduction")
    expect(theirs.locator("[data-saved]")).to_have_text(f"Saved {world.now:%H:%M:%S} UTC")

    mine.get_by_label("Facts", exact=True).fill("Mine, typed at the same time.")
    expect(saved).to_contain_text(f"Not saved: {world.person('supervisor').name} saved a newer")
    assert officer.axe() == []
    with mine.expect_popup() as opened:
        saved.get_by_role("link", name="Read yours").click()
    expect(opened.value.get_by_label("Facts", exact=True)).to_have_value(
        "Mine, typed at the same time."
    )
    with mine.expect_popup() as opened:
        saved.get_by_role("link", name="Read theirs").click()
    expect(opened.value.get_by_label("Offence", exact=True)).to_have_value("Abduction")

    theirs.get_by_role("button", name="Check").last.click()
    expect(theirs.get_by_role("heading", name="Check the order", level=1)).to_be_visible()
    with world.database.reading() as session:
        assert session.scalars(select(Order)).one().offence == "Abduction"
        assert session.scalar(select(func.count()).select_from(UnfinishedDraft)) == 0
    assert officer.complaints + supervisor.complaints == []


def test_without_scripts_a_button_saves_and_the_draft_goes_on(
    world: World, sign_in: SignIn
) -> None:
    officer = sign_in("officer", java_script_enabled=False)
    page = officer.go("/orders/new")
    page.get_by_label("Offence", exact=True).fill("Fraud")
    page.locator("#paste summary").click()
    page.get_by_label("Targets, one a line").fill("192.0.2.1\n192.0.2.2")
    page.get_by_label("Period of all lines from").fill("2026-11-20 01:00")
    page.get_by_role("button", name="Add these targets").click()
    expect(page.get_by_text("2 targets added: 2 × IP address.")).to_be_visible()
    page.get_by_role("button", name="Save and go on later").click()
    page.get_by_role("link", name="Fraud").first.click()
    expect(page.locator("#targets-1-value")).to_have_value("192.0.2.2")
    page.get_by_role("button", name="Check").last.click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Offence", exact=True)).to_have_value("Fraud")
