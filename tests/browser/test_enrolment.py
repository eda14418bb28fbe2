"""A new authenticator, enrolled by nothing but what its page shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from liaison.services import totp
from tests.browser.conftest import Person
from tests.world import World

pytestmark = pytest.mark.one_database


def test_a_new_authenticator_from_the_pages_secret_alone(
    sign_in: Callable[..., Person], world: World
) -> None:
    person = sign_in("officer")
    page = person.go("/account")
    page.get_by_role("link", name="Take a new authenticator").click()
    expect(page.locator("main svg.qr")).to_be_visible()
    box = page.locator("main svg.qr").bounding_box()
    assert box is not None
    assert box["width"] >= 160, "a telephone's camera cannot read less"
    secret = page.locator("[data-secret]").inner_text().replace(" ", "")
    assert not person.axe()
    world.unused_code("officer")  # moves on where this step's code is used up
    page.get_by_label("Code").fill(totp.current_code(secret, world.now))
    page.get_by_role("button", name="Use the new one").click()
    expect(page.get_by_text("Your new authenticator counts.")).to_be_visible()
    assert not person.axe()
    page.get_by_role("button", name="Sign out", exact=True).click()
    world.clock.move(seconds=30)
    page.get_by_label("E-mail").fill(world.person("officer").email)
    page.get_by_label("Password").fill(world.person("officer").password)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code").fill(totp.current_code(secret, world.now))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)
    assert person.complaints == []
