"""The provider's program after preservation: a later date, what is kept for a request, disposal."""

from __future__ import annotations

import pytest

from tests.api.program import Program, faults, slug
from tests.keeping import ask, record_mla, release
from tests.world import World


def told(program: Program) -> list[str]:
    """The types of the stream, without the note that the order was read."""
    types = [event["type"] for event in program.events()]
    return [type_ for type_ in types if type_ != "order.fetched"]


def test_the_new_date_is_given_and_stands_in_the_order(program: Program, world: World) -> None:
    ref = world.preserve(world.issue()).ref
    order = world.order(str(ref))
    path = f"/orders/{ref}/extension"
    assert slug(program.post(path, {"days": 30})) == "invalid-transition"
    ask(world, order, days=60, reason="The request is at the court.")
    seen = program.get(f"/orders/{ref}").get_json()
    assert seen["preserved_until"] == "2027-02-21T12:00:00Z"
    assert seen["extension"] == {
        "asked_at": "2026-11-23T12:00:00Z",
        "until": "2027-04-22T12:00:00Z",
        "reason": "The request is at the court.",
    }
    answer = program.post(path, {"until": "2027-04-01T00:00:00Z", "reference": "X"})
    given = answer.get_json()
    assert given["extension"] is None
    assert given["preserved_until"] == "2027-04-01T00:00:00Z"
    assert given["reference"] == "X"
    (done,) = given["extensions"]
    assert (done["asked_until"], done["until"]) == ("2027-04-22T12:00:00Z", "2027-04-01T00:00:00Z")
    types = told(program)
    assert types[-2:] == ["order.extension_requested", "order.extended"]
    assert program.events()[-1]["data"]["shorter"] is True


def test_a_repeat_acts_once(program: Program, world: World) -> None:
    order = world.preserve(world.issue())
    ask(world, order)
    path = f"/orders/{order.ref}/extension"
    first = program.post(path, {"days": 30}, Idempotency_Key="k")
    again = program.post(path, {"days": 30}, Idempotency_Key="k")
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.get_json() == again.get_json()
    assert slug(program.post(path, {"days": 31}, Idempotency_Key="k")) == "validation"


@pytest.mark.one_database
def test_what_cannot_be_meant_is_named(program: Program, world: World) -> None:
    order = world.preserve(world.issue())
    ask(world, order)
    path = f"/orders/{order.ref}/extension"
    assert faults(program.post(path, {"days": "30"})) == ["/days"]
    assert faults(program.post(path, {"untill": "2027-04-01T00:00:00Z"})) == ["/untill"]
    assert faults(program.post(path, {})) == ["/days"]
    assert faults(program.post(path, {"days": 91})) == ["/days"]
    both = {"days": 1, "until": "2027-04-01T00:00:00Z"}
    assert faults(program.post(path, both)) == ["/until"]
    assert faults(program.post(path, {"until": "2027-02-21T12:00:00Z"})) == ["/until"]
    assert faults(program.post(path, {"days": 5, "note": "\x00"})) == ["/note"]
    assert faults(program.post(f"/orders/{order.ref}/disposal", {"days": 1})) == ["/days"]


def test_a_recorded_request_a_release_and_disposal_are_told(program: Program, world: World) -> None:
    order = world.preserve(world.issue())
    record_mla(world, order)
    seen = program.get(f"/orders/{order.ref}").get_json()
    assert seen["kept_until_decided"] is True
    (followed,) = seen["follow_ups"]
    assert (followed["kind"], followed["reference"]) == ("mla", "MLA-2026-118")
    path = f"/orders/{order.ref}/disposal"
    assert slug(program.post(path, {})) == "invalid-transition"
    release(world, order, note="Handed over.")
    seen = program.get(f"/orders/{order.ref}").get_json()
    assert (seen["state"], seen["release_note"]) == ("released", "Handed over.")
    assert (seen["disposal_wanted"], seen["disposal"]) == (True, None)
    done = program.post(path, {"reference": "DEL-1"}).get_json()
    assert done["state"] == "disposed"
    assert done["disposal"] == {
        "confirmed_at": "2026-11-23T12:00:00Z",
        "reference": "DEL-1",
        "note": None,
    }
    types = told(program)
    assert types[-3:] == ["order.mla_recorded", "order.released", "order.disposed"]


def test_another_providers_order_does_not_exist(norvik: Program, world: World) -> None:
    order = world.preserve(world.issue())
    ask(world, order)
    absent = norvik.post("/orders/CP-2026-9999/extension", {"days": 30})
    for path in ("extension", "disposal"):
        body = {"days": 30} if path == "extension" else {}
        answer = norvik.post(f"/orders/{order.ref}/{path}", body)
        assert answer.status_code == 404
        assert answer.get_json()["detail"] == absent.get_json()["detail"]
