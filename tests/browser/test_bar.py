"""The bar: two rows on a desktop, whatever waits, and nothing beyond the edge of a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from liaison.portal import frame
from liaison.queries import calls, deliveries, requests
from liaison.services import reviews
from tests.browser.conftest import Person

pytestmark = [pytest.mark.one_database, pytest.mark.xdist_group("browser")]

TWO_ROWS = 90
"""Pixels."""

TARGET = 24
"""Pixels (WCAG 2.2, 2.5.8)."""


@pytest.fixture(autouse=True)
def everything_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    for query, name in (
        (calls, "count"),
        (reviews, "count"),
        (requests, "waiting"),
        (deliveries, "count"),
        (frame, "count_to_call"),
    ):
        monkeypatch.setattr(query, name, lambda *_: 2)


def wider_than_its_place(page: Page, what: str) -> int:
    found: int = page.locator(what).evaluate("e => e.scrollWidth - e.clientWidth")
    return found


@pytest.mark.parametrize("width", [1280, 1440, 1920])
def test_a_full_menu_is_one_row_of_a_desktop(sign_in: Callable[..., Person], width: int) -> None:
    page = sign_in("supervisor", viewport={"width": width, "height": 800}).go("/account")
    links = page.locator(".bar nav a").all_inner_texts()
    assert [text for text in links if text.endswith("(2)")] == [
        "Calls (2)",
        "Requests (2)",
        "Reviews (2)",
        "Undelivered (2)",
        "To verify (2)",
    ]
    assert page.locator(".bar").evaluate("e => e.offsetHeight") <= TWO_ROWS
    assert wider_than_its_place(page, ".bar nav") <= 0
    above = page.locator(".brand").evaluate("e => e.getBoundingClientRect().top")
    assert above - page.locator(".bar").evaluate("e => e.getBoundingClientRect().top") >= 4


def test_the_menu_of_a_phone_is_one_row_that_scrolls(sign_in: Callable[..., Person]) -> None:
    page = sign_in("supervisor", viewport={"width": 390, "height": 844}).go("/account")
    assert page.locator(".bar").evaluate("e => e.offsetHeight") <= TWO_ROWS
    assert wider_than_its_place(page, ".bar nav") > 0
    assert wider_than_its_place(page, "html") <= 0
    last = page.locator(".bar nav a").last
    last.focus()
    box = last.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    heights = page.locator(".bar nav a").evaluate_all("all => all.map(e => e.offsetHeight)")
    assert min(heights) >= TARGET


@pytest.mark.parametrize("width", [390, 1280])
def test_focus_goes_through_the_bar_as_the_eye_does(
    sign_in: Callable[..., Person], width: int
) -> None:
    page = sign_in("supervisor", viewport={"width": width, "height": 800}).go("/account")
    places = page.locator(".bar").evaluate(
        """bar => [...bar.querySelectorAll("a, button")].map(e => {
             const box = e.getBoundingClientRect();
             return [box.top + box.height / 2 > bar.getBoundingClientRect().top + 44, box.left];
           })"""
    )
    assert len(places) > 15
    assert places == sorted(places)
