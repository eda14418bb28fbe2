"""``/metrics``: what it tells, to whom, and at what cost; and the bar above the pages."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, text, update

from liaison import create_app
from liaison.errors import SettingsError
from liaison.models import Database, Message, Timer
from liaison.models.work import MessageState
from liaison.queries import watching
from liaison.services import housekeeping
from liaison.settings import Settings
from liaison.worker import Work, run_once
from tests.mail import RecordingSender
from tests.world import MovableClock, World

TOKEN = "a token that nobody guesses, of 40 chars"


def read(client: FlaskClient, **headers: str) -> dict[str, float]:
    """Every number by its name, labels behind it."""
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    return {
        sample.name.removeprefix("liaison_") + "".join(f":{v}" for v in sample.labels.values()): (
            sample.value
        )
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.fixture
def work(settings: Settings, world: World, database: Database, sender: RecordingSender) -> Work:
    return Work(settings, database, world.clock, sender, name="worker-1")


def test_the_numbers_follow_the_work(
    client: FlaskClient, world: World, work: Work, database: Database
) -> None:
    found = read(client)
    assert found["schema_current"] == 1
    assert math.isnan(found["heartbeat_age_seconds"])
    assert found["workers"] == 0
    order = world.issue()
    world.clock.move(minutes=3)
    assert read(client)["timer_lag_seconds"] == 180
    for worker in ("one", "two"):
        with database.transaction() as session:
            housekeeping.beat(session, worker, world.now)
    world.clock.move(seconds=20)
    run_once(work)
    found = read(client)
    assert found["workers"] == 3, "each by itself"
    assert found["heartbeat_age_seconds"] == 0
    assert found["timer_lag_seconds"] == found["message_lag_seconds"] == 0
    assert found["messages_last_hour:email:sent"] >= 1
    assert found["calls_open"] == 1
    assert found["ladders_at_top"] == 0
    world.clock.move(seconds=50)
    with database.transaction() as session:
        housekeeping.beat(session, "one", world.now)
    assert read(client)["workers"] == 2, "one is gone; the others' heartbeats do not hide it"
    for _ in range(5):
        world.clock.move(minutes=15)
        run_once(work)
    found = read(client)
    assert found["ladders_at_top"] == 1
    with database.transaction() as session:
        session.execute(update(Message).values(state=MessageState.FAILED))
        session.execute(update(Timer).values(attempts=5))
    found = read(client)
    assert found["messages_undelivered"] > 3
    assert found["timers_stuck"] == 0, "the next one is far away: it does not fail now"
    with database.transaction() as session:
        session.execute(update(Timer).values(due_at=world.now + timedelta(minutes=5)))
    assert read(client)["timers_stuck"] >= 1
    world.acknowledge(order)
    assert read(client)["ladders_at_top"] == 0
    world.clock.move(hours=3)
    assert not [name for name in read(client) if name.startswith("messages_last_hour")]


@pytest.mark.one_database
def test_no_name_and_no_ref_is_told(client: FlaskClient, world: World, work: Work) -> None:
    order = world.issue()
    run_once(work)
    told = client.get("/metrics").text
    assert order.ref
    for secret in (order.ref, str(order.id), "Meridian", "Norvik", "police", "worker-1"):
        assert secret not in told


@pytest.fixture
def guarded(settings: Settings, clock: MovableClock, world: World) -> Iterator[Flask]:
    made = create_app(replace(settings, metrics_token=TOKEN), clock)
    yield made
    made.extensions["liaison"].database.close()


@pytest.mark.one_database
def test_whoever_shows_the_token_reads_it_and_nobody_else(guarded: Flask, world: World) -> None:
    client = guarded.test_client()
    assert read(client, Authorization=f"Bearer {TOKEN}")["schema_current"] == 1
    absent = client.get("/no-such-page")
    for shown in (None, f"Bearer {TOKEN}x", TOKEN, f"Basic {TOKEN}", "Bearer", "Bearer \u00e9"):
        answer = client.get("/metrics", headers={"Authorization": shown} if shown else {})
        assert answer.status_code == absent.status_code == 404
        assert "liaison_" not in answer.text
    world.sign_in(client, "supervisor")
    assert client.get("/metrics").status_code == 404, "a session is no token"


@pytest.mark.one_database
def test_without_a_token_only_this_machine_reads_it(
    app: Flask, settings: Settings, clock: MovableClock
) -> None:
    def status(app: Flask, remote: str, **headers: str) -> int:
        client = app.test_client()
        environ = {"REMOTE_ADDR": remote}
        return client.get("/metrics", headers=headers, environ_base=environ).status_code

    assert status(app, "127.0.0.1") == status(app, "::1") == status(app, "::ffff:127.0.0.1") == 200
    for remote in ("198.51.100.7", "10.0.0.1", "", "nonsense"):
        assert status(app, remote) == 404
    # A proxy on this machine passes strangers on, whether or not the settings name it.
    for header in ("X-Forwarded-For", "Forwarded", "X-Real-IP"):
        assert status(app, "127.0.0.1", **{header: "198.51.100.7"}) == 404
        assert status(app, "127.0.0.1", **{header: "127.0.0.1"}) == 404
    behind = create_app(replace(settings, trusted_proxies=("10.0.0.0/8",)), clock)
    assert status(behind, "10.0.0.1", **{"X-Forwarded-For": "127.0.0.1"}) == 404
    behind.extensions["liaison"].database.close()


def test_a_short_token_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="LIAISON_METRICS_TOKEN has fewer than 32"):
        Settings.from_env({"LIAISON_METRICS_TOKEN": "short"})
    for every in ("-1", "1441", "five", "1.5"):
        with pytest.raises(SettingsError, match="LIAISON_CANARY_EVERY"):
            Settings.from_env({"LIAISON_CANARY_EVERY": every})
    assert Settings.from_env({"LIAISON_CANARY_EVERY": "0"}).canary_every == 0


def test_every_number_is_found_by_an_index(
    world: World, settings: Settings, database: Database, work: Work
) -> None:
    """However many rows stand there: no table that grows is read from end to end."""
    for _ in range(2):
        world.issue()
    run_once(work)
    plans: list[tuple[str, str]] = []

    def look(connection: Any, _cursor: Any, sql: str, given: Any, *_rest: Any) -> None:
        if sql.startswith("SELECT"):
            cursor = connection.connection.cursor()
            explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
            cursor.execute(f"{explain} {sql}", given)
            plans.append((sql, "\n".join(str(row) for row in cursor.fetchall())))

    event.listen(database.engine, "before_cursor_execute", look)
    try:
        with database.reading() as session:
            if not database.is_sqlite:
                session.execute(text("SET LOCAL enable_seqscan = off"))
            watching.numbers(session, replace(settings, canary_every=5), world.now)
    finally:
        event.remove(database.engine, "before_cursor_execute", look)
    assert len(plans) > 8
    for sql, plan in plans:
        for table in ("timer", "message", "call_task", "preservation_order", "canary"):
            whole = (f"SCAN {table}'", f"SCAN {table} ", f"Seq Scan on {table} ")
            read_whole = [w for w in whole if w in plan and "USING" not in plan]
            assert not read_whole, f"{sql}\n{plan}"


@pytest.mark.one_database
def test_the_bar_says_what_fails_to_contact_point_staff_only(
    app: Flask, world: World, work: Work, database: Database
) -> None:
    ours, theirs = app.test_client(), app.test_client()
    world.sign_in(ours, "officer")
    world.sign_in(theirs, "spoc")
    for page in ("/orders", "/orders?part=live", "/providers"):
        assert ours.get(page).text.count("No worker is at work") == 1
        assert "No worker" not in theirs.get(page).text
    run_once(work)
    assert "No worker is at work" in ours.get("/orders").text, "5 seconds old, at most"
    world.clock.move(seconds=5)
    calm = ours.get("/orders?part=live")
    assert "worker" not in calm.text.lower()
    order = world.issue()
    world.clock.move(minutes=3)
    with database.transaction() as session:
        housekeeping.beat(session, "says it lives", world.now)
    late = "The worker is behind: a timer is 3 min past due."
    for page in ("/orders", f"/orders/{order.ref}", f"/orders/{order.ref}?part=live", "/account"):
        assert ours.get(page).text.count(late) == 1
        assert "is behind" not in theirs.get(page).text
    assert "No worker" not in app.test_client().get("/login").text
