"""By program: 240 targets answered one by one, amended; another provider named."""

from __future__ import annotations

from collections import Counter

import pytest

from liaison.services import orders
from tests.api.program import Program, faults, slug
from tests.world import World

MANY = "07-botnet-240-targets.json"
KINDS = ["preserved"] * 212 + ["partial"] * 20 + ["nothing_held"] * 8
ROUTE = {"provider": "Norvik Mobile", "path": "Handed over at 198.51.100.1 port 51820."}


def test_240_targets_are_answered_one_by_one(program: Program, world: World) -> None:
    ref = world.issue(MANY).ref
    targets = program.get(f"/orders/{ref}").get_json()["targets"]
    answered = [{"id": t["id"], "outcome": kind} for t, kind in zip(targets, KINDS, strict=True)]
    answered[0]["until"] = "2027-01-20T12:00:00Z"
    kept = program.post(f"/orders/{ref}/preservation", {"days": 60, "targets": answered})
    assert kept.status_code == 200
    report = kept.get_json()["preservation"]
    assert report["outcome"] == "partial"
    assert Counter(t["outcome"] for t in report["targets"]) == Counter(KINDS)
    own = {t["id"]: t["until"] for t in report["targets"]}
    assert own[targets[0]["id"]] == "2027-01-20T12:00:00Z"
    assert own[targets[239]["id"]] is None
    missing = program.post(f"/orders/{ref}/preservation", {"days": 60, "targets": answered[:-1]})
    assert faults(missing) == ["/targets"]


def test_the_stream_says_whether_an_amendment_takes_back(program: Program, world: World) -> None:
    ref = world.issue().ref
    for days in (90, 60, 90):
        assert program.post(f"/orders/{ref}/preservation", {"days": days}).status_code == 200
    entries = program.get("/events").get_json()["events"]
    told = [e["data"] for e in entries if e["type"] == "order.preservation_amended"]
    assert [data["shorter"] for data in told] == [True, False]


def test_another_provider_is_named(program: Program, norvik: Program, world: World) -> None:
    order = world.issue()
    ref = order.ref
    target = program.get(f"/orders/{ref}").get_json()["targets"][0]["id"]
    named = program.post(
        f"/orders/{ref}/route", {**ROUTE, "target": target}, Idempotency_Key="route-1"
    )
    assert named.status_code == 200
    assert named.get_json()["routes"] == [{"at": "2026-11-23T12:00:00Z", **ROUTE, "target": target}]
    again = program.post(
        f"/orders/{ref}/route", {**ROUTE, "target": target}, Idempotency_Key="route-1"
    )
    assert again.headers["Idempotency-Replayed"] == "true"
    whole = program.post(f"/orders/{ref}/route", ROUTE)
    assert [r["target"] for r in whole.get_json()["routes"]] == [target, None]
    last = program.get("/events").get_json()["events"][-1]
    assert last["type"] == "order.route_reported"
    assert last["data"]["provider"] == "Norvik Mobile"
    refused = norvik.post(f"/orders/{ref}/route", ROUTE)
    assert refused.status_code == 404
    assert norvik.post("/orders/CP-2026-9999/route", ROUTE).status_code == 404


def test_a_route_to_an_order_that_was_withdrawn_is_refused(program: Program, world: World) -> None:
    order = world.issue()
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), order.name, "Wrong.", world.now)
    refused = program.post(f"/orders/{order.ref}/route", ROUTE)
    assert refused.status_code == 409
    assert slug(refused) == "invalid-transition"


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"provider": ""}, ["/provider"]),
        ({"provider": "   "}, ["/provider"]),
        ({"path": "\n"}, ["/path"]),
        ({"path": "a\x00"}, ["/path"]),
        ({"target": "nonsense"}, ["/target"]),
        ({"target": "019abc00-0000-7000-8000-000000000002"}, ["/target"]),
        ({"via": "x"}, ["/via"]),
        ({"provider": "x" * 201}, ["/provider"]),
    ],
)
def test_what_names_no_provider(
    program: Program, world: World, changes: dict[str, str], pointers: list[str]
) -> None:
    ref = world.issue().ref
    assert faults(program.post(f"/orders/{ref}/route", {**ROUTE, **changes})) == pointers
