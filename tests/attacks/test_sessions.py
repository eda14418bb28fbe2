"""Stolen, planted and old cookies; forged forms; addresses that lead away; codes used again."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from liaison import create_app
from liaison.models import Database
from liaison.services import people, totp
from liaison.services.vault import Vault
from tests import matrix_stage
from tests.conftest import Templates
from tests.matrix import ROWS, Row
from tests.matrix_stage import Stage
from tests.portal.filled import SignedIn, fields
from tests.register import PASSWORD
from tests.test_routes import settings_of
from tests.world import MovableClock, World, csrf_token, submit

pytestmark = pytest.mark.one_database

NEW = "quite another horse, and its battery"


@pytest.fixture
def signed_in(app: Flask, world: World) -> SignedIn:
    def browser(who: str) -> FlaskClient:
        client = app.test_client()
        world.sign_in(client, who)
        return client

    return browser


def thief_with(app: Flask, client: FlaskClient) -> FlaskClient:
    """Another browser that has got hold of this one's cookie."""
    cookie = client.get_cookie("liaison")
    assert cookie is not None
    thief = app.test_client()
    thief.set_cookie("liaison", cookie.value)
    return thief


def sign_out(world: World, client: FlaskClient) -> None:
    submit(client, "/account", {}, to="/logout")


def change_password(world: World, client: FlaskClient) -> None:
    page = client.get("/account/password")
    names = [name for name in fields(page.text) if "password" in name]
    given = {name: PASSWORD if name.startswith("old") else NEW for name in names}
    answer = client.post("/account/password", data={"csrf_token": csrf_token(page), **given})
    assert answer.status_code == 303, "the password was not changed"


def be_disabled(world: World, client: FlaskClient) -> None:
    with world.database.transaction() as session:
        who = world.person("officer").id
        people.disable(session, world.actor("administrator"), who, "Left.", world.now)


def be_enabled_again(world: World, client: FlaskClient) -> None:
    be_disabled(world, client)
    with world.database.transaction() as session:
        who = world.person("officer").id
        people.enable(session, world.actor("administrator"), who, "Back.", world.now)


def change_authenticator(world: World, client: FlaskClient) -> None:
    page = client.get("/account/authenticator")
    import re

    shown = re.search(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}", page.text)
    assert shown is not None
    secret = shown.group().replace(" ", "")
    held = fields(page.text)
    code = totp.current_code(secret, world.now)
    data = {"csrf_token": csrf_token(page), "held_secret": held["held_secret"], "code": code}
    assert client.post("/account/authenticator", data=data).status_code == 303


def run_out(world: World, client: FlaskClient) -> None:
    world.clock.move(hours=1)


ENDS = [sign_out, change_password, change_authenticator, be_disabled, be_enabled_again, run_out]


@pytest.mark.parametrize("end", ENDS)
def test_an_old_cookie_opens_nothing(
    app: Flask, world: World, signed_in: SignedIn, end: Callable[[World, FlaskClient], None]
) -> None:
    stolen = signed_in("officer")  # another device of the same person
    client = signed_in("officer")
    thieves = [thief_with(app, stolen), thief_with(app, client)]
    for thief in thieves:
        assert thief.get("/orders").status_code == 200
    end(world, client)
    alone = thieves[1:] if end is sign_out else thieves[:1]
    for thief in alone:
        for path in ("/orders", "/account", "/orders/new"):
            assert thief.get(path).location.startswith("/login"), path
        assert thief.post("/account/theme", data={"theme": "night"}).status_code in (303, 400)


def test_a_cookie_planted_before_sign_in_is_worth_nothing_after(app: Flask, world: World) -> None:
    """Fixation, at each of the two steps: what the attacker planted never becomes signed in."""
    attacker = app.test_client()
    attacker.get("/login")
    victim = thief_with(app, attacker)
    given = {"email": world.person("officer").email, "password": PASSWORD}
    assert submit(victim, "/login", given).location == "/login/code"
    assert attacker.get("/login/code").location.startswith("/login"), "not even half way in"
    planted = thief_with(app, victim)
    code = {"code": world.unused_code("officer")}
    assert submit(victim, "/login/code", code).status_code == 303
    assert victim.get("/account").status_code == 200
    for other in (attacker, planted):
        assert other.get("/account").location.startswith("/login")
        assert other.get("/login/code").location.startswith("/login")


def test_a_code_is_worth_nothing_again_nor_after_another(app: Flask, world: World) -> None:
    """A; A again; B; then A once more, which is still within the window of one step."""
    someone = world.person("officer")
    world.clock.set(world.now.replace(second=0))
    first = totp.current_code(someone.totp_secret, world.now)
    second = totp.current_code(someone.totp_secret, world.now + timedelta(seconds=30))

    def use(code: str) -> int:
        client = app.test_client()
        submit(client, "/login", {"email": someone.email, "password": PASSWORD})
        return submit(client, "/login/code", {"code": code}).status_code

    assert use(first) == 303
    assert use(first) == 401
    world.clock.move(seconds=30)
    assert use(second) == 303
    assert use(first) == 401
    assert use(second) == 401


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 303), (0, 303), (1, 303), (2, 401)])
def test_a_code_counts_one_step_around_now(
    app: Flask, world: World, steps: int, status: int
) -> None:
    someone = world.person("officer")
    client = app.test_client()
    submit(client, "/login", {"email": someone.email, "password": PASSWORD})
    code = totp.current_code(someone.totp_secret, world.now + timedelta(seconds=30 * steps))
    assert submit(client, "/login/code", {"code": code}).status_code == status


AWAY = [
    "https://evil.example/",
    "http://evil.example",
    "HTTPS://evil.example",
    "//evil.example",
    "///evil.example",
    "////evil.example/%2e%2e",
    "/\\evil.example",
    "/\\/evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    " https://evil.example",
    "/ /evil.example",
    "\x00//evil.example",
    "/\x0b/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "ftp://evil.example",
    "evil.example",
    "@evil.example",
    "?next=//evil.example",
    "#//evil.example",
    "http://localhost@evil.example/",
    "http://localhost.evil.example/",
]


@pytest.mark.parametrize("target", AWAY)
def test_no_next_leads_out_of_the_portal(app: Flask, world: World, target: str) -> None:
    client = app.test_client()
    given = {"email": world.person("officer").email, "password": PASSWORD, "next": target}
    first = submit(client, "/login", given)
    assert first.location == "/login/code"
    code = {"code": world.unused_code("officer"), "next": target}
    places = [submit(client, "/login/code", code).location]
    places.append(client.get("/login", query_string={"next": target}).location)
    places.append(client.get("/account/fresh", query_string={"next": target}).location)
    theme = {"theme": "night", "next": target}
    places.append(submit(client, "/account", theme, to="/account/theme").location)
    world.clock.move(minutes=6)
    fresh = {"csrf_token": csrf_token(client.get("/account"))}
    fresh["code"] = world.unused_code("officer")
    stepped = client.post("/account/fresh", query_string={"next": target}, data=fresh)
    places.append(stepped.location)
    assert places == ["/", "/orders", "/orders", "/account", "/orders"]


def test_a_next_within_the_portal_is_followed(app: Flask, world: World) -> None:
    client = app.test_client()
    world.sign_in(client, "officer")
    for target in ("/orders?q=a//b", "/providers", "/orders/x/edit?kept=1&y=https://a.example"):
        assert client.get("/login", query_string={"next": target}).location == target


# Forged forms: every POST of the portal, sent by somebody who may, without the token.


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory, templates: Templates, vault: Vault
) -> Iterator[Stage]:
    """The matrix's stage, with the check against forgery switched on as it is in earnest."""
    home = tmp_path_factory.mktemp("forged")
    url = templates.copy("sqlite", home, peopled=True)
    clock = MovableClock()
    database = Database(url)
    world = World(database, clock, vault, templates.register_in("sqlite"))
    app = create_app(settings_of(url, home), clock)
    app.testing = True
    yield matrix_stage.build(app, world, Path(url.removeprefix("sqlite:///")))
    app.extensions["liaison"].database.close()
    database.close()


OF_PROGRAMS = ("/api/v1", "/gateway/", "/canary/")
"""No browser sends there and no cookie counts: a key, a signature or a token does."""

FORMS = [
    row for row in ROWS.values() if row.method == "POST" and not row.rule.startswith(OF_PROGRAMS)
]


def everything(path: Path) -> str:
    """All that stands in the database, as a fingerprint."""
    with sqlite3.connect(path) as connection:
        text = "\n".join(connection.iterdump())
    connection.close()
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("row", FORMS, ids=lambda row: row.rule)
def test_a_forged_form_changes_nothing(stage: Stage, row: Row) -> None:
    before = everything(stage.path)
    tried = 0
    for asker in stage.askers:
        if asker.column != "anonymous" and row.cells[asker.column][0] not in "ol":
            continue
        address = stage.address(row.rule, row.names, asker.organisation, asker.column)
        for token in ({}, {"csrf_token": ""}, {"csrf_token": "ImFiYyI.aaaa.bbbb"}):
            client = stage.app.test_client()
            if asker.cookie:
                client.set_cookie("liaison", asker.cookie)
            sent = {"theme": "night", "reason": "forged", "next": "/", **token}
            answer = client.post(address, data=sent)
            assert answer.status_code == 400, f"{asker} at {address}: {answer.status_code}"
            tried += 1
    assert tried >= 3
    assert everything(stage.path) == before
