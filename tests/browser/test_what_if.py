"""A ladder is written without JavaScript on a phone; the what-if page then tells the truth."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from liaison.domain.vocabulary import MemorandumState
from liaison.models import Database, Memorandum
from liaison.worker import Work
from tests.browser.conftest import Person
from tests.services import test_memoranda as memorandum
from tests.worker.conftest import work  # noqa: F401 - the worker of this story
from tests.worker.test_what_if import done, left_alone
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

NIGHT = datetime(2026, 11, 25, 2, 14, tzinfo=UTC)
Told = list[tuple[str, str, str]]


def told(page: Page, contacts: dict[str, str]) -> Told:
    """What the page's table says: minute, contact and way; calls that are open are no new ones."""
    found = []
    for row in page.locator("table.q tbody tr").all():
        at = row.locator("time").first.get_attribute("datetime") or ""
        for line in row.locator("li").all():
            name = line.locator("bdi").inner_text()
            ways = line.inner_text().partition("):")[2].partition(";")[0].strip()
            found += [(at[:16], contacts[name], way) for way in ways.split(" and ") if way]
    return sorted(found)


def test_written_on_a_phone_told_by_the_page_done_by_the_worker(
    world: World,
    database: Database,
    sign_in: Callable[..., Person],
    work: Work,  # noqa: F811
) -> None:
    """One rung more that repeats; an emergency in the night; nobody answers."""
    draft = memorandum.begin(world)
    keeper = sign_in(
        "provider_administrator",
        java_script_enabled=False,
        viewport={"width": 360, "height": 740},
    )
    page = keeper.go(f"/memoranda/{draft}/ladders/emergency")
    page.get_by_role("button", name="Add a rung").click()
    rung = page.get_by_role("group", name="Rung 5")
    rung.get_by_label("Minutes after issue").fill("20")
    rung.get_by_label("Repeats", exact=True).fill("2")
    rung.get_by_label("Minutes between repeats").fill("4")
    page.get_by_role("button", name="Redraw").click()
    expect(page.get_by_text("The picture shows 5 rungs")).to_be_visible()
    expect(page.get_by_text("reaches somebody at every hour")).to_be_visible()
    page.get_by_role("button", name="Keep the ladder").click()
    expect(page.get_by_text("2 more times every 4 min")).to_be_visible()

    with database.transaction() as session:
        row = session.get_one(Memorandum, draft)
        row.state, row.in_force_from = MemorandumState.AGREED, world.now.date()
        both = (*row.provider.contacts, *row.authority.contacts)
        contacts = {c.name: str(c.id) for c in both}
    page = keeper.go(f"/memoranda/{draft}/what-if")
    page.get_by_label("Emergency").check()
    page.get_by_label("Issued at").fill("2026-11-25 06:14")
    page.get_by_label("Time zone").select_option("Asia/Yerevan")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("Wed 25 Nov 2026 02:14 UTC, 06:14 Yerevan")).to_be_visible()
    page_says = told(page, contacts)
    assert len(page_says) > 12

    world.clock.set(NIGHT)
    order = world.issue()
    last = datetime.fromisoformat(f"{page_says[-1][0]}:00+00:00")
    left_alone(work, world, database, order, last)
    worker_did = sorted(
        (f"{at:%Y-%m-%dT%H:%M}", str(contact), way.label.lower())
        for at, contact, way in done(database, order)
    )
    assert page_says == worker_did
