"""Signing in and out, and one's own account, through the pages."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from liaison import create_app
from liaison.models import Person, SignIn
from liaison.settings import Env, Settings
from tests.register import PASSWORD
from tests.world import MovableClock, World, csrf_token, submit

BOTH = ["Providers", "Contacts", "Memoranda", "Drills", "Duty"]
"""What both sides read of the register; a provider reads no list of providers."""

OURS = [*BOTH[:-1], "Figures", BOTH[-1]]

WRONG = "E-mail address or password is wrong."


def give_password(client: FlaskClient, world: World, who: str = "officer") -> None:
    submit(client, "/login", {"email": world.person(who).email, "password": PASSWORD})


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("who", "home", "menu"),
    [
        ("officer", "/orders", ["Orders", "New order", "Calls", "Requests", "Hand-over", *OURS]),
        (
            "supervisor",
            "/orders",
            ["Orders", "New order", "Calls", "Requests", "Hand-over", *OURS, "People"],
        ),
        (
            "auditor",
            "/orders",
            ["Orders", "Calls", "Requests", "Hand-over", *OURS, "People", "Portal log"],
        ),
        (
            "administrator",
            "/providers",
            [
                "Providers",
                "Authorities",
                "Contacts",
                "Memoranda",
                "Duty",
                "People",
                "Rules",
                "API keys",
            ],
        ),
        ("spoc", "/orders", ["Orders", *BOTH[1:], "API keys", "Webhooks"]),
        ("provider_administrator", "/contacts", [*BOTH[1:], "People", "API keys", "Webhooks"]),
    ],
)
def test_each_role_begins_with_what_it_works_with(
    client: FlaskClient, world: World, who: str, home: str, menu: list[str]
) -> None:
    world.sign_in(client, who)
    assert client.get("/").location == home
    page = client.get(home)
    assert page.status_code == 200
    bar = page.text.partition('aria-label="Main"')[2].partition("</nav>")[0]
    assert [line.partition(">")[2].partition("<")[0].strip() for line in bar.split("<a ")[1:]] == (
        menu
    )
    person = world.person(who)
    assert person.name in page.text
    assert person.organisation in page.text


def test_a_wrong_password_and_an_unknown_account_are_answered_alike(
    client: FlaskClient, world: World
) -> None:
    known = world.person("officer").email
    for email in (known, "nobody@police.example"):
        page = submit(client, "/login", {"email": email, "password": "not the password"})
        assert page.status_code == 401
        assert WRONG in page.text
        assert f'value="{email}"' in page.text, "what was typed is kept"
        assert "not the password" not in page.text, "but not the password"


def test_empty_fields_are_named(client: FlaskClient, world: World) -> None:
    page = submit(client, "/login", {"email": "", "password": ""})
    assert page.status_code == 422
    assert 'href="#email"' in page.text
    assert 'aria-describedby="password-e"' in page.text


def test_too_many_tries_are_counted_and_say_when_to_come_back(
    client: FlaskClient, world: World
) -> None:
    email = world.person("officer").email
    for _ in range(5):
        submit(client, "/login", {"email": email, "password": "a wrong password"})
    page = submit(client, "/login", {"email": email, "password": PASSWORD})
    assert page.status_code == 429
    assert int(page.headers["Retry-After"]) > 0
    assert "Too many tries" in page.text
    world.clock.move(seconds=int(page.headers["Retry-After"]) + 1)
    world.sign_in(client, "officer")


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "orders",
    ],
)
@pytest.mark.one_database
def test_signing_in_never_leads_out_of_the_portal(
    client: FlaskClient, world: World, target: str
) -> None:
    fields = {"email": world.person("spoc").email, "password": PASSWORD, "next": target}
    assert submit(client, "/login", fields).location == "/login/code"
    code = {"code": world.unused_code("spoc"), "next": target}
    assert submit(client, "/login/code", code).location == "/"
    assert client.get("/login", query_string={"next": target}).location == "/orders"


def test_signing_in_leads_to_the_page_that_was_asked_for(client: FlaskClient, world: World) -> None:
    asked = client.get("/account?x=1")
    assert asked.location == "/login?next=/account?x%3D1"
    page = client.get(asked.location)
    fields = {"email": world.person("spoc").email, "password": PASSWORD, "next": "/account?x=1"}
    assert 'name="next" type="hidden" value="/account?x=1"' in page.text
    answer = client.post("/login", data={"csrf_token": csrf_token(page), **fields})
    code = {"code": world.unused_code("spoc"), "next": "/account?x=1"}
    assert submit(client, answer.location, code, to="/login/code").location == "/account?x=1"


def test_the_password_alone_opens_nothing(client: FlaskClient, world: World) -> None:
    assert client.get("/login/code").location == "/login"
    give_password(client, world)
    for path in ("/account", "/providers", "/contacts", "/orders"):
        assert client.get(path).location.startswith("/login"), path
    assert "Sign out" not in client.get("/login/code").text
    page = submit(client, "/login/code", {"code": "000000"})
    assert page.status_code == 401
    assert "000000" not in page.text
    assert client.get("/account").status_code == 303


def test_a_code_counts_once(client: FlaskClient, app: Flask, world: World) -> None:
    code = world.code("officer")
    give_password(client, world)
    assert submit(client, "/login/code", {"code": code}).status_code == 303
    thief = app.test_client()
    give_password(thief, world)
    assert submit(thief, "/login/code", {"code": code}).status_code == 401
    assert thief.get("/account").status_code == 303


def test_a_session_planted_before_sign_in_is_worth_nothing(
    client: FlaskClient, app: Flask, world: World
) -> None:
    give_password(client, world)
    planted = client.get_cookie("liaison")
    assert planted is not None
    assert submit(client, "/login/code", {"code": world.code("officer")}).status_code == 303
    other = app.test_client()
    other.set_cookie("liaison", planted.value)
    assert other.get("/account").status_code == 303
    assert client.get("/account").status_code == 200


def test_signing_out_ends_the_session_in_the_database(
    client: FlaskClient, app: Flask, world: World
) -> None:
    world.sign_in(client, "officer")
    kept = client.get_cookie("liaison")
    assert kept is not None
    assert client.get("/logout").status_code == 405
    answer = submit(client, "/account", {}, to="/logout")
    assert answer.status_code == 303
    assert "You are signed out." in client.get(answer.location).text
    other = app.test_client()
    other.set_cookie("liaison", kept.value)
    assert other.get("/account").status_code == 303
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).where(SignIn.ended_at.is_(None))) == 0


def test_the_account_page_lists_the_sessions_that_run(
    client: FlaskClient, app: Flask, world: World
) -> None:
    phone = app.test_client()
    world.sign_in(phone, "officer")
    world.sign_in(client, "officer")
    page = client.get("/account", headers={"User-Agent": "A browser"})
    assert page.text.count("Werkzeug/") == 2
    assert page.text.count("This one") == 1
    assert "Drafts and issues orders" in page.text
    submit(phone, "/account", {}, to="/logout")
    assert client.get("/account").text.count("Werkzeug/") == 1


def test_the_theme_is_kept_with_the_account(client: FlaskClient, app: Flask, world: World) -> None:
    world.sign_in(client, "officer")
    assert "data-theme" not in client.get("/account").text
    fields = {"theme": "night", "next": "/providers?q=mer"}
    assert submit(client, "/account", fields, to="/account/theme").location == "/providers?q=mer"
    elsewhere = app.test_client()
    world.sign_in(elsewhere, "officer")
    assert 'data-theme="night"' in elsewhere.get("/providers").text
    away = {"theme": "light", "next": "//evil.example"}
    assert submit(client, "/account", away, to="/account/theme").location == "/account"
    assert submit(client, "/account", {"theme": "pink"}, to="/account/theme").status_code == 422
    with world.database.reading() as session:
        assert session.get_one(Person, world.person("officer").id).theme == "light"


@pytest.mark.one_database
def test_a_form_without_its_token_does_nothing(client: FlaskClient, world: World) -> None:
    world.sign_in(client, "officer")
    for path in ("/logout", "/account/theme", "/login", "/login/code"):
        page = client.post(path, data={"theme": "night"})
        assert page.status_code == 400, path
        assert "This form is too old" in page.text
    assert "data-theme" not in client.get("/account").text


@pytest.mark.one_database
def test_every_page_of_a_demo_says_so(
    settings: Settings, clock: MovableClock, world: World, client: FlaskClient
) -> None:
    demo = create_app(replace(settings, env=Env.DEMO), clock).test_client()
    for path in ("/login", "/problems/stale", "/no-such-page"):
        assert "DEMO:" in demo.get(path).text, path
        assert "DEMO:" not in client.get(path).text, path
    demo.application.extensions["liaison"].database.close()
