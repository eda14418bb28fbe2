"""The live part of a page: it follows what happens and takes nothing from under one's hands."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from liaison.models import SignIn as SignInRow
from tests.browser.conftest import Person
from tests.world import START, World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

SignIn = Callable[..., Person]

SOON = 40_000
"""Milliseconds; an open emergency is looked at every 5 s, and a machine may be slow."""


def badge(page: Page) -> str:
    return page.locator("[data-live-text]").inner_text()


def test_what_is_being_read_stays_until_it_is_let_go(world: World, sign_in: SignIn) -> None:
    order = world.issue()
    page = sign_in("officer").go(f"/orders/{order.name}")
    page.evaluate("getSelection().selectAllChildren(document.querySelector('#live .lead-2'))")
    world.acknowledge(order)
    expect(page.locator("[data-live-text]")).to_contain_text("Changed", timeout=SOON)
    expect(page.locator(".head .tag.blue")).to_have_count(0)
    page.evaluate("getSelection().removeAllRanges()")
    expect(page.locator(".head .tag.blue")).to_have_text("Acknowledged", timeout=SOON)


def test_a_pause_holds_until_it_is_ended(world: World, sign_in: SignIn) -> None:
    order = world.issue()
    page = sign_in("officer").go(f"/orders/{order.name}")
    page.get_by_role("button", name="Pause").click()
    world.acknowledge(order)
    page.wait_for_timeout(7_000)
    assert badge(page) == "Paused"
    expect(page.locator(".head .tag.blue")).to_have_count(0)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator(".head .tag.blue")).to_have_text("Acknowledged")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()


def test_a_page_whose_session_ended_says_so(world: World, sign_in: SignIn) -> None:
    order = world.issue()
    person = sign_in("officer")
    page = person.go(f"/orders/{order.name}")
    with world.database.transaction() as session:
        session.execute(update(SignInRow).values(ended_at=world.now))
    expect(page.locator("[data-live-text]")).to_have_text("You are signed out.", timeout=SOON)
    page.get_by_role("button", name="Reload").click()
    page.wait_for_url(f"**/login?next=/orders/{order.name}")


def test_a_server_that_does_not_answer_is_not_called_live(world: World, sign_in: SignIn) -> None:
    order = world.issue()
    page = sign_in("officer").go(f"/orders/{order.name}")
    page.route("**/*part=live*", lambda route: route.abort())
    expect(page.locator("[data-live-text]")).to_contain_text("No answer", timeout=SOON)


def test_after_one_look_that_fails_the_next_comes_as_soon_as_ever(
    world: World, sign_in: SignIn
) -> None:
    order = world.issue()
    person = sign_in("officer")
    person.page.clock.install(time=START)
    page = person.go(f"/orders/{order.name}")
    said, there = page.locator("[data-live-text]"), re.compile("Live|Changed")
    page.clock.pause_at(START + timedelta(minutes=5))
    expect(said).to_contain_text(re.compile(r"Changed|checked \d s ago"))  # its look is over
    page.clock.run_for(1_000)
    expect(said).to_contain_text("Live")
    page.route("**/*part=live*", lambda route: route.abort())
    page.clock.run_for(6_000)
    expect(said).to_contain_text("No answer")
    page.unroute("**/*part=live*")
    page.clock.run_for(6_000)
    expect(said).to_contain_text(there)


def test_the_countdown_speaks_at_fifteen_five_and_one(world: World, sign_in: SignIn) -> None:
    order = world.issue()
    person = sign_in("officer")
    person.page.clock.install(time=START)
    page = person.go(f"/orders/{order.name}")
    page.get_by_role("button", name="Pause").click()
    said = page.locator("#say")
    page.clock.pause_at(START + timedelta(minutes=44))
    expect(said).to_be_empty()
    for minutes, words in ((2, "15 minutes left"), (10, "5 minutes left"), (4, "1 minute left")):
        page.clock.run_for(minutes * 60_000)
        expect(said).to_contain_text(words)
    page.clock.run_for(2 * 60_000)
    # To the minute: the clock ran by itself while the page came.
    expect(page.locator("time.left[role=timer]")).to_have_text(re.compile(r"−0[12]:\d\d"))


def test_what_comes_is_due_once_its_time_is_there(world: World, sign_in: SignIn) -> None:
    order = world.issue()
    person = sign_in("officer")
    person.page.clock.install(time=START)
    page = person.go(f"/orders/{order.name}")
    page.get_by_role("button", name="Pause updates").click()
    coming = page.locator("time[data-left=in]")
    page.clock.pause_at(START + timedelta(seconds=30))
    steps = coming.evaluate_all("all => all.map(one => one.dateTime)")
    assert steps
    page.clock.pause_at(START + timedelta(hours=2))
    page.clock.run_for(1_000)
    assert set(coming.all_inner_texts()) == {"due now"}


def test_the_list_of_calls_and_its_count_follow_what_happens(world: World, sign_in: SignIn) -> None:
    order = world.issue()
    page = sign_in("officer").go("/calls")
    row, count = page.locator("#live tbody tr"), page.locator(".bar nav a[href='/calls']")
    expect(row).to_have_count(1)
    expect(count).to_have_text("Calls (1)")
    count.focus()
    world.acknowledge(order)
    expect(row).to_have_count(0, timeout=SOON)
    expect(count).to_have_text("Calls")
    expect(count).to_be_focused()
    expect(page.locator("#menu")).to_have_count(1)
    assert page.locator("#live nav#menu").count() == 0


def test_a_viewers_wrong_clock_changes_no_countdown(world: World, sign_in: SignIn) -> None:
    order = world.issue()
    person = sign_in("officer")
    person.page.clock.install(time="2031-05-05T05:05:05Z")
    page = person.go(f"/orders/{order.name}")
    expect(page.locator("time.left[role=timer]")).to_have_text(re.compile(r"01:00:00|59:\d\d"))
    expect(page.locator("[data-clock]")).to_have_text(re.compile(r"12:0[01]:\d\d UTC"))


def test_without_javascript_a_page_says_as_of_when(world: World, sign_in: SignIn) -> None:
    order = world.issue()
    page = sign_in("officer", java_script_enabled=False).go(f"/orders/{order.name}")
    assert "as of 12:00 UTC" in page.content()
    expect(page.get_by_role("link", name="Refresh").first).to_be_visible()
    expect(page.locator("[data-live]")).to_be_hidden()
    page.get_by_role("button", name="Night").click()
    expect(page.locator("html[data-theme=night]")).to_have_count(1)
    assert page.url.endswith(f"/orders/{order.name}"), "back to where the choice was made"
