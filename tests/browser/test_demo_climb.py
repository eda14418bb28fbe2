"""The demo as a visitor has it, every program real: an emergency climbs, and a person stops it."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from liaison.demo import accounts, place
from tests.running_demo import running

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

SOON = 60_000
"""Milliseconds: the worker, a telephone that answers after 2 s, a page that looks every 5 s, and
twice as late after each look that failed; all on a machine whose disk may be busy for long."""
MERIDIAN = "Meridian Telecom"
OFFICER, SUPERVISOR = "officer@police.example", "supervisor@police.example"
NEXT = "noc@meridian.example"
"""Whom its third rung would call."""


@dataclass
class Demo:
    """A demo that runs: where, and who can sign in."""

    url: str
    folder: Path
    used: dict[str, int] = field(default_factory=dict)

    def code(self, who: str) -> str:
        """A code that this person has not used; two can be had within half a minute."""
        now = int(time.time()) // 30
        step = self.used[who] = max(self.used.get(who, 0) + 1, now)
        assert step <= now + 1, "too many codes in too short a time"
        secret = accounts.kept(self.folder)["people"][who]["totp_secret"]
        return pyotp.TOTP(secret).generate_otp(step)

    @contextmanager
    def without_its_worker(self) -> Iterator[None]:
        """The worker stands still meanwhile, as under a load that is too high."""
        worker = int(place.noted(self.folder)["pids"].split()[1])
        os.kill(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(worker, signal.SIGCONT)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """``liaison demo``, without the year of its past: that takes long to play."""
    with running(str(tmp_path_factory.mktemp("demo"))) as folder:
        yield Demo(place.noted(folder)["url"], folder)


SignIn = Callable[[str], Page]


@pytest.fixture
def sign_in(chromium: Browser, demo: Demo) -> Iterator[SignIn]:
    """Opens a browser of somebody's own and signs them in by its pages."""
    opened: list[BrowserContext] = []

    def sign_one_in(who: str, **options: Any) -> Page:
        context = chromium.new_context(base_url=demo.url, **options)
        context.set_default_timeout(SOON)
        opened.append(context)
        page = context.new_page()
        page.goto("/login")
        page.get_by_label("E-mail").fill(who)
        page.get_by_label("Password").fill(accounts.kept(demo.folder)["people"][who]["password"])
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Code").fill(demo.code(who))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/login" not in url)
        return page

    yield sign_one_in
    for context in opened:
        _tell_what_was_seen(context)
        context.close()
    for name in ("worker", "portal"):
        log = (demo.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        print(f"{name}: ", *log.splitlines()[-15:], sep="\n")


def _tell_what_was_seen(context: BrowserContext) -> None:
    """For whoever reads a failure: did the page not look, or had it nothing to show?"""
    for page in context.pages:
        print(page.url, page.locator("[data-live-text]").all_inner_texts())


def serve(page: Page, demo: Demo, who: str, provider: str) -> str:
    """Serves an emergency by its form; the order's reference."""
    page.goto("/orders")
    page.get_by_role("link", name="New emergency order").click()
    page.get_by_label("Provider", exact=True).select_option(label=provider)
    page.get_by_label("Emergency ground", exact=True).fill("Imminent risk to the life of a child.")
    page.get_by_label("Case number").first.fill("MP-2026-0231")
    page.get_by_label("Offence", exact=True).fill("Abduction of a minor")
    page.get_by_label("Facts", exact=True).fill("She left home after contact with an adult.")
    page.get_by_label("Identifier", exact=True).fill("2001:db8::24")
    page.get_by_label("Period from", exact=True).fill("2026-11-23 01:10")
    page.get_by_role("button", name="Check").click()
    page.get_by_label("Code").fill(demo.code(who))
    page.get_by_role("button", name="Issue").click()
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(re.compile(r"CP-\d{4}-\d{4}"))
    return heading.inner_text().split()[-1]


def escalate(page: Page) -> None:
    """Calls the next rung at once, and comes back to the order's page."""
    page.get_by_role("link", name="Escalate now").click()
    page.get_by_label("Reason").fill("The child was seen at a station.")
    page.get_by_role("button", name="Call them now").click()


def acknowledge(page: Page, ref: str) -> None:
    """The provider's person confirms receipt."""
    page.goto(f"/orders/{ref}")
    page.get_by_role("link", name="Acknowledge").first.click()
    page.get_by_role("button", name="Acknowledge").click()


def deliveries(page: Page, to: str) -> Locator:
    """The lines of the delivery record of one addressee."""
    return page.locator("[aria-labelledby=del-h] tbody tr").filter(has_text=to)


def due(page: Page) -> Locator:
    """Beside the countdown: who was called last, and who comes next."""
    return page.locator(".due")


def ladder(page: Page) -> Locator:
    """The panel that says who is called."""
    return page.locator("[aria-labelledby=la-h]")


def letters_to(page: Page, address: str) -> Locator:
    """The lines of the demo's mailbox, read anew, of one addressee."""
    page.goto("/demo/mail")
    return page.locator("tbody tr").filter(has_text=address)


def texts_about(page: Page, ref: str) -> Locator:
    """The lines of the demo's telephones, read anew, about one order."""
    page.goto("/demo/texts")
    return page.locator("tbody tr").filter(has_text=ref)


def test_it_climbs_before_ones_eyes_until_somebody_acknowledges(
    demo: Demo, sign_in: SignIn
) -> None:
    spoc, officer = sign_in("spoc@meridian.example"), sign_in(OFFICER)
    ref = serve(officer, demo, OFFICER, MERIDIAN)
    left = officer.locator("time.left[role=timer]")
    expect(left).to_have_text(re.compile(r"59:\d\d"))
    expect(left).not_to_have_text(left.inner_text())

    # Nobody touches the page: the worker climbs, the telephone answers, the page follows.
    expect(due(officer)).to_contain_text("Rung now: SPOC on duty", timeout=SOON)
    text = deliveries(officer, "+37410000101")
    arrived = re.compile(r"Delivered.*queued \S+, sent \S+, delivered \d\d:\d\d:\d\d", re.DOTALL)
    expect(text).to_contain_text(arrived, timeout=SOON)
    text.get_by_text("line of the record").click()
    expect(text.locator("li").first).to_contain_text("taken")
    expect(deliveries(officer, "spoc@meridian.example")).to_contain_text("Sent")
    beside = officer.context.new_page()
    expect(letters_to(beside, "spoc@meridian.example").filter(has_text=ref)).to_have_count(1)
    expect(texts_about(beside, ref)).to_contain_text("+37410000101")

    expect(officer.get_by_role("link", name="Log this call").first).to_be_visible()
    escalate(officer)
    expect(due(officer)).to_contain_text("Rung now: Every SPOC", timeout=SOON)
    expect(deliveries(officer, "+37410000102")).to_contain_text("Delivered", timeout=SOON)
    expect(ladder(officer)).to_contain_text("text message sent, +37410000102")

    with demo.without_its_worker():
        # The third rung is due at this moment, and the receipt comes first.
        escalate(officer)
        expect(due(officer)).to_contain_text("due now")
        acknowledge(spoc, ref)
        expect(officer.locator(".head")).to_contain_text("Acknowledged", timeout=SOON)
        who = re.compile(r"Acknowledged at \d\d:\d\d UTC by Karen Hovsepyan")
        expect(ladder(officer)).to_contain_text(who)
    expect(officer.get_by_role("link", name="Log this call")).to_have_count(0)
    # The rung would have left before this letter, or with it.
    answered = deliveries(officer, OFFICER).filter(has_text="The provider answered")
    expect(answered).to_contain_text("Sent", timeout=SOON)
    expect(deliveries(officer, NEXT)).to_have_count(0)
    expect(letters_to(beside, NEXT)).to_have_count(0)


def test_one_digit_by_telephone_stops_a_ladder_that_goes_by_the_minute(
    demo: Demo, sign_in: SignIn
) -> None:
    page = sign_in(SUPERVISOR)
    ref = serve(page, demo, SUPERVISOR, accounts.REHEARSES)
    soon = re.compile(r"Next: .*, Hayk Manukyan at \d\d:\d\d UTC, in\s+00:\d\d")
    expect(due(page)).to_contain_text(soon, timeout=SOON)
    beside = page.context.new_page()
    texts_about(beside, ref).last.get_by_role("button", name="Reply 1").click()
    expect(page.locator(".head")).to_contain_text("Acknowledged", timeout=SOON)
    expect(ladder(page)).to_contain_text("by Ani Terteryan, Rehearsal Net; the calls")
    expect(deliveries(page, "+37410000501").last).to_contain_text("Answered", timeout=SOON)
