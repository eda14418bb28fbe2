"""The answer in a browser: all of it in two clicks, a table on a phone, no violation anywhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

from liaison.domain.answer import Preservation, TargetAnswer
from liaison.domain.vocabulary import Outcome
from liaison.models import Order
from liaison.services import answers, routes
from tests.browser.conftest import Person
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

SignIn = Callable[..., Person]


def report(world: World, order: Order, *kinds: Outcome, risk: str | None = None) -> None:
    outcomes = [*kinds, *[Outcome.PRESERVED] * (len(order.targets) - len(kinds))]
    answer = Preservation(
        days=90,
        targets=tuple(
            TargetAnswer(t.id, kind) for t, kind in zip(order.targets, outcomes, strict=True)
        ),
        risk=risk,
    )
    with world.database.transaction() as session:
        answers.preserve(session, world.actor("spoc"), order.name, answer, world.now)


def name(world: World, order: Order, provider: str) -> str:
    with world.database.transaction() as session:
        actor = world.actor("spoc")
        routes.report(session, actor, order.name, provider, "198.51.100.1:51820", world.now)
        return str(order.name)


@pytest.mark.parametrize("sky", ["light", "dark"])
def test_no_violation_on_answers_and_routes(world: World, sign_in: SignIn, sky: str) -> None:
    # As many as are folded and checked; the tool takes minutes over all 240.
    some = world.data("07-botnet-240-targets.json")["targets"][:14]
    order = world.issue("07-botnet-240-targets.json", targets=some)
    report(world, order)
    report(world, order, Outcome.NOTHING_HELD, Outcome.PARTIAL, risk="It may be wiped.")
    for provider in ("Norvik Mobile", "Unknown Networks"):
        name(world, order, provider)
    spoc, officer = sign_in("spoc", color_scheme=sky), sign_in("officer", color_scheme=sky)
    found = []
    for person in (spoc, officer):
        page = person.go(f"/orders/{order.ref}?found=nothing_held")
        expect(page.get_by_text("Risk reported").first).to_be_visible()
        for fold in page.locator("details").all():
            fold.evaluate("fold => { fold.open = true }")
        found += person.axe()
    page = spoc.go(f"/orders/{order.ref}/preserve")
    page.get_by_text("Fill the table from a file or a list").click()
    found += spoc.axe()
    page.get_by_label("Or paste its lines").fill("number,outcome\n999,preserved")
    page.get_by_role("button", name="Read into the table").click()
    expect(page.get_by_role("alert")).to_contain_text("Line 2")
    found += spoc.axe()
    page = officer.go(f"/orders/{order.ref}")
    page.get_by_role("link", name="Choose the provider for a follow-on order").click()
    found += officer.axe()
    officer.go(f"/orders/{order.ref}").get_by_role(
        "button", name="Make the follow-on order to Norvik Mobile"
    ).click()
    expect(officer.page.get_by_role("heading", name="Follows on")).to_be_visible()
    found += officer.axe()
    officer.go("/orders?view=all")
    found += officer.axe()
    assert found + spoc.complaints + officer.complaints == []


def test_a_file_on_a_phone(world: World, sign_in: SignIn, tmp_path: Path) -> None:
    order = world.issue("07-botnet-240-targets.json")
    spoc = sign_in("spoc", viewport={"width": 360, "height": 740})
    page = spoc.go(f"/orders/{order.ref}")
    page.get_by_role("link", name="Confirm preservation").click()
    page.get_by_label("Part of it").check()
    page.get_by_text("Fill the table from a file or a list").click()
    file = tmp_path / "answer.csv"
    file.write_text("number;outcome;note\n7;nothing_held;\n8;partial;Only the night\n", "utf-8")
    page.get_by_label("The file, filled in").set_input_files(file)
    page.get_by_role("button", name="Read into the table").click()
    expect(page.get_by_text("238 preserved, 1 partly preserved, 1 nothing held")).to_be_visible()
    page.wait_for_load_state()  # a click does not wait for the style sheet of what it leads to
    wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert wide <= 0, "the page does not scroll sideways"
    page.get_by_role("button", name="Send this report").click()
    expect(page.get_by_role("heading", name="What is kept")).to_be_visible()
    kept = world.order(order.name).report
    assert kept is not None
    assert sum(t.outcome is Outcome.NOTHING_HELD for t in kept.targets) == 1
