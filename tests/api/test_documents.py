"""The signed order and its PDF, as a provider's program fetches them."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from liaison import typesetting
from liaison.documents.order_jws import Keys
from liaison.domain.register_entry import plain
from liaison.models import Authority, Order, Provider
from liaison.services import authorities, orders, providers
from tests.api.case_systems import bearer
from tests.api.program import Program
from tests.drills import begin
from tests.world import World

BASE = "/api/v1/orders"


def fetched(client: FlaskClient, world: World, name: str, **headers: str) -> TestResponse:
    """By Meridian's key, as the bytes come."""
    return client.get(f"{BASE}/{name}", headers=world.bearer() | headers)


def test_an_order_is_fetched_signed_and_checked(client: FlaskClient, world: World) -> None:
    order = world.issue()
    answer = fetched(client, world, f"{order.ref}/order.jws")
    assert answer.status_code == 200
    # Fetched is served, and noted once.
    fetched(client, world, f"{order.ref}/order.jws")
    types = [e["type"] for e in Program(client, world.bearer()).events()]
    assert types == ["order.issued", "order.fetched"]
    headers = answer.headers
    assert headers["Content-Type"] == "application/jose"
    assert headers["Content-Disposition"] == f'attachment; filename="{order.ref}.jws"'
    assert headers["Cache-Control"] == "private, no-cache"
    assert "sandbox" in headers["Content-Security-Policy"]
    keys = Keys.from_jwks(client.get("/.well-known/jwks.json").data)
    signed = keys.verify(answer.data)
    documents = fetched(client, world, str(order.ref)).get_json()["documents"]
    assert signed.sha256 == documents["sha256"] == order.sha256
    assert documents["jws"] == f"{BASE}/{order.id}/order.jws"
    assert client.get(documents["jws"], headers=world.bearer()).data == answer.data
    # What happens afterwards is in the order; the signed one stays what it was.
    world.acknowledge(order)
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), order.name, "Found safe.", world.now)
    again = fetched(client, world, f"{order.ref}/order.jws")
    assert again.data == answer.data
    tag = {"If-None-Match": headers["ETag"]}
    assert fetched(client, world, f"{order.ref}/order.jws", **tag).status_code == 304


@pytest.mark.one_database
def test_the_pdf_has_it_attached_or_says_to_take_it(
    client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = world.issue()

    def fallen(*_: object) -> None:
        return None

    with monkeypatch.context() as patch:
        patch.setattr(typesetting, "_set", fallen)
        refused = fetched(client, world, f"{order.ref}/order.pdf")
    assert refused.status_code == 503
    assert refused.mimetype == "application/problem+json"
    assert "Take the signed order" in refused.get_json()["detail"]
    assert refused.headers["Retry-After"] == "60"
    # Nobody has fetched anything so far.
    assert [e["type"] for e in Program(client, world.bearer()).events()] == ["order.issued"]
    head = client.head(f"{BASE}/{order.ref}/order.jws", headers=world.bearer())
    assert head.status_code == 200
    assert [e["type"] for e in Program(client, world.bearer()).events()] == ["order.issued"]
    answer = fetched(client, world, f"{order.ref}/order.pdf")
    assert (answer.status_code, answer.mimetype) == (200, "application/pdf")
    assert answer.data.startswith(b"%PDF-")
    assert f"({order.ref}.jws)".encode() in answer.data
    tag = {"If-None-Match": answer.headers["ETag"]}
    assert fetched(client, world, f"{order.ref}/order.pdf", **tag).status_code == 304


@pytest.mark.one_database
def test_anothers_order_a_draft_and_an_absent_one_are_not_there(
    client: FlaskClient, world: World
) -> None:
    order, draft = world.issue(), world.draft()
    norvik = world.bearer("Norvik Mobile")
    for kind in ("jws", "pdf"):
        answers = [
            client.get(f"{BASE}/{order.ref}/order.{kind}", headers=norvik),
            client.get(f"{BASE}/{draft.id}/order.{kind}", headers=world.bearer()),
            client.get(f"{BASE}/CP-2026-9999/order.{kind}", headers=world.bearer()),
        ]
        assert [a.status_code for a in answers] == [404, 404, 404]
        bodies = [a.get_json() | {"instance": ""} for a in answers]
        assert bodies[0] == bodies[1] == bodies[2]
        assert client.get(f"{BASE}/{order.ref}/order.{kind}").status_code == 401


@pytest.mark.one_database
def test_a_case_system_files_its_own_and_nobody_was_served_by_that(
    client: FlaskClient, world: World
) -> None:
    order, draft = world.issue(), world.draft()
    headers = bearer(world)
    at = f"{BASE.replace('orders', 'authority/orders')}"
    own = client.get(f"{at}/{order.ref}", headers=headers).get_json()["documents"]
    assert own["jws"] == f"{at}/{order.id}/order.jws"
    answer = client.get(own["jws"], headers=headers)
    assert client.get(own["pdf"], headers=headers).data.startswith(b"%PDF-")
    assert world.order(order.name).fetched_at is None
    assert answer.data == fetched(client, world, f"{order.ref}/order.jws").data
    assert client.get(f"{at}/{draft.id}", headers=headers).get_json()["documents"]["pdf"] is None
    for kind in ("jws", "pdf"):
        assert client.get(f"{at}/{draft.id}/order.{kind}", headers=headers).status_code == 409
        strangers = bearer(world, code="NL", maker="foreign_officer", name=kind)
        assert client.get(f"{at}/{order.id}/order.{kind}", headers=strangers).status_code == 404


def test_names_that_the_register_changed_since_stay_as_they_were_served(
    client: FlaskClient, world: World
) -> None:
    order = world.issue()
    before = fetched(client, world, f"{order.ref}/order.jws").data
    for name in ("Meridian Communications", "Meridian"):
        rename(world, name)
    assert fetched(client, world, str(order.ref)).get_json()["provider"]["name"] == "Meridian"
    after = fetched(client, world, f"{order.ref}/order.jws").data
    assert after == before
    signed = Keys.from_jwks(client.get("/.well-known/jwks.json").data).verify(after)
    assert signed.content["provider"]["name"] == "Meridian Telecom"
    # An order that is issued now has the names of now.
    with_new = world.issue(provider="Meridian")
    answer = fetched(client, world, f"{with_new.ref}/order.jws").data
    assert b'"Meridian"' in decoded(answer.split(b".")[1])


def rename(world: World, name: str) -> None:
    """The register calls Meridian and the contact point something else."""
    with world.database.transaction() as session:
        actor = world.actor("administrator")
        row = session.get_one(Provider, world.register.providers["Meridian Telecom"])
        data = plain(providers.entry_of(row)) | {"name": name}
        providers.change_provider(session, actor, row.id, data, providers.version(row), world.now)
        mine = session.get_one(Authority, world.register.authorities["CP"])
        told = plain(authorities.entry_of(mine)) | {"name": f"Contact point of {name}"}
        seen = authorities.version(mine)
        authorities.change_authority(session, actor, mine.id, told, seen, world.now)


def decoded(part: bytes) -> bytes:
    return urlsafe_b64decode(part + b"=" * (-len(part) % 4))


@pytest.mark.one_database
def test_what_was_changed_behind_our_back_is_not_signed(
    app: Flask, client: FlaskClient, world: World
) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        changed = update(Order).where(Order.id == order.id).values(facts="Something else.")
        session.execute(changed)
    app.testing = False
    for kind in ("jws", "pdf"):
        refused = fetched(client, world, f"{order.ref}/order.{kind}")
        assert refused.status_code == 500
        assert "does not match the fingerprint" in refused.get_json()["detail"]


@pytest.mark.one_database
def test_a_drills_says_so(client: FlaskClient, world: World) -> None:
    order = begin(world)
    answer = fetched(client, world, f"{order.ref}/order.jws")
    payload = decoded(answer.data.split(b".")[1])
    assert b'"test":true' in payload
    assert hashlib.sha256(payload).hexdigest() == order.sha256
    assert fetched(client, world, f"{order.ref}/order.pdf").status_code == 200
