"""What a program reads of an emergency that was issued on one person's word."""

from __future__ import annotations

from flask.testing import FlaskClient

from tests.world import World


def test_a_program_sees_whether_an_emergency_is_ratified(world: World, client: FlaskClient) -> None:
    order, head = world.issue(), world.bearer()
    seen = client.get(f"/api/v1/orders/{order.ref}", headers=head)
    assert seen.get_json()["ratified"] is False
    assert seen.get_json()["ratify_by"] == "2026-11-24T00:00:00Z"
    tag = seen.headers["ETag"]
    world.ratify(order)
    again = client.get(f"/api/v1/orders/{order.ref}", headers=head)
    assert again.get_json()["ratified"] is True
    assert again.headers["ETag"] != tag
    told = client.get("/api/v1/events", headers=head).get_json()["events"]
    (ratified,) = [e for e in told if e["type"] == "order.ratified"]
    assert ratified["data"]["late"] is False
    assert "via" not in ratified["data"], "with what the officer signed is the contact point's own"


def test_what_two_people_authorised_needs_none(world: World, client: FlaskClient) -> None:
    order, head = world.issue("03-cgnat-fraud-routine.json"), world.bearer()
    provider = "Norvik Mobile" if order.provider.name == "Norvik Mobile" else order.provider.name
    seen = client.get(f"/api/v1/orders/{order.ref}", headers=world.bearer(provider) or head)
    assert (seen.get_json()["ratified"], seen.get_json()["ratify_by"]) == (None, None)


def test_submitted_orders_are_unknown_to_the_provider(world: World, client: FlaskClient) -> None:
    order = world.submit(world.draft())
    head = world.bearer()
    assert client.get(f"/api/v1/orders/{order.id}", headers=head).status_code == 404
    assert client.get("/api/v1/orders", headers=head).get_json()["orders"] == []
    assert client.get("/api/v1/events", headers=head).get_json()["events"] == []
