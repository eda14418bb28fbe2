"""The limit on a key's requests, as its program meets it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from liaison import create_app
from liaison.api.blueprint import Waiting
from liaison.settings import Settings
from tests.api.program import Program, held, slug
from tests.api.test_access import key
from tests.world import MovableClock, World

pytestmark = pytest.mark.one_database


@pytest.fixture
def limited(settings: Settings, clock: MovableClock) -> Iterator[Flask]:
    """The application with three requests a minute for each key."""
    made = create_app(replace(settings, rate_limit=3), clock)
    made.testing = True
    yield made
    made.extensions["liaison"].database.close()


def test_a_program_gone_wild_is_told_to_wait_and_holds_up_nobody_else(
    limited: Flask, world: World, clock: MovableClock
) -> None:
    client = limited.test_client()
    meridian, norvik = (
        Program(client, world.bearer()),
        Program(client, world.bearer("Norvik Mobile")),
    )
    naps: list[float] = []
    limited.extensions["liaison_waiting"] = Waiting(hook=naps.append)
    answers = [meridian.get("/whoami"), meridian.get("/events?wait=10"), meridian.get("/orders")]
    assert [a.status_code for a in answers] == [200, 200, 200]
    assert len(naps) == 20, "a poll that waits counts once, however often it looks"
    assert {a.headers["RateLimit-Policy"] for a in answers} == {'"key";q=3;w=60'}
    assert [a.headers["RateLimit"] for a in answers] == [f'"key";r={n};t=20' for n in (2, 1, 0)]
    assert not any(name.startswith("X-RateLimit") for name, _ in answers[0].headers)
    refused = meridian.get("/events")
    assert (refused.status_code, slug(refused)) == (429, "rate-limited")
    assert refused.headers["Retry-After"] == "20"
    assert refused.headers["RateLimit"] == '"key";r=0;t=20'
    assert "3 a minute" in refused.get_json()["detail"]
    assert norvik.get("/whoami").headers["RateLimit"] == '"key";r=2;t=20'
    clock.move(seconds=20)
    assert meridian.get("/whoami").status_code == 200
    assert meridian.get("/whoami").status_code == 429


def test_a_key_that_may_not_is_counted_and_a_stranger_is_not(limited: Flask, world: World) -> None:
    reader, client = key(world, "read"), limited.test_client()
    reader.client = client
    for left in (2, 1, 0, 0):
        refused = reader.post("/orders/any/acknowledgement", {})
        assert refused.status_code == 403
        assert refused.headers["RateLimit"].startswith(f'"key";r={left};')
    assert reader.get("/whoami").status_code == 429
    for header in ({}, {"Authorization": "Bearer lsn_" + "x" * 43}):
        answer = held(client.get("/api/v1/whoami", headers=header))
        assert answer.status_code == 401
        assert "RateLimit" not in answer.headers
    assert len(limited.extensions["liaison_rates"]) == 1
    assert "RateLimit" not in client.get("/api/v1/openapi.json").headers


def test_without_a_limit_nothing_is_counted(program: Program) -> None:
    answer = program.get("/whoami")
    assert answer.status_code == 200
    assert not {"RateLimit", "RateLimit-Policy"} & {name for name, _ in answer.headers}
