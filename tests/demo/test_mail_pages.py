"""``/demo/mail``: there in a demo, and nowhere else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from liaison import create_app
from liaison.delivery import Outgoing
from liaison.demo.letters import FilingSender
from liaison.settings import Settings

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def demo_client(demo: Settings) -> Iterator[FlaskClient]:
    """A browser at the demo's portal, not signed in."""
    app = create_app(demo)
    yield app.test_client()
    app.extensions["liaison"].database.close()


def test_every_letter_is_listed_and_opens(demo: Settings, demo_client: FlaskClient) -> None:
    page = demo_client.get("/demo/mail")
    assert page.status_code == 200
    assert "DEMO" in page.text
    links = re.findall(r'href="(/demo/mail/[^"]+)"', page.text)
    assert len(links) == len(list((demo.data_dir / "mail").glob("*.eml")))
    letter = demo_client.get(links[0])
    assert letter.status_code == 200
    assert "Look in the portal" in letter.text


def test_the_html_part_is_shown_as_text(demo: Settings, demo_client: FlaskClient) -> None:
    written = datetime(2020, 1, 1, tzinfo=UTC)
    notice = Outgoing("spoc@sevan.example", HOSTILE, HOSTILE, HOSTILE, HOSTILE, written)
    sender = FilingSender(demo.data_dir / "mail", demo.mail_from)
    name = sender.send(notice).reference
    try:
        for path in ("/demo/mail", f"/demo/mail/{name}"):
            page = demo_client.get(path)
            assert page.status_code == 200
            assert "<script>alert" not in page.text
            assert "&lt;script&gt;alert(1)" in page.text
    finally:
        (demo.data_dir / "mail" / f"{name}.eml").unlink()


@pytest.mark.parametrize("name", ["nope", "..%2Faccounts", "20261123T120000-00000000"])
def test_other_names_are_not_found(demo_client: FlaskClient, name: str) -> None:
    assert demo_client.get(f"/demo/mail/{name}").status_code == 404


@pytest.mark.one_database
def test_no_other_installation_has_it(app: Flask) -> None:
    assert not [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/demo")]
