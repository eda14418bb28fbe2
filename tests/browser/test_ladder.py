"""A person watches an emergency climb, calls ahead, pauses, goes on, and sees it stop."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.browser.conftest import Person
from tests.mail import RecordingSender
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

SignIn = Callable[..., Person]

SOON = 40_000


def ladder(page: Page) -> str:
    return page.locator("[aria-labelledby=la-h]").inner_text()


@pytest.mark.parametrize("script", [True, False])
def test_watch_it_climb_escalate_pause_and_go_on(
    world: World,
    sign_in: SignIn,
    settings: Settings,
    sender: RecordingSender,
    script: bool,
) -> None:
    work = Work(settings, world.database, world.clock, sender, name="worker-1")
    order = world.issue()
    officer = sign_in("officer", java_script_enabled=script)
    page = officer.go(f"/orders/{order.name}")
    due = page.locator(".due")
    expect(due).to_contain_text("due now")

    def seen(where: str, words: str) -> None:
        """What the poll brings; without it, what a reload does."""
        if not script:
            page.reload()
        expect(page.locator(where)).to_contain_text(words, timeout=SOON)

    run_once(work)
    seen(".due", "Rung now: SPOC on duty")
    expect(due).to_contain_text(re.compile(r"at 12:15 UTC, in 1[45]:\d\d"))

    page.get_by_role("link", name="Escalate now").click()
    page.get_by_label("Reason").fill("The child was seen at a station.")
    page.get_by_role("button", name="Call them now").click()
    run_once(work)
    seen(".due", "Rung now: Every SPOC")

    page.get_by_role("link", name="Pause the calls").click()
    page.get_by_label("Pause for").select_option("30")
    page.get_by_label("Reason").fill("I speak with their lawyer.")
    page.get_by_role("button", name="Pause the calls").click()
    expect(due).to_contain_text("The escalation is paused until")
    assert "I speak with their lawyer." in ladder(page)
    before = list(sender.addresses)
    world.clock.move(minutes=29)
    run_once(work)
    assert sender.addresses == before, "nobody is called meanwhile"
    world.clock.move(minutes=1)
    run_once(work)
    seen(".due", "Rung now: Fallback addressee")

    page.get_by_role("link", name="Pause the calls").click()
    page.get_by_label("Reason").fill("Once more.")
    page.get_by_role("button", name="Pause the calls").click()
    page.get_by_role("button", name="Go on now").click()
    expect(page.get_by_role("link", name="Escalate now")).to_be_visible()

    before = list(sender.addresses)
    run_once(work)
    assert sender.addresses == before, "the next rung is not due for fifteen minutes"
    page.get_by_role("link", name="Skip to a rung").click()
    page.get_by_role("radio").last.check()
    page.get_by_label("Reason").fill("Nobody there answers.")
    page.get_by_role("button", name="Skip to this rung").click()
    run_once(work)
    seen(".due", "Rung now: Our supervisor")

    world.acknowledge(order)
    seen(".head", "Acknowledged")
    world.clock.move(minutes=60)
    sent = len(sender.sent)
    run_once(work)
    later = {one.address for one in sender.sent[sent:]}
    assert not later & {"spoc@meridian.example", "deputy@meridian.example"}
    assert officer.complaints == []
