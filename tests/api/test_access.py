"""Keys: missing, wrong, expired, revoked; scopes; a limit on failed tries."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from liaison.api.access import FAILURES
from liaison.models import ApiKey, Provider
from liaison.services import keys
from tests.api.program import Program, held, slug
from tests.world import MovableClock, World


def key(world: World, *scopes: str, days: int | None = None, revoked: bool = False) -> Program:
    """A program with a key of its own; its client is set by the test."""
    with world.database.transaction() as session:
        provider = session.get_one(Provider, world.register.providers["Meridian Telecom"])
        end = world.now + timedelta(days=days) if days else None
        row, shown = keys.make_key(session, provider, "Test", scopes, world.now, expires_at=end)
        row.revoked_at = world.now if revoked else None
    return Program(None, {"Authorization": f"Bearer {shown}"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer lsn_",
        "Bearer lsn_" + "x" * 43,
        "Bearer something",
        "Basic bHNuXzp4",
        "lsn_x",
        "Bearer lsn_é",
        "Bearer " + "x" * 8000,
    ],
)
@pytest.mark.one_database
def test_without_a_good_key(app: Flask, world: World, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for path in ("/events", "/orders", "/whoami", "/orders/CP-2026-0001"):
        answer = held(app.test_client().get(f"/api/v1{path}", headers=headers))
        assert (answer.status_code, slug(answer)) == (401, "unauthenticated")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_key(app: Flask, world: World) -> None:
    program = key(world, "read", revoked=True)
    program.client = app.test_client()
    answer = program.get("/whoami")
    assert answer.status_code == 401
    assert "revoked" in answer.get_json()["detail"]


def test_a_key_ends_at_its_moment(app: Flask, world: World, clock: MovableClock) -> None:
    program = key(world, "read", days=1)
    program.client = app.test_client()
    assert program.get("/whoami").get_json()["expires_at"] == "2026-11-24T12:00:00Z"
    clock.move(days=1, seconds=-1)
    assert program.get("/whoami").status_code == 200
    clock.move(seconds=1)
    assert program.get("/whoami").status_code == 401


def test_scopes(app: Flask, world: World) -> None:
    order = world.issue()
    reader, responder = key(world, "read"), key(world, "respond")
    reader.client = responder.client = app.test_client()
    acknowledgement = f"/orders/{order.ref}/acknowledgement"
    assert reader.get(f"/orders/{order.ref}").status_code == 200
    refused = reader.post(acknowledgement, {})
    assert (refused.status_code, slug(refused)) == (403, "forbidden")
    for path in ("/events", "/orders", f"/orders/{order.ref}", "/whoami"):
        assert responder.get(path).status_code == 403
    assert responder.post(acknowledgement, {}).status_code == 200
    # The scope is asked before anything else: a reader learns nothing by posting.
    assert reader.post("/orders/nothing/refusal", {"x": 1}).status_code == 403


def test_failed_tries_are_limited_and_hold_up_nobody_else(
    app: Flask, program: Program, world: World, clock: MovableClock
) -> None:
    def wrong(address: str = "127.0.0.1") -> TestResponse:
        return held(
            app.test_client().get(
                "/api/v1/whoami",
                headers={"Authorization": "Bearer lsn_wrong"},
                environ_base={"REMOTE_ADDR": address},
            )
        )

    assert {wrong().status_code for _ in range(FAILURES)} == {401}
    limited = wrong()
    assert (limited.status_code, slug(limited)) == (429, "rate-limited")
    assert 0 < int(limited.headers["Retry-After"]) <= 60
    assert wrong("198.51.100.9").status_code == 401
    assert program.get("/whoami").status_code == 200
    clock.move(minutes=1, seconds=1)
    assert wrong().status_code == 401


def test_the_act_is_the_keys(program: Program, world: World) -> None:
    order = world.issue()
    program.post(f"/orders/{order.ref}/acknowledgement", {})
    entry = program.events()[-1]
    with world.database.reading() as session:
        row = session.get_one(ApiKey, UUID(entry["actor"].partition(":")[2]))
    assert entry["data"]["by"] == {"name": row.name, "organisation": "Meridian Telecom"}
    assert entry["data"]["via"]["factor"] == "api-key"
