"""What every page shares: times in words, icons, problem pages, and what templates must not do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from markupsafe import escape
from sqlalchemy.exc import OperationalError

from liaison.errors import LiaisonError
from liaison.portal import filters, frame, icons
from liaison.portal.problems import PROBLEMS
from tests.portal.filled import SignedIn
from tests.world import START, World

TEMPLATES = Path(__file__).parents[2] / "templates"
PAGES = sorted(path for path in TEMPLATES.rglob("*.html") if path.parent.name != "mail")

pytestmark = pytest.mark.one_database


@pytest.fixture
def moment(app: Flask) -> Iterator[datetime]:
    """Noon, in a request."""
    with app.test_request_context("/orders?view=all&part=live"):
        yield START


@pytest.mark.parametrize(
    ("length", "words"),
    [
        ({"seconds": 59}, "0 min"),
        ({"minutes": 45}, "45 min"),
        ({"hours": 1}, "1 h"),
        ({"minutes": 90}, "1 h 30 min"),
        ({"hours": 26}, "26 h"),
        ({"days": 2}, "2 days"),
        ({"days": 2, "minutes": 15}, "2 days 15 min"),
        ({"days": 5, "hours": 3}, "5 days 3 h"),
        ({"days": 14, "hours": 3}, "14 days"),
    ],
)
def test_a_length_in_words(length: dict[str, int], words: str) -> None:
    assert filters.span(timedelta(**length)) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        ({"minutes": 18, "seconds": 42}, "18:42"),
        ({"hours": 3, "minutes": 34}, "03:34:00"),
        ({"minutes": -127}, "−02:07:00"),
        ({"days": 14}, "14 days"),
        ({"days": -3}, "−3 days"),
    ],
)
def test_what_a_countdown_begins_with(moment: datetime, length: dict[str, int], words: str) -> None:
    assert filters.left(moment + timedelta(**length)) == words


def test_a_moment_in_words(moment: datetime) -> None:
    at = datetime(2026, 11, 23, 1, 10, 5, tzinfo=UTC)
    assert filters.utc(at) == "23 Nov 2026, 01:10"
    assert filters.utc(at, seconds=True) == "23 Nov 2026, 01:10:05"
    assert filters.utc(None) == ""
    assert filters.hm(at) == "01:10"
    assert filters.iso(at) == "2026-11-23T01:10:05Z"
    assert filters.in_zone(at, "Asia/Yerevan") == "23 Nov 2026, 05:10 Yerevan"
    assert filters.in_zone(at, "Asia/Yerevan", near=at) == "05:10 Yerevan"
    assert filters.in_zone(at, "America/New_York", near=at) == "22 Nov 2026, 20:10 New York"
    assert "05:10:05+04:00 Asia/Yerevan" in filters.exact(at, "Asia/Yerevan")
    assert filters.ago(moment - timedelta(minutes=2)) == "2 min ago"
    assert filters.ago(moment + timedelta(hours=3)) == "in 3 h"
    assert filters.ago(moment) == "just now"


def test_the_refresh_link_leads_to_the_whole_page(moment: datetime) -> None:
    assert frame.frame().here == "/orders?view=all"


def test_an_unknown_icon_is_a_fault_of_ours() -> None:
    assert 'aria-hidden="true"' in icons.icon("telephone-plus")
    with pytest.raises(LookupError):
        icons.icon("no-such-icon")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_templates_hold_nothing_that_the_policy_forbids(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=|<style", text)
    assert not re.search(r"<[^>]*\son[a-z]+\s*=", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"http-equiv=.refresh", text)
    assert "javascript:" not in text


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_day_is_on_and_an_hour_is_at(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"\bat (<[^>]*>)?\{\{ ?bits\.when\((?![^)]*short)", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_every_posted_form_carries_the_token(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL):
        assert "csrf" in form, form[:120]


def test_an_error_page_leads_to_the_registered_numbers(world: World, signed_in: SignedIn) -> None:
    page = signed_in("spoc").get("/orders/CP-2026-9999").text.partition("<main")[2]
    assert 'registered numbers stand under <a href="/contacts">' in page


def _slugs(kind: type[LiaisonError]) -> set[str]:
    return {kind.slug}.union(*(_slugs(below) for below in kind.__subclasses__()))


def test_every_problem_has_its_page(client: FlaskClient) -> None:
    assert _slugs(LiaisonError) <= set(PROBLEMS)
    everything = client.get("/problems/").text
    for slug, problem in PROBLEMS.items():
        page = client.get(f"/problems/{slug}")
        assert page.status_code == 200
        assert escape(problem.title) in page.text
        assert f"/problems/{slug}" in everything
    assert client.get("/problems/no-such-problem").status_code == 404


def test_the_page_that_says_the_database_is_away_needs_no_database(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    world.sign_in(client, "officer")

    def away(*_given: object) -> None:
        raise OperationalError("SELECT", {}, Exception("no answer"))

    monkeypatch.setattr("liaison.web.context.db", away)
    page = client.get("/account")
    assert page.status_code == 503
    assert "The portal is busy" in page.text
    assert "In an emergency" in page.text
    assert "no answer" not in page.text


def test_an_error_page_keeps_the_policy_and_names_the_event(client: FlaskClient) -> None:
    page = client.get("/no-such-page")
    assert page.status_code == 404
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert page.headers["X-Request-Id"] in page.text
