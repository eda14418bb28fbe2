"""The reference in a browser: read without JavaScript, and calls that are sent from its page."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from liaison.domain.lifecycle import OrderState
from tests.browser.conftest import RULES, Person
from tests.world import World

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

Browse = Callable[..., Person]

PAGES = ["/api/docs", "/api/docs/answers", "/api/docs/entries", "/api/docs/start", "/problems/busy"]

LISTEN = (
    "document.addEventListener('securitypolicyviolation', "
    "e => console.log('Content Security Policy: ' + e.violatedDirective + ' ' + e.blockedURI))"
)


@pytest.mark.parametrize("sky", ["light", "dark"])
def test_its_pages_are_well_made(browse: Browse, sky: str) -> None:
    reader = browse(color_scheme=sky)
    found = []
    for path in PAGES:
        reader.go(path)
        found += reader.axe()
    page = reader.go("/api/docs/try")
    expect(page.locator(".swagger-ui .opblock").first).to_be_visible()
    options = {"runOnly": RULES}
    whole = Axe().run(page, context={"exclude": [["#swagger"]]}, options=options)
    found += [f"{page.url} {rule['id']}" for rule in whole.response["violations"]]
    assert found + reader.complaints == []


def test_it_is_read_without_javascript_on_a_phone_and_on_paper(browse: Browse) -> None:
    reader = browse(java_script_enabled=False, viewport={"width": 360, "height": 740})
    for path in [*PAGES, "/api/docs/try"]:
        page = reader.go(path)
        expect(page.locator("h1")).to_be_visible()
    expect(page.locator("#swagger")).to_contain_text("needs JavaScript")
    page = reader.go("/api/docs")
    page.get_by_role("link", name="Confirm preservation").last.click()
    call = page.locator("#confirmPreservation")
    for kind in ("curl", "python", "sent"):
        expect(call.locator(f"[data-example={kind}]")).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator(".api aside")).to_be_hidden()
    expect(call.locator("[data-example=curl]")).to_be_visible()


def test_no_page_is_wider_than_a_phone(browse: Browse) -> None:
    reader = browse(viewport={"width": 360, "height": 740})
    for path in [*PAGES, "/api/docs/try"]:
        page = reader.go(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360, path


def test_calls_are_sent_from_the_page_and_the_key_stays_in_its_memory(
    browse: Browse, world: World
) -> None:
    order, key = world.issue(), world.key("Meridian Telecom")
    engineer = browse()
    engineer.page.add_init_script(LISTEN)
    asked: list[str] = []
    engineer.page.on("request", lambda request: asked.append(request.url))
    page = engineer.go("/api/docs/try?url=https://elsewhere.example/openapi.json")
    give_key(page, key)
    send(page, "whoAmI")
    expect(answer(page, "whoAmI")).to_contain_text("Meridian Telecom")
    block = page.locator("[id$=acknowledgeOrder]")
    send(page, "acknowledgeOrder", order.name)
    status = block.locator(".live-responses-table tbody .response-col_status").first
    expect(status).to_contain_text("200")
    assert world.order(order.name).state is OrderState.ACKNOWLEDGED

    kept = (
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie, location.href])"
    )
    assert key not in page.evaluate(kept)
    assert all(url.startswith((engineer.address, "data:", "blob:")) for url in asked)
    page.reload()
    send(page, "whoAmI")
    expect(answer(page, "whoAmI")).to_contain_text("unauthenticated")
    assert engineer.complaints == []


def test_a_planted_script_and_style_are_complained_of(browse: Browse) -> None:
    engineer = browse()
    engineer.page.add_init_script(LISTEN)
    page = engineer.go("/api/docs/try")
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"color:red\">x</p>')")
    page.wait_for_timeout(100)
    assert any("style-src" in line for line in engineer.complaints)


def give_key(page: Page, key: str) -> None:
    """By the dialogue that an engineer uses."""
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".auth-container input").fill(key)
    page.locator(".auth-btn-wrapper button.authorize").click()
    page.locator(".auth-btn-wrapper button.btn-done").click()


def send(page: Page, call: str, order: str = "") -> None:
    """Opens a call, fills in the order it names, and sends it."""
    block = page.locator(f"[id$={call}]")
    block.locator(".opblock-summary-control").click()
    if order:
        block.get_by_placeholder("order").fill(order)
        block.get_by_placeholder("Idempotency-Key").fill(f"{call}-{order}")
        expect(block.get_by_placeholder("If-Match")).to_have_value("")
    block.get_by_role("button", name="Execute").click()


def answer(page: Page, call: str) -> Locator:
    """What the portal said."""
    return page.locator(f"[id$={call}] .live-responses-table .highlight-code").first
