"""The pages of API keys: who sees and keeps them, and that a key is shown once."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, select
from uuid6 import uuid7
from werkzeug.test import TestResponse

from liaison.models import ApiKey
from liaison.services import keyring, keys
from tests.portal.filled import SignedIn
from tests.world import World, csrf_token, submit

ADMIN = "provider_administrator"
FORM = {"name": "Night shift", "scopes": ["read"], "networks": "", "days": "60"}


def made(world: World, name: str = "Probe", *, by: str = ADMIN) -> UUID:
    with world.database.transaction() as session:
        wanted = keyring.Wanted(name, ["read"])
        return keyring.make(session, world.actor(by), wanted, world.now)[0].id


def of(world: World, provider: str) -> UUID:
    with world.database.reading() as session:
        provider_id = world.register.providers[provider]
        return session.scalars(select(ApiKey.id).where(ApiKey.provider_id == provider_id)).one()


def number(world: World) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(ApiKey)) or 0


def row_of(world: World, key_id: UUID) -> ApiKey:
    with world.database.reading() as session:
        return session.get_one(ApiKey, key_id)


def shown_in(page: TestResponse) -> str:
    found = re.search(r'id="key" value="(lsn_[\w-]+)"', page.text)
    assert found is not None, "the page shows no key"
    return found.group(1)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


def test_a_key_is_shown_once_and_works(app: Flask, signed_in: SignedIn, world: World) -> None:
    browser = signed_in(ADMIN)
    page = submit(browser, "/api-keys/new", FORM)
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    key = shown_in(page)
    answer = app.test_client().get("/api/v1/whoami", headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 200
    assert f"export LIAISON_KEY={key}" in page.text
    assert "http://localhost/api/v1/whoami" in page.text
    for path in ("/api-keys", "/api-keys/new", "/portal-log"):
        assert key not in browser.get(path).text
    listed = words(browser.get("/api-keys").text)
    assert f"Night shift {key[:12]}… In force read anywhere" in listed
    assert "22 Jan 2027" in listed


def test_a_reload_makes_no_second_key_and_shows_none(signed_in: SignedIn, world: World) -> None:
    browser = signed_in(ADMIN)
    token = csrf_token(browser.get("/api-keys/new"))
    first = browser.post("/api-keys/new", data={"csrf_token": token, **FORM})
    before = number(world)
    again = browser.post("/api-keys/new", data={"csrf_token": token, **FORM})
    assert again.status_code == 422
    assert "counts already" in again.text
    assert shown_in(first) not in again.text
    assert number(world) == before


def test_a_roll_shows_the_successor_once(app: Flask, signed_in: SignedIn, world: World) -> None:
    key_id, browser = made(world), signed_in(ADMIN)
    path = f"/api-keys/{key_id}/roll"
    token = csrf_token(browser.get(path))
    page = browser.post(path, data={"csrf_token": token, "overlap": "2"})
    key = shown_in(page)
    assert "counts until" in words(page.text)
    assert row_of(world, key_id).expires_at == world.now + timedelta(days=2)
    again = browser.post(path, data={"csrf_token": token, "overlap": "2"})
    assert again.status_code == 409
    assert key not in again.text
    assert "Rolled over" in words(browser.get("/api-keys").text)


def test_a_revocation_asks_why_and_takes_effect(
    app: Flask, signed_in: SignedIn, world: World
) -> None:
    key_id, browser = of(world, "Meridian Telecom"), signed_in(ADMIN)
    path = f"/api-keys/{key_id}/revoke"
    without = submit(browser, path, {"reason": ""})
    assert without.status_code == 422
    assert "Say why" in without.text
    assert row_of(world, key_id).revoked_at is None
    done = submit(browser, path, {"reason": "Left on a bus"})
    assert (done.status_code, done.location) == (303, "/api-keys")
    answer = app.test_client().get("/api/v1/whoami", headers=world.bearer())
    assert answer.status_code == 401
    assert "Revoked" in words(browser.get("/api-keys").text)
    assert browser.get(path).status_code in (200, 409)
    assert submit(browser, f"/api-keys/{made(world)}/revoke", {"reason": "x"}).status_code == 303


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"name": ""}, "Name the program"),
        ({"scopes": []}, "Choose what the key may do"),
        ({"scopes": ["write"]}, "Choose what the key may do"),
        ({"days": "0"}, "Enter 1 to 730 days"),
        ({"days": "soon"}, "Enter 1 to 730 days"),
        ({"networks": "198.51.100.0/24\nour office"}, "“our office” is no address"),
        ({"networks": "<script>alert(1)</script>"}, "&lt;script&gt;"),
    ],
)
def test_a_fault_stands_at_its_field_and_nothing_is_made(
    signed_in: SignedIn, world: World, fields: dict[str, object], said: str
) -> None:
    before, browser = number(world), signed_in(ADMIN)
    page = submit(browser, "/api-keys/new", {**FORM, **fields})
    assert page.status_code == 422
    assert said in page.text
    assert "<script>alert" not in page.text
    assert number(world) == before


def test_networks_are_read_line_by_line(signed_in: SignedIn, world: World) -> None:
    browser = signed_in(ADMIN)
    fields = {**FORM, "networks": " 198.51.100.7/24 \r\n\r\n2001:db8::/32, 192.0.2.1\n"}
    page = submit(browser, "/api-keys/new", fields)
    assert "198.51.100.0/24, 2001:db8::/32, 192.0.2.1/32" in page.text


def test_a_spoc_reads_the_list_and_keeps_nothing(signed_in: SignedIn, world: World) -> None:
    key_id, browser = of(world, "Meridian Telecom"), signed_in("spoc")
    page = browser.get("/api-keys")
    assert page.status_code == 200
    assert "Case system" in page.text
    for link in ("/api-keys/new", "/roll", "/revoke"):
        assert link not in page.text.partition("<main")[2]
    for path in ("/api-keys/new", f"/api-keys/{key_id}/roll", f"/api-keys/{key_id}/revoke"):
        assert browser.get(path).status_code == 403
        token = csrf_token(browser.get("/account"))
        fields = {"csrf_token": token, "reason": "x", "overlap": "7", **FORM}
        assert browser.post(path, data=fields).status_code == 403
    assert row_of(world, key_id).revoked_at is None


@pytest.mark.parametrize("who", ["officer", "supervisor", "auditor"])
def test_of_the_contact_point_only_administrators_see_keys(signed_in: SignedIn, who: str) -> None:
    browser = signed_in(who)
    assert browser.get("/api-keys").status_code == 403
    assert "API keys" not in browser.get("/account").text


@pytest.mark.parametrize("act", ["roll", "revoke"])
def test_anothers_key_and_an_absent_one_are_answered_alike(
    signed_in: SignedIn, world: World, act: str
) -> None:
    theirs, browser = of(world, "Norvik Mobile"), signed_in(ADMIN)
    said = []
    for key_id in (theirs, uuid7()):
        page = browser.get(f"/api-keys/{key_id}/{act}")
        token = csrf_token(browser.get("/account"))
        fields = {"csrf_token": token, "reason": "x", "overlap": "7"}
        sent = browser.post(f"/api-keys/{key_id}/{act}", data=fields)
        assert page.status_code == sent.status_code == 404
        said.append([neutral(page, key_id), neutral(sent, key_id)])
    assert said[0] == said[1]
    assert row_of(world, theirs).revoked_at is None
    listed = browser.get("/api-keys").text
    assert row_of(world, of(world, "Meridian Telecom")).prefix in listed
    assert row_of(world, theirs).prefix not in listed


def neutral(page: TestResponse, key_id: UUID) -> str:
    text = page.text.replace(page.headers["X-Request-Id"], "").replace(str(key_id), "")
    return re.sub(r'name="csrf_token" value="[^"]+"', "", text)


def test_without_a_fresh_factor_the_pages_ask_for_one(signed_in: SignedIn, world: World) -> None:
    key_id, browser = made(world), signed_in(ADMIN)
    token = csrf_token(browser.get("/account"))
    world.clock.move(minutes=5, seconds=1)
    for path in ("/api-keys/new", f"/api-keys/{key_id}/roll", f"/api-keys/{key_id}/revoke"):
        fields = {"csrf_token": token, "reason": "x", "overlap": "7", **FORM}
        for answer in (browser.get(path), browser.post(path, data=fields)):
            assert answer.status_code == 303
            assert answer.location.startswith("/account/fresh?")
    assert browser.get("/api-keys").status_code == 200
    assert row_of(world, key_id).revoked_at is None
    assert row_of(world, key_id).successor_id is None


def test_last_use_is_shown(app: Flask, signed_in: SignedIn, world: World) -> None:
    app.test_client().get("/api/v1/whoami", headers=world.bearer())
    world.clock.move(minutes=3)
    listed = words(signed_in("spoc").get("/api-keys").text)
    assert "3 min ago 127.0.0.1" in listed


def test_the_list_asks_the_database_as_often_for_many_keys(
    app: Flask, signed_in: SignedIn, world: World
) -> None:
    browser = signed_in(ADMIN)
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    event.listen(app.extensions["liaison"].database.engine, "before_cursor_execute", note)
    counts = []
    for names in (["a"], [f"many {n}" for n in range(12)]):
        for name in names:
            made(world, name)
        asked.clear()
        assert browser.get("/api-keys").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_form_without_its_token_does_nothing(signed_in: SignedIn, world: World) -> None:
    key_id, browser = made(world), signed_in(ADMIN)
    before = number(world)
    assert browser.post("/api-keys/new", data=FORM).status_code in (303, 400)
    for act in ("roll", "revoke"):
        browser.post(f"/api-keys/{key_id}/{act}", data={"reason": "x", "overlap": "7"})
    assert number(world) == before
    assert row_of(world, key_id).revoked_at is None


def test_nobody_sees_keys_without_signing_in(client: FlaskClient, world: World) -> None:
    for path in ("/api-keys", "/api-keys/new", f"/api-keys/{of(world, 'Norvik Mobile')}/roll"):
        assert client.get(path).location.startswith("/login?next=/api-keys")


@pytest.mark.parametrize(("who", "seen"), [(ADMIN, True), ("spoc", True), ("officer", False)])
def test_the_menu_shows_keys_to_whom_they_belong(signed_in: SignedIn, who: str, seen: bool) -> None:
    assert ('href="/api-keys"' in signed_in(who).get("/account").text) is seen


@pytest.mark.one_database
def test_every_scope_of_a_key_is_offered_and_explained() -> None:
    from liaison.portal.keys import MEANING, SCOPES

    assert tuple(choice.value for choice in SCOPES) == keys.SCOPES
    assert set(MEANING) == set(keys.SCOPES)
