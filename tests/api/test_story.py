"""The provider's story by program: poll, fetch, acknowledge, preserve, see both."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from tests.api.program import Program, slug
from tests.world import MovableClock, World

GENESIS = "0" * 64


def test_from_the_first_poll_to_the_confirmation(
    program: Program, world: World, clock: MovableClock
) -> None:
    order = world.issue()
    first = program.get("/events")
    assert [e["type"] for e in first.get_json()["events"]] == ["order.issued"]
    assert first.get_json()["events"][0]["order"] == {"id": str(order.id), "ref": order.ref}
    assert first.headers["X-Poll-Interval"] == "5"

    again = program.get("/events", If_None_Match=first.headers["ETag"])
    assert again.status_code == 304
    assert again.data == b""
    assert again.headers["X-Poll-Interval"] == "5"

    fetched = program.get(f"/orders/{order.ref}")
    assert fetched.get_json()["state"] == "issued"
    assert fetched.headers["ETag"] == f'"{fetched.get_json()["version"]}"'

    clock.move(minutes=3)
    acknowledged = program.post(
        f"/orders/{order.ref}/acknowledgement",
        {"reference": "NOC-8812", "note": "Night shift has it."},
        If_Match=fetched.headers["ETag"],
    )
    assert acknowledged.status_code == 200
    assert acknowledged.get_json()["state"] == "acknowledged"
    assert acknowledged.get_json()["acknowledged_at"] == "2026-11-23T12:03:00Z"
    assert acknowledged.get_json()["reference"] == "NOC-8812"

    clock.move(minutes=20)
    kept = program.post(f"/orders/{order.id}/preservation", {"days": 90})
    assert kept.status_code == 200
    assert kept.get_json()["state"] == "preserved"
    assert kept.get_json()["preservation"]["until"] == "2027-02-21T12:23:00Z"

    after = first.get_json()["next"]
    types = [e["type"] for e in program.events(after)]
    assert types == ["order.fetched", "order.acknowledged", "order.preserved"]
    assert program.get("/events").headers["X-Poll-Interval"] == "30"
    assert verified(program, world.register.providers["Meridian Telecom"]) == 4


def test_the_first_fetch_is_noted_once_and_makes_nobody_stale(
    program: Program, world: World
) -> None:
    order = world.issue()
    first, second = program.get(f"/orders/{order.id}"), program.get(f"/orders/{order.ref}")
    assert first.headers["ETag"] == second.headers["ETag"]
    assert first.data == second.data
    assert [e["type"] for e in program.events()] == ["order.issued", "order.fetched"]
    assert program.get(f"/orders/{order.ref}", If_None_Match=first.headers["ETag"]).data == b""
    answer = program.post(
        f"/orders/{order.ref}/acknowledgement", {}, If_Match=first.headers["ETag"]
    )
    assert answer.status_code == 200
    assert (
        program.get(f"/orders/{order.ref}", If_None_Match=first.headers["ETag"]).status_code == 200
    )


def test_head_gives_the_version_and_notes_nothing(program: Program, world: World) -> None:
    order = world.issue()
    answer = program.client.head(f"/api/v1/orders/{order.ref}", headers=program.headers)
    assert answer.status_code == 200
    assert answer.data == b""
    assert answer.headers["ETag"] == f'"{order.version}"'
    assert [e["type"] for e in program.events()] == ["order.issued"]


def test_listing_gives_whole_orders_and_notes_them_as_served(
    program: Program, world: World
) -> None:
    order = world.issue()
    listed = program.get("/orders").get_json()
    assert listed["next"] is None
    assert listed["orders"] == [program.get(f"/orders/{order.ref}").get_json()]
    program.get("/orders")
    assert [e["type"] for e in program.events()] == ["order.issued", "order.fetched"]


def test_declining(program: Program, world: World) -> None:
    order = world.issue()
    refusal = {
        "grounds": ["no_longer_held", "overbroad"],
        "explanation": "Log kept for 30 days.",
        "preserved_meanwhile": True,
    }
    answer = program.post(f"/orders/{order.ref}/refusal", refusal)
    assert answer.get_json()["state"] == "declined"
    assert answer.get_json()["refusal"] == refusal
    late = program.post(f"/orders/{order.ref}/preservation", {"days": 30})
    assert (late.status_code, slug(late)) == (409, "invalid-transition")
    assert [e["type"] for e in program.events()] == ["order.issued", "order.declined"]


def test_target_by_target_then_amended(program: Program, world: World) -> None:
    order = world.issue("02-foreign-ransomware-hosting.json", provider="Meridian Telecom")
    ids = [str(target.id) for target in order.targets]
    answer = program.post(
        f"/orders/{order.ref}/preservation",
        {
            "until": "2027-01-30T00:00:00+04:00",
            "targets": [
                {"id": ids[0], "outcome": "preserved"},
                {"id": ids[1], "outcome": "partial", "until": "2026-12-31T00:00:00Z", "note": "½"},
                {"id": ids[2], "outcome": "nothing_held"},
            ],
            "preserved_at": "2026-11-23T11:00:00Z",
            "sha256": "AB" * 32,
            "risk": "The customer can delete the server.",
        },
    )
    report = answer.get_json()["preservation"]
    assert report["outcome"] == "partial"
    assert report["until"] == "2027-01-29T20:00:00Z"
    assert {t["id"]: t["until"] for t in report["targets"]} == {
        ids[0]: "2027-01-29T20:00:00Z",
        ids[1]: "2026-12-31T00:00:00Z",
        ids[2]: None,
    }
    assert report["sha256"] == "ab" * 32
    amended = program.post(f"/orders/{order.ref}/preservation", {"days": 60})
    assert amended.get_json()["preservation"]["outcome"] == "preserved"
    assert program.events()[-1]["type"] == "order.preservation_amended"


def test_the_chain_shows_every_change(program: Program, world: World) -> None:
    order = world.issue("06-hostile-text.json", provider="Meridian Telecom")
    program.get(f"/orders/{order.ref}")
    program.post(f"/orders/{order.ref}/acknowledgement", {"note": "é \u2028 😀 </script>"})
    provider = world.register.providers["Meridian Telecom"]
    assert verified(program, provider) == 3
    changes: tuple[dict[str, Any], ...] = (
        {"type": "order.declined"},
        {"at": "2026-11-23T12:00:01Z"},
        {"actor": "key:somebody"},
        {"order": None},
        {"data": {}},
        {"seq": 7},
        {"prev": "f" * 64},
    )
    for change in changes:
        events = program.events()
        events[1] |= change
        with pytest.raises(AssertionError):
            walk(events, f"provider:{provider}")


def verified(program: Program, provider: object) -> int:
    """Checks the whole stream as a provider's engineer would, from the documentation alone."""
    page = program.get("/events?limit=500").get_json()
    last = walk(page["events"], f"provider:{provider}")
    assert page["head"] == {"seq": len(page["events"]), "hash": last}
    return len(page["events"])


def walk(events: list[dict[str, Any]], stream: str) -> str:
    """The contract's text, written down a second time: knows nothing of our code."""
    prev = GENESIS
    for number, event in enumerate(events, 1):
        assert event["seq"] == number
        assert event["prev"] == prev
        salted = bytes.fromhex(event["salt"]) + canonical(event["data"])
        assert hashlib.sha256(salted).hexdigest() == event["digest"]
        told = {name: event[name] for name in ("seq", "type", "at", "actor", "digest", "prev")}
        told |= {"stream": stream, "order": event["order"] and event["order"]["id"]}
        prev = hashlib.sha256(canonical(told)).hexdigest()
        assert event["hash"] == prev
    return prev


def canonical(value: object) -> bytes:
    """RFC 8785, for data without fractions and with ASCII names: all that ours has."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
