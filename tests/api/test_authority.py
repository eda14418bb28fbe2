"""A contact point's case system drafts, submits and follows orders; people stand behind them."""

from __future__ import annotations

import json
import threading
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import func, select

from liaison.domain.lifecycle import OrderState
from liaison.errors import Forbidden
from liaison.models import Order, OrderReview, Person
from liaison.queries import four_eyes
from liaison.services import authorising, doubts, orders, reviews
from tests.api.case_systems import ADDRESS_OF, bearer, case_system
from tests.api.program import Program, faults, slug
from tests.world import ORDERS, World

ROUTINE = "03-cgnat-fraud-routine.json"


def number(world: World) -> int:
    with world.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Order)) or 0


def types(program: Program) -> list[str]:
    return [e["type"] for e in program.get("/authority/events").get_json()["events"]]


def test_an_order_from_the_case_system_to_its_provider_and_back(
    app: Flask, world: World, norvik: Program
) -> None:
    case = case_system(app, world)
    made = case.post(ADDRESS_OF, world.data(ROUTINE))
    assert made.status_code == 201, made.text
    draft = made.get_json()
    path = f"{ADDRESS_OF}/{draft['id']}"
    assert made.headers["Location"] == f"/api/v1{path}"
    assert (draft["state"], draft["ref"], draft["in_charge"]) == ("draft", None, None)

    # Written anew: not blindly, and not over somebody else's change.
    changed = world.data(ROUTINE, offence="Fraud, and handling of its proceeds")
    blind = case.put(path, changed)
    assert (blind.status_code, slug(blind)) == (428, "precondition-required")
    assert case.put(path, changed, If_Match='"7"').status_code == 412
    assert faults(case.put(path, {"facts": 1}, If_Match=made.headers["ETag"])) != []
    written = case.put(path, changed, If_Match=made.headers["ETag"])
    assert written.status_code == 200
    assert written.get_json()["offence"] == "Fraud, and handling of its proceeds"
    assert case.put(path, changed, If_Match=made.headers["ETag"]).status_code == 412

    # Submitted: people are told, the provider is not. Who typed it there cannot authorise it.
    unknown = {"written_by": [world.person("officer").email, world.person("norvik_spoc").email]}
    assert faults(case.post(f"{path}/submission", unknown)) == ["/written_by/1"]
    typed = {"written_by": [world.person("officer").email.upper()]}
    submitted = case.post(f"{path}/submission", typed, If_Match=written.headers["ETag"])
    assert submitted.get_json()["state"] == "submitted"
    assert submitted.get_json()["submitted_at"] == "2026-11-23T12:00:00Z"
    assert case.put(path, changed, If_Match=submitted.headers["ETag"]).status_code == 409
    assert case.delete(path).status_code == 403
    assert norvik.events() == []
    assert norvik.get(f"/orders/{draft['id']}").status_code == 404
    order = world.order(draft["id"])
    with pytest.raises(Forbidden, match="second pair of eyes"):
        world.authorise(order, by="officer")

    # Whoever authorises it is in charge of it, and stands on it.
    served = world.authorise(order, by="supervisor")
    told = case.get(f"{ADDRESS_OF}/{served.ref}").get_json()
    assert (told["state"], told["in_charge"]) == ("issued", "Mariam Grigoryan")
    assert told["authority"]["officer"]["name"] == "Mariam Grigoryan"
    norvik.post(f"/orders/{served.ref}/acknowledgement", {"reference": "NOC-1"})
    followed = case.get(f"{ADDRESS_OF}?state=acknowledged").get_json()["orders"]
    assert [(o["reference"], o["fetched_at"]) for o in followed] == [("NOC-1", None)]
    assert case.get(f"{ADDRESS_OF}?state=draft").get_json() == {"orders": [], "next": None}

    # The stream has all of it, under the key's name, chained like any other.
    stream = case.get("/authority/events").get_json()
    first = stream["events"][0]
    assert types(case)[:4] == [
        "order.drafted",
        "order.edited",
        "order.submitted",
        "order.attributed",
    ]
    assert first["actor"].startswith("key:")
    assert first["data"]["by"]["name"] == "Case system"
    assert stream["events"][2]["data"]["written_by"] == ["Anahit Petrosyan"]
    assert stream["head"]["hash"] == stream["events"][-1]["hash"]
    assert case.get(f"/authority/events?after={stream['next']}").get_json()["events"] == []
    assert (
        case.get("/authority/whoami").get_json()["authority"]["name"] == told["authority"]["name"]
    )


def test_no_act_beyond_a_draft_is_a_programs(app: Flask, world: World) -> None:
    """Whatever is served, and whatever a person wrote, it reads and leaves alone."""
    case = case_system(app, world)
    theirs, served = world.draft(ROUTINE), world.issue()
    for order in (theirs, served):
        path, version = f"{ADDRESS_OF}/{order.name}", f'"{order.version}"'
        assert case.get(path).status_code == 200
        for answer in (
            case.put(path, world.data(ROUTINE), If_Match=version),
            case.delete(path),
            case.post(f"{path}/submission", {}),
        ):
            assert answer.status_code in (403, 409), answer.text
        for act in ("authorisation", "issue", "ratification", "withdrawal", "acknowledgement"):
            assert case.post(f"{path}/{act}", {}).status_code == 404
        assert world.order(order.name).version == order.version
    with world.database.reading() as session:
        assert session.get_one(Order, served.id).fetched_at is None
    # Nor what it began itself, once a person has written in it.
    begun = case.post(ADDRESS_OF, world.data(ROUTINE)).get_json()
    with world.database.transaction() as session:
        anew = world.data(ROUTINE, offence="Fraud")
        orders.edit(session, world.actor("officer"), begun["id"], anew, begun["version"], world.now)
    path = f"{ADDRESS_OF}/{begun['id']}"
    stands = case.get(path)
    assert stands.get_json()["in_charge"] == "Anahit Petrosyan"
    version = stands.headers["ETag"]
    for answer in (
        case.put(path, world.data(ROUTINE), If_Match=version),
        case.delete(path),
        case.post(f"{path}/submission", {}),
    ):
        assert (answer.status_code, slug(answer)) == (403, "forbidden"), answer.text
    assert case.get(path).data == stands.data
    # An emergency waits for a person like any other order.
    urgent = case.post(ADDRESS_OF, world.data()).get_json()
    sent = case.post(f"{ADDRESS_OF}/{urgent['id']}/submission", {})
    assert (sent.get_json()["state"], sent.get_json()["issued_at"]) == ("submitted", None)


def test_a_draft_is_discarded_and_a_returned_one_comes_back(app: Flask, world: World) -> None:
    case = case_system(app, world)
    gone = case.post(ADDRESS_OF, world.data(ROUTINE)).get_json()
    path = f"{ADDRESS_OF}/{gone['id']}"
    assert case.delete(path, If_Match='"9"').status_code == 412
    assert case.delete(path).get_json()["state"] == "withdrawn"
    again = case.delete(path)
    assert (again.status_code, slug(again)) == (409, "invalid-transition")

    sent = case.post(ADDRESS_OF, world.data(ROUTINE)).get_json()
    path = f"{ADDRESS_OF}/{sent['id']}"
    case.post(f"{path}/submission", {})
    with world.database.transaction() as session:
        actor = world.actor("supervisor")
        authorising.return_(session, actor, sent["id"], "Name the port.", None, world.now)
    back = case.get(path)
    assert (back.get_json()["state"], back.get_json()["returned_note"]) == (
        "draft",
        "Name the port.",
    )
    assert types(case)[-1] == "order.returned"
    assert case.put(path, world.data(ROUTINE), If_Match=back.headers["ETag"]).status_code == 200


def test_whoever_made_the_key_is_its_writer(app: Flask, world: World) -> None:
    """Also as an officer, also where the key was rolled over meanwhile, also once let go."""
    case = case_system(app, world, maker="second_officer")
    made = case.post(ADDRESS_OF, world.data(ROUTINE)).get_json()
    case.post(f"{ADDRESS_OF}/{made['id']}/submission", {})
    order = world.order(made["id"])
    with pytest.raises(Forbidden, match="second pair of eyes"):
        world.authorise(order, by="second_officer")
    with world.database.reading() as session:
        found = session.get_one(Order, order.id)
        assert "Davit Sahakyan" not in four_eyes.others(session, found)
    served = world.authorise(order, by="officer")
    with world.database.transaction() as session:
        found = session.get_one(Order, served.id)
        for who in ("second_officer", "officer"):  # the maker, and who is in charge
            with pytest.raises(Forbidden):
                doubts.demand_other(session, found, world.actor(who))
        maker = session.get_one(Person, world.person("second_officer").id)
        reviews.open_for(session, maker, world.now)
        assert session.scalars(select(OrderReview.order_id)).all() == [served.id]


@pytest.mark.one_database
def test_every_fault_is_named_as_the_import_names_it(app: Flask, world: World) -> None:
    case, before = case_system(app, world), number(world)
    for file in sorted((ORDERS / "invalid").glob("*.json")):
        told = json.loads(file.read_text(encoding="utf-8"))
        assert set(told["expect_pointers"]) <= set(faults(case.post(ADDRESS_OF, told["order"])))
    bodies: list[Any] = [None, {}, [], "text", 7, {"targets": {}}, {"offence": "a\x00b"}]
    for body in bodies:
        assert case.post(ADDRESS_OF, body).status_code == 422, body
    assert case.send(ADDRESS_OF, b"{").status_code == 400
    assert case.send(ADDRESS_OF, b'{"offence": 1, "offence": 2}').status_code == 400
    assert case.send(ADDRESS_OF, b"a=b", "application/x-www-form-urlencoded").status_code == 415
    assert number(world) == before
    for file in sorted(ORDERS.glob("0*.json")):
        answer = case.post(ADDRESS_OF, json.loads(file.read_text(encoding="utf-8")))
        assert answer.status_code == 201, f"{file.name}: {answer.text}"


def test_a_repeat_drafts_once_and_is_answered_as_then(app: Flask, world: World) -> None:
    case, body, before = case_system(app, world), world.data(ROUTINE), number(world)
    first = case.post(ADDRESS_OF, body, Idempotency_Key="case-17")
    path = f"{ADDRESS_OF}/{first.get_json()['id']}"
    case.put(path, world.data(ROUTINE, facts="Others."), If_Match=first.headers["ETag"])
    case.delete(path)
    again = case.post(ADDRESS_OF, body, Idempotency_Key="case-17")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["ETag"] == first.headers["ETag"]
    other = case.post(ADDRESS_OF, world.data(ROUTINE, facts="Others."), Idempotency_Key="case-17")
    assert faults(other) == [""]
    assert number(world) == before + 1
    # A refused one claims nothing: mended, it is sent again under the same key.
    assert case.post(ADDRESS_OF, {}, Idempotency_Key="case-18").status_code == 422
    assert case.post(ADDRESS_OF, body, Idempotency_Key="case-18").status_code == 201
    kept = world.order(str(UUID(first.get_json()["id"])))
    assert kept.state is OrderState.WITHDRAWN


def test_of_two_at_one_moment_one_is_done(app: Flask, world: World) -> None:
    """Two drafts under one Idempotency-Key, two changes of one version, two submissions."""
    headers, body, before = bearer(world), world.data(ROUTINE), number(world)

    def both(method: str, path: str, **sent: str) -> list[int]:
        answers: list[int] = []
        start = threading.Barrier(2)

        def send() -> None:
            client = app.test_client()
            start.wait()
            answer = client.open(
                f"/api/v1{path}",
                method=method,
                json={} if path.endswith("submission") else body,
                headers=headers | {name.replace("_", "-"): v for name, v in sent.items()},
            )
            answers.append(answer.status_code)

        threads = [threading.Thread(target=send) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(answers)

    assert both("POST", ADDRESS_OF, Idempotency_Key="one") == [201, 201]
    assert number(world) == before + 1
    case = Program(app.test_client(), headers)
    (draft,) = case.get(f"{ADDRESS_OF}?state=draft").get_json()["orders"]
    path = f"{ADDRESS_OF}/{draft['id']}"
    assert both("PUT", path, If_Match=f'"{draft["version"]}"') == [200, 412]
    assert both("POST", f"{path}/submission") == [200, 409]
    assert types(case) == ["order.drafted", "order.edited", "order.submitted"]
