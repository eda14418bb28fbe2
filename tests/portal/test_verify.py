"""``/verify``: anybody asks whether an order is real; and the order's own page hands it out."""

from __future__ import annotations

import io
import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from liaison.models import Order
from liaison.services import order_checks, orders
from tests.drills import begin
from tests.portal.filled import SignedIn
from tests.world import World, csrf_token

CASE = ("missing", "Abduction", "198.51.100", "Petrosyan")
"""Words of the case, none of which anybody is told here."""


def asked(client: FlaskClient, file: bytes | None = None, **form: str) -> TestResponse:
    """The form as a browser sends it."""
    given: dict[str, Any] = {"csrf_token": csrf_token(client.get("/verify")), **form}
    if file is not None:
        given["file"] = (io.BytesIO(file), "order.jws")
    return client.post("/verify", data=given, content_type="multipart/form-data")


def signed(app: Flask, world: World, order: Order) -> bytes:
    path = f"/api/v1/orders/{order.ref}/order.jws"
    answer: bytes = app.test_client().get(path, headers=world.bearer()).data
    return answer


@pytest.mark.one_database
def test_a_file_that_is_none_is_refused_at_its_own_field(client: FlaskClient) -> None:
    for page, field in (
        (asked(client, b"%PDF-1.7"), "file"),
        (asked(client, signed="x"), "signed"),
    ):
        assert page.status_code == 422
        assert f'href="#{field}"' in page.text


def withdraw(world: World, order: Order) -> None:
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), order.name, "Found safe.", world.now)


@pytest.mark.one_database
def test_whoever_has_the_signed_order_is_told_whether_it_stands(
    app: Flask, client: FlaskClient, world: World
) -> None:
    order = world.issue()
    text = signed(app, world, order)
    for page in (asked(client, text), asked(client, signed=text.decode())):
        assert page.status_code == 200
        for words in (
            "Yes, this order was served",
            str(order.ref),
            "Meridian Telecom",
            "It stands",
        ):
            assert words in page.text
        assert "has not ratified" in page.text
        assert "12:00:00 UTC" in page.text
        assert not [word for word in CASE if word in page.text]
        assert page.headers["Cache-Control"] == "no-store"
    world.ratify(order)
    assert "ratified" not in asked(client, text).text
    withdraw(world, order)
    page = asked(client, text)
    assert "<strong>Withdrawn</strong> on 23 Nov 2026" in page.text
    assert "It stands" not in page.text
    assert "Found safe" not in page.text
    drill = signed(app, world, begin(world))
    assert "A drill, not an order" in asked(client, drill).text


@pytest.mark.one_database
def test_an_outsider_with_a_ref_learns_nothing(
    app: Flask, client: FlaskClient, world: World
) -> None:
    order, draft = world.issue(), world.draft()
    assert order.sha256 is not None
    wrong = [
        asked(client, ref=str(order.ref), sha256="0" * 64),
        asked(client, ref="CP-2026-9999", sha256="0" * 64),
        asked(client, ref="CP-2026-9999", sha256=order.sha256),
        asked(client, ref=str(draft.id), sha256="0" * 64),
    ]
    assert f'value="{order.ref}"' in wrong[0].text, "who mistyped it finds it again"
    pages = {page.text.partition("<main")[2].partition("<form")[0] for page in wrong}
    assert len(pages) == 1
    assert "No order has this ref and this fingerprint" in pages.pop()
    for form in ({"ref": str(order.ref)}, {"sha256": order.sha256}, {}, {"signed": str(order.ref)}):
        page = asked(client, None, **form)
        assert page.status_code == 422
        assert "National" not in page.text
    # With both, as they stand on paper, and as people copy them: not to whom it went.
    paper = f"SHA-256 {order.sha256[:32]}\n{order.sha256[32:].upper()}"
    page = asked(client, ref=str(order.ref).lower(), sha256=paper)
    assert "Yes, this order was served" in page.text
    assert "not that the paper before you is it" in page.text
    assert not [word for word in ("Meridian", *CASE) if word in page.text]


@pytest.mark.one_database
def test_a_forged_order_is_called_so(app: Flask, client: FlaskClient, world: World) -> None:
    order, other = world.issue(), world.issue()
    header, payload, signature = signed(app, world, order).split(b".")
    second = signed(app, world, other).split(b".")
    mixed = b".".join([header, second[1], signature])
    changed = b".".join([header, payload[:-4] + b"AAAA", signature])
    none = urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).rstrip(b"=")
    for text in (mixed, changed, none + b"." + payload + b"."):
        page = asked(client, text)
        assert "No: it was not signed here" in page.text
        assert "Do not act on it" in page.text
        assert "Yes" not in page.text
    # What somebody signs who stole our key was never served, and is not called real.
    signer = app.extensions["liaison"].signer
    content = json.loads(
        app.test_client().get(f"/api/v1/orders/{order.ref}", headers=world.bearer()).data
    )
    for forged in (content | {"facts": "Another."}, content | {"id": str(world.draft().id)}):
        page = asked(client, signer.sign(forged).encode())
        assert "no such order is known here" in page.text


def test_whoever_asks_too_often_waits_and_others_do_not(
    app: Flask, client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(order_checks, "TRIES", 2)
    order = world.issue()
    assert asked(client, ref=str(order.ref), sha256="0" * 64).status_code == 200
    assert asked(client, signed="none").status_code == 422  # that try counts, too
    refused = asked(client, ref=str(order.ref), sha256=str(order.sha256))
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) <= 60
    elsewhere = app.test_client()
    elsewhere.environ_base = {**elsewhere.environ_base, "REMOTE_ADDR": "203.0.113.9"}
    assert "Yes" in asked(elsewhere, ref=str(order.ref), sha256=str(order.sha256)).text
    world.clock.move(minutes=2)
    assert "Yes" in asked(client, ref=str(order.ref), sha256=str(order.sha256)).text


@pytest.mark.one_database
def test_a_stranger_needs_a_form_token_and_sends_no_flood(
    client: FlaskClient, world: World
) -> None:
    assert client.post("/verify", data={"ref": "x"}).status_code == 400
    flood, kind = b"signed=" + b"x" * (8 * 1024 * 1024), "application/x-www-form-urlencoded"
    assert client.post("/verify", data=flood, content_type=kind).status_code == 413
    assert asked(client, ref="x\x00", sha256="0" * 64).status_code == 422
    page = asked(client, signed="<script>alert(1)</script>", ref='"><b>')
    assert page.status_code == 422
    assert "<script>alert" not in page.text
    assert "<b>" not in page.text.partition("<form")[2]


@pytest.mark.one_database
def test_both_sides_save_it_from_the_orders_page(world: World, signed_in: SignedIn) -> None:
    order, draft = world.issue(), world.draft()
    officer, spoc = signed_in("officer"), signed_in("spoc")
    first = officer.get(f"/orders/{order.ref}/order.jws").data
    assert world.order(order.name).fetched_at is None
    assert spoc.get(f"/orders/{order.ref}/order.jws").data == first
    assert world.order(order.name).fetched_at == world.now, "whoever saves it has been served"
    for browser in (officer, spoc):
        page = browser.get(f"/orders/{order.ref}").text
        assert f'href="/orders/{order.ref}/order.jws"' in page
        assert f'href="/orders/{order.ref}/order.pdf"' in page
    assert officer.get(f"/orders/{order.ref}/order.pdf").data.startswith(b"%PDF-")
    for kind in ("jws", "pdf"):
        assert officer.get(f"/orders/{draft.id}/order.{kind}").status_code == 409
        assert spoc.get(f"/orders/{draft.id}/order.{kind}").status_code == 404
    assert "order.jws" not in officer.get(f"/orders/{draft.id}").text
