"""The same request twice acts once."""

from __future__ import annotations

import json
import threading
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from liaison.models import IdempotentAnswer
from liaison.services import answers, housekeeping
from tests.api.program import Program, faults, slug
from tests.world import MovableClock, World


def test_a_repeat_gets_the_same_answer(program: Program, world: World) -> None:
    path = f"/orders/{world.issue().ref}/acknowledgement"
    first = program.post(path, {"reference": "A"}, Idempotency_Key="k-1")
    assert "Idempotency-Replayed" not in first.headers
    again = program.post(path, {"reference": "A"}, Idempotency_Key="k-1")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.data) == (200, first.data)
    assert again.headers["ETag"] == first.headers["ETag"]
    assert [e["type"] for e in program.events()] == ["order.issued", "order.acknowledged"]


def test_a_repeat_is_answered_alike_after_the_order_moved_on(
    program: Program, world: World
) -> None:
    order = world.issue()
    path = f"/orders/{order.ref}/acknowledgement"
    version = f'"{order.version}"'
    first = program.post(path, {}, Idempotency_Key="k-1", If_Match=version)
    world.preserve(order)
    again = program.post(path, {}, Idempotency_Key="k-1", If_Match=version)
    assert again.data == first.data
    assert again.get_json()["state"] == "acknowledged"


def test_a_key_belongs_to_one_request(program: Program, world: World) -> None:
    path = f"/orders/{world.issue().ref}"
    program.post(f"{path}/acknowledgement", {"reference": "A"}, Idempotency_Key="k-1")
    for other, body in (
        (f"{path}/acknowledgement", {"reference": "B"}),
        (f"{path}/preservation", {"days": 9}),
    ):
        answer = program.post(other, body, Idempotency_Key="k-1")
        assert faults(answer) == [""]
        assert "Idempotency-Key" in answer.get_json()["errors"][0]["detail"]
    assert program.events()[-1]["type"] == "order.acknowledged"


def test_another_providers_key_is_another_key(
    program: Program, norvik: Program, world: World
) -> None:
    mine = world.issue()
    theirs = world.issue(provider="Norvik Mobile")
    for one, order in ((program, mine), (norvik, theirs)):
        answer = one.post(f"/orders/{order.ref}/acknowledgement", {}, Idempotency_Key="k-1")
        assert answer.status_code == 200
        assert "Idempotency-Replayed" not in answer.headers


def test_a_refused_request_keeps_nothing(program: Program, world: World) -> None:
    order = world.issue()
    path = f"/orders/{order.ref}/preservation"
    assert program.post(path, {"days": 91}, Idempotency_Key="k-1").status_code == 422
    assert program.post(path, {"days": 90}, Idempotency_Key="k-1").status_code == 200
    refusal = {"grounds": ["overbroad"], "explanation": "x", "preserved_meanwhile": False}
    refused = program.post(f"/orders/{order.ref}/refusal", refusal, Idempotency_Key="k-2")
    assert refused.status_code == 409
    assert kept(world) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a b", "é"])
@pytest.mark.one_database
def test_a_key_that_cannot_be_one(program: Program, world: World, key: str) -> None:
    path = f"/orders/{world.issue().ref}/acknowledgement"
    assert faults(program.post(path, {}, Idempotency_Key=key)) == [""]
    assert kept(world) == 0


def test_a_key_is_kept_for_thirty_days(program: Program, world: World, clock: MovableClock) -> None:
    path = f"/orders/{world.issue().ref}/acknowledgement"
    program.post(path, {}, Idempotency_Key="k-1")
    clock.move(days=30)
    assert program.post(path, {}, Idempotency_Key="k-1").status_code == 200
    clock.move(seconds=1)
    late = program.post(path, {}, Idempotency_Key="k-1")
    assert (late.status_code, slug(late)) == (409, "invalid-transition")
    with world.database.transaction() as session:
        assert housekeeping.tidy(session, world.now + timedelta(days=1)) >= 1
    assert kept(world) == 0


@pytest.mark.parametrize("keyed", [True, False])
def test_two_at_the_same_moment_act_once(
    app: Flask, program: Program, world: World, keyed: bool
) -> None:
    """With a key, one acts and the others get its answer; without, they are told it is done."""
    for _ in range(5):
        order = world.issue()
        path = f"/orders/{order.ref}/acknowledgement"
        answers = race(app, program, path, {"Idempotency_Key": f"k-{order.ref}"} if keyed else {})
        mine = [e for e in program.events() if e["order"]["ref"] == order.ref]
        assert [e["type"] for e in mine] == ["order.issued", "order.acknowledged"]
        replayed = [a for a in answers if "Idempotency-Replayed" in a.headers]
        done = [a for a in answers if a.status_code == 200 and a not in replayed]
        assert len(done) == 1
        if keyed:
            assert len(replayed) == len(answers) - 1
            assert {a.data for a in answers} == {done[0].data}
        else:
            assert {a.status_code for a in answers if a not in done} == {409}


def test_two_amendments_with_one_key_make_one_report(
    app: Flask, program: Program, world: World
) -> None:
    """Preserving again is allowed, so only the key keeps a repeat from counting twice."""
    order = world.issue()
    path = f"/orders/{order.ref}/preservation"
    answers = race(app, program, path, {"Idempotency_Key": "once"}, {"days": 30})
    assert {a.status_code for a in answers} == {200}
    assert [e["type"] for e in program.events()] == ["order.issued", "order.preserved"]


def race(
    app: Flask,
    program: Program,
    path: str,
    headers: dict[str, str],
    body: object = None,
    runners: int = 4,
) -> list[TestResponse]:
    """The same request from several threads, let go together."""
    start, answers = threading.Barrier(runners), []

    def run() -> None:
        mine = Program(app.test_client(), program.headers)
        start.wait()
        answers.append(mine.post(path, body or {}, **headers))

    threads = [threading.Thread(target=run) for _ in range(runners)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == runners, "a request failed without an answer"
    return answers


def kept(world: World) -> int:
    """How many answers are stored."""
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(IdempotentAnswer)) or 0


def test_the_stored_answer_is_the_orders_json(program: Program, world: World) -> None:
    order = world.issue()
    program.post(f"/orders/{order.ref}/acknowledgement", {}, Idempotency_Key="k-1")
    with world.database.reading() as session:
        row = session.scalars(select(IdempotentAnswer)).one()
    assert row.status == 200
    assert json.loads(row.body)["state"] == "acknowledged"


@pytest.mark.one_database
def test_what_is_kept_of_an_answer_does_not_grow_with_the_thread(
    program: Program, world: World
) -> None:
    path = f"/orders/{world.issue('07-botnet-240-targets.json').ref}"
    program.post(f"{path}/preservation", {"days": 30}, Idempotency_Key="report")
    for number in range(6):
        sent = {"text": f"{number} " + "x" * 9000, "question": False}
        answered = program.post(f"{path}/messages", sent, Idempotency_Key=f"k-{number}")
        assert answered.status_code == 200
    with world.database.reading() as session:
        sizes = list(session.scalars(select(func.length(IdempotentAnswer.body))))
    assert len(sizes) == 7
    assert max(sizes) < 3000


def test_a_repeated_message_is_answered_alike_after_all_that_came_since(
    program: Program, world: World
) -> None:
    order = world.issue()
    path = f"/orders/{order.ref}"
    program.post(f"{path}/preservation", {"days": 30}, Idempotency_Key="report")
    text = {"text": "Which of the two?"}
    first = program.post(f"{path}/messages", text, Idempotency_Key="k-1")
    with world.database.transaction() as session:
        answers.answer(session, world.actor("officer"), order.name, "The first.", world.now)
    program.post(f"{path}/preservation", {"days": 20, "note": "Less."})
    program.post(f"{path}/messages", {"text": "And the other?"})
    again = program.post(f"{path}/messages", text, Idempotency_Key="k-1")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.data == first.data


def test_an_answer_that_was_kept_whole_is_still_given(program: Program, world: World) -> None:
    path = f"/orders/{world.issue().ref}/acknowledgement"
    first = program.post(path, {}, Idempotency_Key="k-1")
    with world.database.transaction() as session:
        session.execute(update(IdempotentAnswer).values(body=first.text))
    assert program.post(path, {}, Idempotency_Key="k-1").data == first.data
