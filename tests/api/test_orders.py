"""Listing orders, and versions in ETag, If-None-Match, If-Match."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from liaison.domain.lifecycle import OrderState
from liaison.services import answers
from tests.api.program import Program, faults, slug
from tests.world import World


def test_filters_and_pages(program: Program, world: World) -> None:
    emergencies = [world.issue() for _ in range(3)]
    routine = world.issue("03-cgnat-fraud-routine.json", provider="Meridian Telecom")
    world.acknowledge(emergencies[0])
    world.draft()

    def refs(query: str) -> list[str]:
        found = program.get(f"/orders?{query}").get_json()
        assert found["next"] is None
        return [order["ref"] for order in found["orders"]]

    assert refs("") == [o.ref for o in [*emergencies, routine]]
    assert refs("state=acknowledged") == [emergencies[0].ref]
    assert refs("urgency=routine") == [routine.ref]
    assert refs("state=issued&urgency=emergency") == [o.ref for o in emergencies[1:]]

    first = program.get("/orders?limit=3").get_json()
    rest = program.get(f"/orders?limit=3&after={first['next']}").get_json()
    assert [o["ref"] for o in first["orders"] + rest["orders"]] == refs("")
    assert rest["next"] is None


@pytest.mark.one_database
@pytest.mark.parametrize("state", ["draft", "submitted", "open"])
def test_a_provider_is_offered_no_state_that_it_never_sees(program: Program, state: str) -> None:
    [fault] = program.get(f"/orders?state={state}").get_json()["errors"]
    assert fault == {
        "pointer": "/state",
        "detail": "Choose one of: 'issued', 'acknowledged', 'preserved', 'declined', 'withdrawn', "
        "'released', 'expired' or 'disposed'.",
    }


def _offered(document: Any, path: str) -> list[str]:
    [state] = [p for p in document["paths"][path]["get"]["parameters"] if p["name"] == "state"]
    kinds = state["schema"].get("anyOf", [state["schema"]])
    named = [
        document["components"]["schemas"][k["$ref"].rpartition("/")[2]] if "$ref" in k else k
        for k in kinds
    ]
    return [word for kind in named for word in kind.get("enum", ())]


@pytest.mark.one_database
def test_the_document_offers_each_side_the_states_that_it_sees(client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").get_json()
    drafts = {"draft", "submitted"}
    theirs = set(_offered(document, "/api/v1/orders"))
    assert theirs == {state.value for state in OrderState} - drafts
    assert set(_offered(document, "/api/v1/authority/orders")) == theirs | drafts


@pytest.mark.parametrize("query", ["state=open", "urgency=high", "after=next", "limit=201", "q=1"])
@pytest.mark.one_database
def test_a_query_that_cannot_be_meant(program: Program, query: str) -> None:
    assert faults(program.get(f"/orders?{query}")) == [f"/{query.partition('=')[0]}"]


@pytest.mark.one_database
def test_calls_without_parameters_take_none(program: Program, world: World) -> None:
    ref = world.issue().ref
    assert faults(program.get("/whoami?verbose=1")) == ["/verbose"]
    assert faults(program.get(f"/orders/{ref}?expand=all")) == ["/expand"]
    assert faults(program.post(f"/orders/{ref}/acknowledgement?force=1", {})) == ["/force"]


def test_a_list_needs_as_many_reads_for_ten_orders_as_for_one(
    app: Flask, program: Program, world: World
) -> None:
    def listed() -> int:
        program.get("/orders")  # what is noted as served is noted once
        with statements(app) as seen:
            program.get("/orders")
        return len(seen)

    world.preserve(world.issue())
    one = listed()
    for _ in range(9):
        world.preserve(world.issue())
    assert listed() == one


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """The statements the application sends meanwhile."""
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    engine = app.extensions["liaison"].database.engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("given", ['"0"', 'W/"{}"', "nonsense", '"99", "98"'])
def test_an_answer_to_an_old_version_is_refused(program: Program, world: World, given: str) -> None:
    order = world.issue()
    given = given.replace("{}", str(order.version))
    before = program.get(f"/orders/{order.ref}").data
    for path, body in (
        ("acknowledgement", {}),
        ("preservation", {"days": 30}),
        ("refusal", {"grounds": ["overbroad"], "explanation": ".", "preserved_meanwhile": False}),
    ):
        answer = program.post(f"/orders/{order.ref}/{path}", body, If_Match=given)
        assert (answer.status_code, slug(answer)) == (412, "stale")
    assert program.get(f"/orders/{order.ref}").data == before


@pytest.mark.parametrize("given", ['"{}"', "*", '"999", "{}"'])
def test_an_answer_to_the_present_version_is_taken(
    program: Program, world: World, given: str
) -> None:
    order = world.issue()
    given = given.replace("{}", str(order.version))
    answer = program.post(f"/orders/{order.ref}/acknowledgement", {}, If_Match=given)
    assert answer.status_code == 200


def test_every_change_that_is_seen_changes_the_version(program: Program, world: World) -> None:
    order = world.issue()
    seen: dict[str, bytes] = {}

    def look() -> None:
        answer = program.get(f"/orders/{order.ref}")
        assert seen.setdefault(answer.headers["ETag"], answer.data) == answer.data

    look()
    program.post(f"/orders/{order.ref}/acknowledgement", {})
    look()
    for note in ("first", "second", "third"):
        program.post(
            f"/orders/{order.ref}/preservation", {"until": "2027-01-01T00:00:00Z", "note": note}
        )
        look()
    for text in ("Which of the two?", "And since when?"):
        with world.database.transaction() as session:
            answers.ask(session, world.actor("spoc"), order.name, text, world.now)
        look()
    for text in ("The second.", "Since Monday."):
        with world.database.transaction() as session:
            answers.answer(session, world.actor("officer"), order.name, text, world.now)
        look()


def test_whoami(program: Program, world: World) -> None:
    told = program.get("/whoami").get_json()
    assert told["provider"]["name"] == "Meridian Telecom"
    assert told["provider"]["id"] == str(world.register.providers["Meridian Telecom"])
    assert told["scopes"] == ["read", "respond"]
    assert told["expires_at"] is None
    assert world.key("Meridian Telecom").startswith(told["key"]["prefix"])
