"""From the invitation to a form that outlives a session: one person's first day."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from liaison.models import Message
from liaison.services import totp
from tests.browser.conftest import Person
from tests.browser.test_expired import FACTS, LINE, TARGETS, fill_three_targets
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

NEWCOMER, PASSWORD = "n.danielyan@police.example", "four words nobody says together"


def invite(administrator: Person) -> None:
    page = administrator.go("/people")
    page.get_by_role("link", name="Invite a person").click()
    page.get_by_label("E-mail").fill(NEWCOMER)
    page.get_by_label("Name", exact=True).fill("Nare Danielyan")
    page.get_by_label("Officer").check()
    page.get_by_role("button", name="Send the invitation").click()
    expect(page.get_by_text(NEWCOMER)).to_be_visible()


def link_in_the_letter(world: World) -> str:
    with world.database.reading() as session:
        letter = session.scalars(select(Message).where(Message.address == NEWCOMER)).one()
        assert letter.sealed_link is not None
        return world.vault.open(letter.sealed_link)


def sign_in(page: Page, world: World, secret: str) -> None:
    world.clock.move(seconds=30)  # the code before this one was used up
    page.get_by_label("E-mail").fill(NEWCOMER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code", exact=True).fill(totp.current_code(secret, world.now))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)


def test_invited_enrolled_signed_in_signed_out_and_the_form_is_intact(
    world: World, sign_in_as: Callable[..., Person], browse: Callable[..., Person]
) -> None:
    invite(sign_in_as("administrator"))
    newcomer = browse()
    page = newcomer.page
    page.goto(link_in_the_letter(world))
    expect(page.get_by_role("heading", name="Welcome, Nare Danielyan")).to_be_visible()
    secret = page.locator(".secret").inner_text().replace(" ", "")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_label("Code", exact=True).fill(totp.current_code(secret, world.now))
    page.get_by_role("button", name="Make my account").click()
    page.get_by_role("link", name="I have kept them").click()
    sign_in(page, world, secret)

    newcomer.go("/orders/new?urgency=emergency")
    fill_three_targets(page)
    world.clock.move(hours=1, minutes=1)
    page.get_by_role("button", name="Check").last.click()
    expect(page.get_by_role("heading", name="Sign in", level=1)).to_be_visible()
    sign_in(page, world, secret)
    expect(page.get_by_text(LINE)).to_be_visible()
    for number, value in enumerate(TARGETS):
        expect(page.locator(f"#targets-{number}-value")).to_have_value(value)
    expect(page.get_by_label("Facts", exact=True)).to_have_value(FACTS)
    page.get_by_role("button", name="Check").last.click()
    expect(page.get_by_role("heading", name="Check the order", level=1)).to_be_visible()
    assert newcomer.complaints == []


@pytest.fixture
def sign_in_as(request: pytest.FixtureRequest) -> Callable[..., Person]:
    """The fixture ``sign_in`` under another name: this story signs in by itself, too."""
    found: Callable[..., Person] = request.getfixturevalue("sign_in")
    return found
