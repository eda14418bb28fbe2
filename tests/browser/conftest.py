"""A real Chromium on a real server, on the movable clock."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Dialog, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from liaison import create_app
from liaison.settings import Settings
from tests.browser_setup import browser_path
from tests.world import World

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE = 30_000
"""Milliseconds that a page has for what it will show: a machine under load has no hurry."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


ABORTED = "ignore:Exception ignored in.*liaison/static/:pytest.PytestUnraisableExceptionWarning"
"""A browser that goes on to the next page hangs up in the middle of a script; the test's server
leaves that file to be closed when it is thrown away."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """In tests with a browser such a file is no fault."""
    item.add_marker(pytest.mark.filterwarnings(ABORTED))
    item.add_marker(
        pytest.mark.filterwarnings("ignore:unclosed file.*liaison/static/:ResourceWarning")
    )


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(executable_path=browser_path(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def host() -> str:
    """The name people reach the portal by."""
    return "127.0.0.1"


@pytest.fixture
def address(settings: Settings, world: World, host: str) -> Iterator[str]:
    """Where the portal answers."""
    server = make_server("127.0.0.1", 0, lambda *_: [], threaded=True, request_handler=_Quiet)
    place = f"http://{host}:{server.server_port}"
    app = create_app(replace(settings, base_url=place), world.clock)
    server.app = app
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield place
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["liaison"].database.close()


@dataclass
class Person:
    """Somebody at a browser of their own."""

    context: BrowserContext
    page: Page
    address: str
    complaints: list[str]

    def go(self, path: str) -> Page:
        """Opens a page of the portal."""
        self.page.goto(self.address + path)
        return self.page

    def axe(self) -> list[str]:
        """What axe finds on the page as it is.

        A click ends before the page it leads to has its style sheet; what is measured
        without one is too small.
        """
        self.page.wait_for_load_state("load")
        found = Axe().run(self.page, options={"runOnly": RULES}).response["violations"]
        return [
            f"{self.page.url} {rule['id']}: {node['html'][:200]}"
            for rule in found
            for node in rule["nodes"]
        ]


@pytest.fixture
def browse(chromium: Browser, address: str) -> Iterator[Callable[..., Person]]:
    """Opens a browser without a past; what the page complains of is kept."""
    opened: list[BrowserContext] = []

    def open_one(**options: Any) -> Person:
        context = chromium.new_context(**options)
        context.set_default_timeout(PATIENCE)
        opened.append(context)
        page = context.new_page()
        complaints: list[str] = []

        def dismiss(dialog: Dialog) -> None:
            complaints.append(dialog.message)
            dialog.dismiss()

        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", dismiss)
        page.on(
            "console",
            lambda line: complaints.append(line.text) if "Security Policy" in line.text else None,
        )
        return Person(context, page, address, complaints)

    yield open_one
    for context in opened:
        context.close()


@pytest.fixture
def sign_in(browse: Callable[..., Person], world: World) -> Callable[..., Person]:
    """Opens a browser and signs somebody in by its pages."""

    def sign_one_in(who: str, **options: Any) -> Person:
        person = browse(**options)
        page = person.go("/login")
        someone = world.person(who)
        page.get_by_label("E-mail").fill(someone.email)
        page.get_by_label("Password").fill(someone.password)
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Code").fill(world.unused_code(who))
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(lambda url: "/login" not in url)
        return person

    return sign_one_in
