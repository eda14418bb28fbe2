"""What is noted of a key's requests, and what that costs."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import structlog
from flask import Flask
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from liaison.api import noted
from liaison.api.request_log import RequestLog
from liaison.models import KeyRequest
from liaison.services import key_log
from liaison.settings import Settings
from liaison.worker import loop
from liaison.worker.work import Work
from tests.api.program import Program
from tests.api.test_key_limits import made, revoke
from tests.mail import RecordingSender
from tests.world import MovableClock, World


@pytest.fixture
def log(app: Flask) -> RequestLog:
    """The log of the application's process; no thread writes it while tests run."""
    found: RequestLog = app.extensions["liaison_request_log"]
    return found


def rows(world: World) -> list[KeyRequest]:
    with world.database.reading() as session:
        return list(session.scalars(select(KeyRequest).order_by(KeyRequest.id)))


def told(world: World) -> list[tuple[object, ...]]:
    return [(r.method, r.route, r.order_name, r.status, r.problem, r.count) for r in rows(world)]


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """What the application asks of its database."""
    asked: list[str] = []

    def hear(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        asked.append(statement)

    engine = app.extensions["liaison"].database.engine
    event.listen(engine, "before_cursor_execute", hear)
    yield asked
    event.remove(engine, "before_cursor_execute", hear)


def test_an_hour_of_polls_is_one_row_and_no_poll_writes(
    program: Program,
    world: World,
    log: RequestLog,
    clock: MovableClock,
    statements: list[str],
) -> None:
    tag = program.get("/events").headers["ETag"]
    log.flush()
    statements.clear()
    for _ in range(6 * 59):
        assert program.get("/events", If_None_Match=tag).status_code == 304
        clock.move(seconds=10)
    assert not [s for s in statements if "key_request" in s]
    assert log.flush(everything=False) == 0, "who only looks is not told at once"
    log.flush()
    first, polls = rows(world)
    assert told(world)[1] == ("GET", "/api/v1/events", None, 304, None, 354)
    assert (first.status, first.count) == (200, 1)
    assert (polls.last_at - polls.first_at).total_seconds() == 353 * 10
    program.get("/events", If_None_Match=tag)
    log.flush()
    assert [r.count for r in rows(world)] == [1, 355], "the same row grows"
    clock.move(minutes=2)
    program.get("/events", If_None_Match=tag)
    log.flush()
    assert [r.count for r in rows(world)] == [1, 355, 1]
    log.flush()
    assert len(log.notes) == 1


def test_an_engineer_reads_what_was_refused_and_no_value(
    program: Program, world: World, log: RequestLog, clock: MovableClock
) -> None:
    order = world.issue()
    path = f"/orders/{order.ref}"
    answer = program.post(f"{path}/preservation", {"days": "many", "secret": "Jane Doe", "a/b": 1})
    for _ in range(3):
        clock.move(seconds=1)
        again = program.post(f"{path}/preservation", {"days": "few", "secret": 1, "a/b": 2})
    program.get("/orders/Jane%20Doe%00")
    program.get(f"/orders/{order.id}")
    program.send(f"{path}/acknowledgement", b"{")
    assert log.flush(everything=False) == 3, "problems are told at once"
    refused, absent, malformed = rows(world)
    assert told(world)[0] == (
        "POST",
        "/api/v1/orders/{order}/preservation",
        order.ref,
        422,
        "validation",
        4,
    )
    pointers = [fault["pointer"] for fault in answer.get_json()["errors"]]
    assert refused.pointers == pointers
    assert "/secret" in pointers
    assert "/a~1b" in pointers
    assert again.get_json()["instance"].endswith(refused.request_id)
    assert again.headers["X-Request-Id"] == refused.request_id
    assert refused.address == "127.0.0.1"
    assert (absent.order_name, absent.problem) == (None, "not-found")
    assert (malformed.status, malformed.problem) == (400, "malformed")
    log.flush()
    assert told(world)[-2] == ("GET", "/api/v1/orders/{order}", str(order.id), 200, None, 1)
    kept = " ".join(str(vars(row)) for row in rows(world))
    for secret in ("Jane", "many", "few", world.key("Meridian Telecom")[12:]):
        assert secret not in kept


def test_known_keys_that_do_not_count_are_noted_and_strangers_are_not(
    app: Flask, world: World, log: RequestLog
) -> None:
    key_id, header = made(world, "198.51.100.0/24")
    client = app.test_client()
    for address in ("198.51.100.9", "203.0.113.9"):
        client.get("/api/v1/whoami", headers=header, environ_base={"REMOTE_ADDR": address})
    revoke(world, key_id)
    for _ in range(25):
        client.get("/api/v1/whoami", headers=header)
    for stranger in ({}, {"Authorization": "Bearer lsn_" + "x" * 43}):
        client.get("/api/v1/whoami", headers=stranger)
    client.get("/api/v1/openapi.json", headers=header)
    log.flush()
    assert {row.api_key_id for row in rows(world)} == {key_id}
    assert [(r.status, r.problem, r.address, r.count) for r in rows(world)] == [
        (200, None, "198.51.100.9", 1),
        (401, "unauthenticated", "203.0.113.9", 1),
        (401, "unauthenticated", "127.0.0.1", 20),
        (429, "rate-limited", "127.0.0.1", 5),
    ]


def test_a_hostile_name_of_a_field_breaks_neither_the_log_nor_a_page(
    program: Program, world: World, log: RequestLog
) -> None:
    order = world.issue()
    program.send(f"/orders/{order.ref}/acknowledgement", b'{"\\u202eevil\\u0007": 1}')
    program.post(f"/orders/{order.ref}/acknowledgement", {"x" * 5000: 1})
    program.post(f"/orders/{order.ref}/acknowledgement", {f"f{n}": 1 for n in range(500)})
    program.send(f"/orders/{order.ref}/acknowledgement", b'{"a": "\\ud800"}')
    assert log.flush() == 4
    names, long, many, _ = rows(world)
    assert names.pointers == ["/\ufffdevil\ufffd"]
    assert [len(pointer) for pointer in long.pointers] == [121]
    assert len(many.pointers) == 20


def test_a_busy_database_keeps_them_waiting_and_no_answer(
    program: Program, world: World, log: RequestLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    program.get("/whoami")
    write = key_log.write

    def busy(*_given: object) -> None:
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(key_log, "write", busy)
    with structlog.testing.capture_logs() as lines:
        assert log.flush() == 0
    assert [line["event"] for line in lines] == ["requests of keys not written yet"]
    assert program.get("/whoami").status_code == 200
    monkeypatch.setattr(key_log, "write", write)
    assert log.flush() == 1
    assert told(world) == [("GET", "/api/v1/whoami", None, 200, None, 2)]


def test_a_writing_of_which_nobody_knows_whether_it_was_done_doubles_nothing(
    program: Program, world: World, log: RequestLog
) -> None:
    program.get("/whoami")
    found = log.notes.due(everything=True)
    with world.database.transaction() as session:
        key_log.write(session, found)
    program.get("/whoami")
    assert log.flush() == 1
    assert told(world) == [("GET", "/api/v1/whoami", None, 200, None, 2)]


def test_they_are_kept_for_seven_days_and_thrown_away_in_portions(
    program: Program,
    world: World,
    log: RequestLog,
    clock: MovableClock,
    settings: Settings,
    sender: RecordingSender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(key_log, "PORTION", 2)
    work = Work(settings, world.database, clock, sender, name="worker-1")
    for path in ("/whoami", "/orders", "/events"):
        program.get(path)
    log.flush()
    clock.move(days=7, seconds=-1)
    program.get("/whoami")
    log.flush()

    def tidied() -> tuple[bool, int]:
        return loop.tidy(work), len(rows(world))

    loop.tidy(work)  # what else there is
    assert tidied() == (False, 4)
    clock.move(seconds=1)
    # At once again after a full portion: one key can fill more in an hour than that.
    assert [tidied(), tidied(), tidied()] == [(True, 2), (False, 1), (False, 1)]


@pytest.mark.one_database
def test_nobodys_requests_take_more_room_than_there_is(
    program: Program,
    norvik: Program,
    world: World,
    log: RequestLog,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(noted, "OWN", 3)
    for n in range(10):
        program.get(f"/orders/CP-2026-{n:04d}")
    norvik.get("/orders/CP-2026-0001")
    log.flush()
    assert [(r.order_name, r.address, r.count) for r in rows(world)] == [
        ("CP-2026-0000", "127.0.0.1", 1),
        ("CP-2026-0001", "127.0.0.1", 1),
        ("CP-2026-0002", "127.0.0.1", 1),
        (None, "", 7),
        ("CP-2026-0001", "127.0.0.1", 1),
    ]
    monkeypatch.setattr(noted, "OWN", 100)
    monkeypatch.setattr(noted, "MOST", 6)
    for n in range(20):
        program.get(f"/orders/CP-2027-{n:04d}")
    assert len(log.notes) == 6
    with structlog.testing.capture_logs() as lines:
        log.flush()
    assert [(line["event"], line["requests"]) for line in lines] == [("requests of keys lost", 14)]
    assert rows(world)[-1].order_name == "CP-2027-0019"


def test_a_poll_that_finds_nothing_new_is_counted_with_its_key_and_writes_no_line(
    program: Program, world: World, log: RequestLog
) -> None:
    with structlog.testing.capture_logs() as lines:
        tag = program.get("/events").headers["ETag"]
        for _ in range(3):
            assert program.get("/events", If_None_Match=tag).status_code == 304
    assert [line["status"] for line in lines if line["event"] == "request"] == [200]
    assert log.flush() == 2
    assert [(row.status, row.count) for row in rows(world)] == [(200, 1), (304, 3)]


def test_a_log_that_is_stopped_ends_its_thread_and_the_next_request_begins_another(
    log: RequestLog,
) -> None:
    for _ in range(2):
        log.start()
        assert "key log" in {thread.name for thread in threading.enumerate()}
        log.stop()
        assert "key log" not in {thread.name for thread in threading.enumerate()}
