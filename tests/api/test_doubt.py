"""A program doubts an order."""

from __future__ import annotations

import pytest

from liaison.services import doubts, people
from tests.api.program import Program, faults, slug
from tests.world import World

WHY = "The officer's number is not the one that is registered."


def test_a_program_doubts_an_order_and_reads_how_it_goes_on(program: Program, world: World) -> None:
    order = world.issue()
    path = f"/orders/{order.ref}"
    assert program.get(path).get_json()["doubt"] is None
    told = program.post(f"{path}/doubt", {"reason": WHY}).get_json()
    assert told["doubt"] == {"since": "2026-11-23T12:00:00Z", "reason": WHY, "vouches": 0}
    assert told["state"] == "issued"
    with world.database.transaction() as session:
        supervisor = world.actor("supervisor")
        doubts.vouch(session, supervisor, order.name, "Seen.", None, world.now)
    assert program.get(path).get_json()["doubt"]["vouches"] == 1
    with world.database.transaction() as session:
        other = world.actor("second_officer")
        doubts.vouch(session, other, order.name, None, None, world.now)
    after = program.get(path).get_json()
    assert after["doubt"] is None
    mine = [e for e in program.events() if e["type"] in ("order.doubted", "order.vouched")]
    assert [(e["type"], e["data"].get("vouches")) for e in mine] == [
        ("order.doubted", None),
        ("order.vouched", 1),
        ("order.vouched", 2),
    ]
    assert "via" not in mine[1]["data"], "from where our people acted is our own matter"


def test_a_vouch_that_counts_no_more_is_in_the_stream(program: Program, world: World) -> None:
    order = world.issue()
    program.post(f"/orders/{order.ref}/doubt", {"reason": WHY})
    with world.database.transaction() as session:
        doubts.vouch(session, world.actor("supervisor"), order.name, None, None, world.now)
    with world.database.transaction() as session:
        admin, whom = world.actor("administrator"), world.person("supervisor")
        people.disable(session, admin, whom.id, "Hijacked.", world.now)
    assert program.get(f"/orders/{order.ref}").get_json()["doubt"]["vouches"] == 0
    mine = [e["data"] for e in program.events() if e["type"] == "order.vouched"]
    assert [(e["vouches"], e.get("voided", False)) for e in mine] == [(1, False), (0, True)]
    assert whom.name not in str(mine[1])
    assert admin.name not in str(mine[1])


def test_a_repeat_doubts_once_and_a_second_doubt_is_refused(program: Program, world: World) -> None:
    path = f"/orders/{world.issue().ref}/doubt"
    first = program.post(path, {"reason": WHY}, Idempotency_Key="k")
    again = program.post(path, {"reason": WHY}, Idempotency_Key="k")
    assert (again.status_code, again.data) == (200, first.data)
    second = program.post(path, {"reason": "More."})
    assert (second.status_code, slug(second)) == (409, "invalid-transition")


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, ["/reason"]),
        ({"reason": ""}, ["/reason"]),
        ({"reason": "   "}, ["/reason"]),
        ({"reason": "x" * 2001}, ["/reason"]),
        ({"reason": "a\x00b"}, ["/reason"]),
        ({"reason": 7}, ["/reason"]),
        ({"reason": WHY, "note": "x"}, ["/note"]),
    ],
)
def test_what_is_wrong_is_named(
    program: Program, world: World, body: dict[str, object], pointers: list[str]
) -> None:
    assert faults(program.post(f"/orders/{world.issue().ref}/doubt", body)) == pointers


def test_an_older_version_doubts_nothing(program: Program, world: World) -> None:
    order = world.issue()
    world.acknowledge(order)
    answer = program.post(
        f"/orders/{order.ref}/doubt", {"reason": WHY}, If_Match=f'"{order.version}"'
    )
    assert answer.status_code == 412
