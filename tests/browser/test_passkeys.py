"""Passkeys in a real Chromium, with a virtual authenticator."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import update

from liaison.models import Authority, Passkey
from tests.browser.conftest import Person
from tests.world import World

pytestmark = pytest.mark.one_database


@pytest.fixture
def host() -> str:
    """A passkey is bound to a name, never to a bare address."""
    return "localhost"


def plug_in(person: Person) -> tuple[Any, str]:
    """A device that verifies its user; the way to speak to it, and its id."""
    cdp = person.context.new_cdp_session(person.page)
    cdp.send("WebAuthn.enable")
    device = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": device})
    return cdp, made["authenticatorId"]


def add(person: Person, name: str) -> None:
    page = person.go("/account")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make the passkey").click()
    expect(page.get_by_role("status").filter(has_text="The passkey is added.")).to_be_visible()


def give_password(person: Person, world: World, who: str = "officer") -> None:
    page = person.go("/login")
    page.get_by_label("E-mail").fill(world.person(who).email)
    page.get_by_label("Password").fill(world.person(who).password)
    page.get_by_role("button", name="Continue").click()


def test_a_passkey_is_made_signs_in_and_issues(
    sign_in: Callable[..., Person], world: World
) -> None:
    with world.database.transaction() as session:
        session.execute(update(Authority).values(passkey_to_issue=True))
    person = sign_in("officer")
    cdp, device = plug_in(person)
    add(person, "Work laptop")
    assert not person.axe()
    kept = cdp.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]
    assert [key["rpId"] for key in kept] == ["localhost"]
    page = person.page
    page.get_by_role("button", name="Sign out", exact=True).click()
    give_password(person, world)
    assert not person.axe()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(lambda url: "/login" not in url)
    world.clock.move(minutes=10)
    with world.database.transaction() as session:
        # A passkey issues a day after it was added; no session lasts as long.
        session.execute(update(Passkey).values(created_at=world.now - timedelta(hours=24)))
    drafted = world.draft()
    person.go(f"/orders/{drafted.name}/issue")
    assert not person.axe()
    page.get_by_role("button", name="Issue with your passkey").click()
    expect(page.get_by_role("heading", level=1)).not_to_contain_text("Check the order")
    assert world.order(drafted.name).ref
    assert person.complaints == []


def test_a_cancelled_passkey_is_told_in_words_and_the_code_still_works(
    sign_in: Callable[..., Person], world: World
) -> None:
    person = sign_in("officer")
    cdp, device = plug_in(person)
    add(person, "Telephone")
    person.page.get_by_role("button", name="Sign out", exact=True).click()
    give_password(person, world)
    refusing = {"authenticatorId": device, "isUserVerified": False}
    cdp.send("WebAuthn.setUserVerified", refusing)
    page = person.page
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("Nothing was done: the passkey was cancelled")).to_be_visible()
    page.get_by_label("Code").fill(world.unused_code("officer"))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login" not in url)
    assert person.complaints == []


def test_a_stale_factor_is_made_fresh_by_passkey(
    sign_in: Callable[..., Person], world: World
) -> None:
    person = sign_in("officer")
    plug_in(person)
    add(person, "Key")
    world.clock.move(minutes=10)
    page = person.go("/account/password")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("heading", name="Change your password")).to_be_visible()


def test_without_javascript_the_page_says_so_and_the_code_works(
    sign_in: Callable[..., Person], world: World
) -> None:
    person = sign_in("officer", java_script_enabled=False)
    page = person.go("/account/passkeys/new")
    expect(page.get_by_text("Passkeys need JavaScript")).to_be_visible()
    expect(page.get_by_role("button", name="Make the passkey")).to_be_hidden()
