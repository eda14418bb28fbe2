"""The whole life of a memorandum, played in the browser by its two sides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from liaison.domain.terms import terms_from_json
from liaison.domain.vocabulary import MemorandumState
from liaison.models import Memorandum
from liaison.queries import registry
from tests.browser.conftest import Person
from tests.services.test_memoranda import PDF
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

SignIn = Callable[..., Person]

SUPERVISOR, KEEPER = "supervisor", "provider_administrator"


def newest(world: World) -> Memorandum:
    """The draft of this story, or what became of it."""
    with world.database.reading() as session:
        found = session.scalars(
            select(Memorandum).where(
                Memorandum.reference == "MoU-CP-Meridian", Memorandum.version == 2
            )
        ).one()
        _ = found.signatures
        return found


def binding(world: World) -> int | None:
    with world.database.reading() as session:
        register = world.register
        found = registry.memorandum_in_force(
            session,
            register.authorities["CP"],
            register.providers["Meridian Telecom"],
            world.now.date(),
        )
        return found.version if found else None


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", name=words, level=1)).to_be_visible()


def to_draft(person: Person) -> Page:
    """From the menu to the draft, as somebody finds it who was written to."""
    page = person.go("/")
    page.get_by_role("link", name="Memoranda", exact=True).click()
    heading(page, "Memoranda")
    page.get_by_role("link", name="MoU-CP-Meridian, version 2").click()
    heading(page, "Memorandum MoU-CP-Meridian")
    return page


def sign(person: Person) -> None:
    page = to_draft(person)
    page.get_by_role("link", name="Check and sign").click()
    heading(page, "Check and sign")
    page.get_by_role("button", name="Sign this text").click()
    heading(page, "Memorandum MoU-CP-Meridian")


def change(person: Person, label: str, text: str) -> None:
    page = to_draft(person)
    page.get_by_role("link", name="Change the terms").click()
    page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Keep the draft").click()
    heading(page, "Memorandum MoU-CP-Meridian")


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_the_whole_life_of_a_memorandum(world: World, sign_in: SignIn, scripts: bool) -> None:
    options = {"java_script_enabled": scripts}
    supervisor = sign_in(SUPERVISOR, **options)
    page = supervisor.go("/memoranda")
    page.get_by_role("link", name="New memorandum or version").click()
    page.get_by_role("button", name="Begin the draft").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose the provider.")
    page.get_by_label("With", exact=True).select_option(label="Meridian Telecom")
    page.get_by_role("button", name="Begin the draft").click()
    heading(page, "Memorandum MoU-CP-Meridian")
    expect(page.get_by_text("Draft").first).to_be_visible()

    keeper = sign_in(KEEPER, **options)
    change(keeper, "Usual duration", "30")
    expect(keeper.page.get_by_text("30 days unless the order says otherwise")).to_be_visible()

    sign(supervisor)
    expect(supervisor.page.get_by_text("Mariam Grigoryan").first).to_be_visible()
    assert len(newest(world).standing) == 1

    change(keeper, "Emergency: acknowledge within", "45 min")
    assert newest(world).standing == []
    missing = to_draft(supervisor).get_by_text("To be signed by a supervisor of the contact point.")
    expect(missing).to_be_visible()

    page = to_draft(keeper)
    page.get_by_role("link", name="Add the document").click()
    page.get_by_label("The document (PDF)").set_input_files(
        {"name": "paper.txt", "mimeType": "text/plain", "buffer": b"no PDF"}
    )
    page.get_by_role("button", name="Add the document").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose a PDF")
    page.get_by_label("The document (PDF)").set_input_files(
        {"name": "paper.pdf", "mimeType": "application/pdf", "buffer": PDF}
    )
    page.get_by_role("button", name="Add the document").click()
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download the document").click()
    assert taken.value.suggested_filename == "memorandum-MoU-CP-Meridian-v2.pdf"

    sign(supervisor)
    sign(keeper)
    expect(keeper.page.get_by_text("Agreed, not yet in force").first).to_be_visible()
    agreed = newest(world)
    assert (agreed.state, agreed.signed_on) == (MemorandumState.AGREED, date(2026, 11, 23))
    assert binding(world) == 1
    expect(keeper.page.get_by_role("link", name="Change the terms")).to_have_count(0)

    world.clock.set(datetime.combine(agreed.in_force_from, datetime.min.time(), UTC))
    assert binding(world) == 2
    assert terms_from_json(agreed.terms).default_days == 30
    officer = sign_in("officer", **options)
    page = to_draft(officer)
    expect(page.get_by_text("In force", exact=True).first).to_be_visible()
    expect(page.get_by_role("row", name="Emergency")).to_contain_text("45 min")
    page.get_by_role("link", name="MoU-CP-Meridian, version 1").click()
    expect(page.get_by_text("Superseded by version 2").first).to_be_visible()

    order = world.issue()
    supervisor = sign_in(SUPERVISOR, **options)
    page = to_draft(supervisor)
    page.get_by_role("link", name="End it").click()
    page.get_by_label("Last day in force").fill(world.now.date().isoformat())
    page.get_by_label("Reason").fill("The provider was sold.")
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_text("The provider was sold.").first).to_be_visible()
    world.clock.move(days=1)
    assert binding(world) is None
    keeper = sign_in(KEEPER, **options)
    page = to_draft(keeper)
    expect(page.get_by_text("Ended", exact=True).first).to_be_visible()
    assert world.order(order.name).terms == agreed.terms
    for person in (supervisor, keeper, officer):
        assert person.complaints == []


@pytest.mark.parametrize("act", ["", "/edit", "/sign", "/document/new", "/discard"])
def test_a_phone_needs_no_scrolling_sideways(world: World, sign_in: SignIn, act: str) -> None:
    from tests.services.test_memoranda import begin

    path = f"/memoranda/{begin(world)}{act}"
    page = sign_in(KEEPER, viewport={"width": 390, "height": 844}).go(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
