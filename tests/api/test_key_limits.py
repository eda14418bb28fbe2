"""What a key's networks, its end and its revocation do to a program at work."""

from __future__ import annotations

from uuid import UUID

import pytest
import structlog
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from liaison.api.blueprint import Waiting
from liaison.models import ApiKey
from liaison.services import keyring, keys
from tests.api.program import Program, held, slug
from tests.world import MovableClock, World

HOME = {"REMOTE_ADDR": "198.51.100.20"}


def made(world: World, *networks: str, days: int = 365) -> tuple[UUID, dict[str, str]]:
    wanted = keyring.Wanted("Probe", ["read", "respond"], networks, days)
    with world.database.transaction() as session:
        row, shown = keyring.make(session, world.actor("provider_administrator"), wanted, world.now)
        return row.id, {"Authorization": f"Bearer {shown}"}


def revoke(world: World, key_id: UUID) -> None:
    with world.database.transaction() as session:
        actor = world.actor("provider_administrator")
        keyring.revoke(session, actor, key_id, "Stolen", world.now)


def row_of(world: World, key_id: UUID) -> ApiKey:
    with world.database.reading() as session:
        return session.get_one(ApiKey, key_id)


def test_a_key_from_elsewhere_is_refused_in_clear_words(app: Flask, world: World) -> None:
    _, header = made(world, "198.51.100.0/24")
    client = app.test_client()
    inside = held(client.get("/api/v1/whoami", headers=header, environ_base=HOME))
    assert inside.status_code == 200
    outside = held(
        client.get("/api/v1/whoami", headers=header, environ_base={"REMOTE_ADDR": "203.0.113.9"})
    )
    assert (outside.status_code, slug(outside)) == (401, "unauthenticated")
    assert "does not count from 203.0.113.9" in outside.get_json()["detail"]


def test_a_forged_address_helps_nobody(app: Flask, world: World) -> None:
    _, header = made(world, "198.51.100.0/24")
    forged = {**header, "X-Forwarded-For": "198.51.100.20", "X-Real-IP": "198.51.100.20"}
    answer = app.test_client().get(
        "/api/v1/whoami", headers=forged, environ_base={"REMOTE_ADDR": "203.0.113.9"}
    )
    assert held(answer).status_code == 401


def test_a_key_that_is_revoked_while_it_waits_ends_the_wait(app: Flask, world: World) -> None:
    key_id, header = made(world)
    naps: list[float] = []

    def hook(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            revoke(world, key_id)
            world.issue()

    app.extensions["liaison_waiting"] = Waiting(hook=hook)
    answer = held(app.test_client().get("/api/v1/events?wait=25", headers=header))
    assert (answer.status_code, slug(answer)) == (401, "unauthenticated")
    assert "revoked" in answer.get_json()["detail"]
    assert "events" not in answer.get_json()
    assert len(naps) == 3
    places = app.extensions["liaison_waiting"].places
    assert all(places.acquire(blocking=False) for _ in range(8)), "its place was given back"


def test_a_key_that_expires_while_it_waits_ends_the_wait(
    app: Flask, world: World, clock: MovableClock
) -> None:
    _, header = made(world, days=1)
    clock.move(days=1, seconds=-1)
    naps: list[float] = []

    def hook(seconds: float) -> None:
        naps.append(seconds)
        clock.move(seconds=seconds)

    app.extensions["liaison_waiting"] = Waiting(hook=hook)
    answer = held(app.test_client().get("/api/v1/events?wait=25", headers=header))
    assert answer.status_code == 401
    assert len(naps) == 2


def test_polls_note_the_use_once_a_minute(app: Flask, world: World, clock: MovableClock) -> None:
    key_id, header = made(world)
    client = app.test_client()
    writes: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith("UPDATE api_key"):
            writes.append(statement)

    def poll(address: str) -> None:
        where = {"REMOTE_ADDR": address}
        answer = client.get("/api/v1/events", headers=header, environ_base=where)
        assert answer.status_code == 200

    event.listen(app.extensions["liaison"].database.engine, "before_cursor_execute", note)
    for second in range(60):
        poll(f"198.51.100.{second}")
        clock.move(seconds=1)
    assert len(writes) == 1
    assert row_of(world, key_id).last_address == "198.51.100.0"
    poll("198.51.100.99")
    assert len(writes) == 2
    assert row_of(world, key_id).last_address == "198.51.100.99"


@pytest.mark.one_database
def test_a_busy_database_costs_the_note_and_not_the_poll(
    app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_given: object) -> None:
        raise OperationalError("UPDATE api_key", {}, Exception("database is locked"))

    monkeypatch.setattr(keys, "note_use", busy)
    key_id, header = made(world)
    with structlog.testing.capture_logs() as logs:
        answer = app.test_client().get("/api/v1/whoami", headers=header)
    assert answer.status_code == 200
    assert row_of(world, key_id).last_used_at is None
    assert [line["event"] for line in logs if line["log_level"] == "warning"] == [
        "key use not noted"
    ]


def test_a_refused_key_is_no_use(app: Flask, world: World) -> None:
    key_id, header = made(world)
    revoke(world, key_id)
    assert app.test_client().get("/api/v1/whoami", headers=header).status_code == 401
    assert row_of(world, key_id).last_used_at is None


def test_both_keys_answer_while_they_overlap(
    app: Flask, program: Program, world: World, clock: MovableClock
) -> None:
    with world.database.reading() as session:
        provider = world.register.providers["Meridian Telecom"]
        old = session.scalars(select(ApiKey.id).where(ApiKey.provider_id == provider)).one()
    with world.database.transaction() as session:
        actor = world.actor("provider_administrator")
        _, shown = keyring.roll(session, actor, old, 1, world.now)
    new = Program(app.test_client(), {"Authorization": f"Bearer {shown}"})
    assert program.get("/whoami").status_code == new.get("/whoami").status_code == 200
    clock.move(days=1)
    assert (program.get("/whoami").status_code, new.get("/whoami").status_code) == (401, 200)
