"""The thread by program: questions, answers and files."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from liaison import scanning
from liaison.api.order_shapes import OrderView
from liaison.domain import thread_limits
from liaison.models import Blob, ThreadMessage
from tests.keeping import with_terms
from tests.threads import PDF, accepted, answer, ask, routine
from tests.world import World

BASE = "/api/v1/orders"


def given(name: str = "log.txt", content: bytes = b"A line.\n") -> dict[str, str]:
    """A file as a program sends it."""
    return {"name": name, "content": b64encode(content).decode()}


def stored(world: World) -> tuple[int, int]:
    """How many messages and files are kept."""
    with world.database.reading() as session:
        counts = [
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (ThreadMessage, Blob)
        ]
    return counts[0], counts[1]


def test_a_question_with_a_file_and_the_file_again(client: FlaskClient, world: World) -> None:
    order = world.issue()
    body: dict[str, Any] = {"text": "Which of the two?", "attachments": [given("plan.pdf", PDF)]}
    sent = client.post(f"{BASE}/{order.ref}/messages", json=body, headers=world.bearer())
    assert sent.status_code == 200
    view = sent.get_json()
    OrderView.model_validate(view)
    assert view["answer_by"] is not None
    (message,) = view["thread"]
    (file,) = message["attachments"]
    assert (file["media_type"], file["size"]) == ("application/pdf", len(PDF))
    found = client.get(f"{BASE}/{order.ref}/attachments/{file['id']}", headers=world.bearer())
    assert hashlib.sha256(found.data).hexdigest() == file["sha256"]
    assert "sandbox" in found.headers["Content-Security-Policy"]
    assert found.headers["Content-Disposition"].startswith("attachment; ")
    events = client.get("/api/v1/events", headers=world.bearer()).get_json()["events"]
    (told,) = [e["data"] for e in events if e["type"] == "order.message"]
    assert told["attachments"] == [file]


def test_a_repeat_asks_once(client: FlaskClient, world: World) -> None:
    order = world.issue()
    headers = {**world.bearer(), "Idempotency-Key": "question-1"}
    body = {"text": "Which?", "attachments": [given()]}
    first = client.post(f"{BASE}/{order.ref}/messages", json=body, headers=headers)
    again = client.post(f"{BASE}/{order.ref}/messages", json=body, headers=headers)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.data == first.data
    assert stored(world) == (1, 1)


def test_an_answer_of_the_providers_opens_no_question(client: FlaskClient, world: World) -> None:
    order = world.issue()
    body = {"text": "For 30 days.", "question": False}
    view = client.post(f"{BASE}/{order.ref}/messages", json=body, headers=world.bearer())
    assert view.get_json()["answer_by"] is None


def test_a_stopped_clock_is_told_and_the_served_deadlines_stay(
    client: FlaskClient, world: World
) -> None:
    with_terms(world, clock_stops=True)
    order = routine(world)
    ask(world, order)
    world.clock.move(hours=6)
    before = client.get(f"{BASE}/{order.ref}", headers=world.bearer()).get_json()
    assert before["clock_stopped_since"] == "2026-11-23T12:00:00Z"
    answer(world, order)
    after = client.get(f"{BASE}/{order.ref}", headers=world.bearer()).get_json()
    assert after["clock_stopped_since"] is None
    assert after["acknowledge_by"] == "2026-11-25T18:00:00Z"
    assert before["acknowledge_by"] == "2026-11-25T12:00:00Z"
    assert after["documents"]["sha256"] == before["documents"]["sha256"] == order.sha256


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/text"),
        ({"text": " "}, "/text"),
        ({"text": 1}, "/text"),
        ({"text": "x", "question": "no"}, "/question"),
        ({"text": "x", "kind": "remark"}, "/kind"),
        ({"text": "x", "attachments": [{"name": "a"}]}, "/attachments/0/content"),
        ({"text": "x", "attachments": [{"content": "YQ=="}]}, "/attachments/0/name"),
        (
            {"text": "x", "attachments": [{"name": "a", "content": "YQ="}]},
            "/attachments/0/content",
        ),
        (
            {"text": "x", "attachments": [{"name": "a", "content": "é"}]},
            "/attachments/0/content",
        ),
        ({"text": "x", "attachments": [given("a", b"")]}, "/attachments/0"),
        ({"text": "x", "attachments": [given(), given("a", b"<html>")]}, "/attachments/1"),
        ({"text": "x", "attachments": [given(f"{n}") for n in range(11)]}, "/attachments"),
        ({"text": "x", "attachments": [given("a" * 201)]}, "/attachments/0/name"),
    ],
)
@pytest.mark.one_database
def test_every_fault_has_its_place(
    client: FlaskClient, world: World, body: dict[str, Any], pointer: str
) -> None:
    order = world.issue()
    refused = client.post(f"{BASE}/{order.ref}/messages", json=body, headers=world.bearer())
    assert refused.status_code == 422
    assert [e["pointer"] for e in refused.get_json()["errors"]] == [pointer]
    assert stored(world) == (0, 0)


@pytest.mark.one_database
def test_as_much_as_is_allowed_passes_and_more_does_not(client: FlaskClient, world: World) -> None:
    order = world.issue()
    large = [given(f"{n}.txt", b"x" * (8 * 1024 * 1024)) for n in range(3)]
    path = f"{BASE}/{order.ref}/messages"
    sent = client.post(path, json={"text": "x", "attachments": large}, headers=world.bearer())
    assert sent.status_code == 200
    body = {"text": "x", "attachments": [*large, given("m.txt", b"x" * (9 * 1024 * 1024))]}
    refused = client.post(path, json=body, headers=world.bearer())
    assert refused.status_code == 413
    # Nobody without a key may send so much, and no other call takes it.
    assert client.post(path, json=body).status_code == 401
    other = f"{BASE}/{order.ref}/acknowledgement"
    assert client.post(other, json=body, headers=world.bearer()).status_code == 413


@pytest.mark.one_database
def test_another_providers_thread_and_files_are_not_there(
    client: FlaskClient, world: World
) -> None:
    order = world.issue()
    (file,) = ask(world, order, files=accepted()).attachments
    other = world.issue(provider="Norvik Mobile")
    theirs = world.bearer("Norvik Mobile")
    body = {"text": "x", "attachments": [given()]}
    assert client.post(f"{BASE}/{order.ref}/messages", json=body, headers=theirs).status_code == 404
    for path in (
        f"{BASE}/{order.ref}/attachments/{file.id}",
        f"{BASE}/{other.ref}/attachments/{file.id}",
        f"{BASE}/{other.ref}/attachments/nothing",
    ):
        assert client.get(path, headers=theirs).status_code == 404


@pytest.mark.one_database
@pytest.mark.parametrize(("command", "status"), [("false", 422), ("/no/such", 503)])
def test_the_scanner_says_no_or_nothing(
    app: Flask, client: FlaskClient, world: World, command: str, status: int
) -> None:
    order = world.issue()
    object.__setattr__(app.extensions["liaison"].settings, "scan_command", command)
    body = {"text": "x", "attachments": [given()]}
    refused = client.post(f"{BASE}/{order.ref}/messages", json=body, headers=world.bearer())
    assert refused.status_code == status
    assert stored(world) == (0, 0)


@pytest.mark.one_database
def test_a_repeat_asks_no_scanner(app: Flask, client: FlaskClient, world: World) -> None:
    order = world.issue()
    headers = {**world.bearer(), "Idempotency-Key": "k-1"}
    body = {"text": "Which?", "attachments": [given()]}
    first = client.post(f"{BASE}/{order.ref}/messages", json=body, headers=headers)
    object.__setattr__(app.extensions["liaison"].settings, "scan_command", "/no/such")
    again = client.post(f"{BASE}/{order.ref}/messages", json=body, headers=headers)
    assert (again.status_code, again.data) == (200, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    other = {**body, "text": "Another?"}
    refused = client.post(f"{BASE}/{order.ref}/messages", json=other, headers=headers)
    assert refused.status_code == 422
    assert stored(world) == (1, 1)


@pytest.mark.one_database
def test_few_files_are_looked_at_at_a_time_and_words_pass_all_the_same(
    client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scanning, "WAIT", 0.01)
    path, headers = f"{BASE}/{world.issue().ref}/messages", world.bearer()
    body = {"text": "x", "attachments": [given()]}
    with ExitStack() as others:
        for _ in range(scanning.AT_ONCE):
            others.enter_context(scanning.turn())
        refused = client.post(path, json=body, headers=headers)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10")
        assert refused.get_json()["type"].endswith("/problems/busy")
        assert client.post(path, json={"text": "Without."}, headers=headers).status_code == 200
    assert stored(world) == (1, 0)
    # A file that is refused gives its turn back.
    wrong = {"text": "x", "attachments": [given("a", b"<html>")]}
    for _ in range(scanning.AT_ONCE + 1):
        assert client.post(path, json=wrong, headers=headers).status_code == 422
    assert client.post(path, json=body, headers=headers).status_code == 200


@pytest.mark.one_database
def test_a_program_in_a_loop_is_told_when_to_go_on(
    client: FlaskClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread_limits, "HOURLY", 1)
    path = f"{BASE}/{world.issue().ref}/messages"
    assert client.post(path, json={"text": "1"}, headers=world.bearer()).status_code == 200
    refused = client.post(path, json={"text": "2"}, headers=world.bearer())
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "3600")
