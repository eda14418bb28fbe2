"""Each key has its own door: the other one answers the same words everywhere, both ways."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from uuid6 import uuid7
from werkzeug.test import TestResponse

from liaison.api.blueprint import PUBLIC
from liaison.api.doors import OURS, PREFIX, THEIRS
from liaison.services import keys
from tests.api.case_systems import ADDRESS_OF, bearer, case_system
from tests.api.program import Program, held, slug
from tests.world import World

pytestmark = pytest.mark.one_database

ROUTINE = "03-cgnat-fraud-routine.json"


def calls(app: Flask) -> Iterator[tuple[str, str]]:
    """Every route that needs a key, with each of its methods."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/api/v1/") and rule.endpoint not in PUBLIC:
            for method in sorted((rule.methods or set()) - {"OPTIONS"}):
                yield rule.rule, method


def said(answer: TestResponse) -> tuple[int, str]:
    """All of an answer but the request's own id."""
    return answer.status_code, re.sub(r"urn:liaison:request:\w+", "", answer.text)


def test_a_key_at_the_wrong_door_reads_the_same_words_everywhere(app: Flask, world: World) -> None:
    order, keys_of = world.issue(), {THEIRS: world.bearer(), OURS: bearer(world)}
    seen: dict[str, set[tuple[int, str]]] = {THEIRS: set(), OURS: set()}
    for rule, method in calls(app):
        words = THEIRS if rule.startswith(PREFIX) else OURS
        for name in (order.name, str(order.id), str(uuid7()), "nothing"):
            address = re.sub(r"<[^>]+>", name, rule)
            for body in ({}, {"wrong": 1}):
                answer = app.test_client().open(
                    address, method=method, json=body, headers=keys_of[words]
                )
                assert answer.status_code == 403, f"{method} {address}"
                if method != "HEAD":
                    assert answer.get_json()["detail"] == words
                    seen[words].add(said(held(answer)))
    assert [len(answers) for answers in seen.values()] == [1, 1]
    before = world.order(order.name)
    assert (before.version, before.state) == (order.version, order.state)


def test_a_key_has_its_scope_and_no_other(app: Flask, world: World) -> None:
    reader, drafter = case_system(app, world, "read"), case_system(app, world, "draft")
    made = drafter.post(ADDRESS_OF, world.data(ROUTINE))
    assert made.status_code == 201
    path = f"{ADDRESS_OF}/{made.get_json()['id']}"
    for refused in (
        reader.post(ADDRESS_OF, world.data(ROUTINE)),
        reader.put(path, {}),
        reader.delete(path),
        reader.post(f"{path}/submission"),
        drafter.get(ADDRESS_OF),
        drafter.get(path),
        drafter.get("/authority/events"),
        drafter.get("/authority/whoami"),
    ):
        assert (refused.status_code, slug(refused)) == (403, "forbidden")
        assert "scope" in refused.get_json()["detail"]
    assert reader.get(path).status_code == 200


def ask(program: Program, method: str, name: str, headers: dict[str, str]) -> tuple[int, str]:
    """A call about an order, with an empty body."""
    address = f"/api/v1{ADDRESS_OF}/{name}"
    answer = program.client.open(address, method=method, headers=program.headers | headers, json={})
    return said(held(answer))


def test_another_contact_points_order_is_absent(app: Flask, world: World) -> None:
    ours, theirs = (
        case_system(app, world),
        case_system(app, world, code="NL", maker="foreign_officer"),
    )
    draft, served = ours.post(ADDRESS_OF, world.data(ROUTINE)).get_json(), world.issue()
    for match in ({}, {"If-Match": '"1"'}):
        for method, act in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/submission")):
            absent = ask(theirs, method, str(uuid7()) + act, match)
            assert absent[0] == 404
            for name in (draft["id"], served.name, str(served.id), "%00", "nothing"):
                assert ask(theirs, method, name + act, match) == absent, f"{method} {name}"
    assert theirs.get(ADDRESS_OF).get_json() == {"orders": [], "next": None}
    assert theirs.get("/authority/events").get_json()["events"] == []
    kept = ours.get(f"{ADDRESS_OF}/{draft['id']}").get_json()
    assert (kept["version"], kept["state"]) == (draft["version"], "draft")


def test_a_key_counts_no_more_once_it_is_taken_back(app: Flask, world: World) -> None:
    case = case_system(app, world)
    assert case.get("/authority/whoami").status_code == 200
    with world.database.transaction() as session:
        assert keys.revoke_of(session, world.person("administrator").id, world.now)
    for answer in (case.get("/authority/whoami"), case.post(ADDRESS_OF, world.data(ROUTINE))):
        assert (answer.status_code, slug(answer)) == (401, "unauthenticated")
