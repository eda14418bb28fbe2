"""A provider's program meets a drill: told as TEST, answered like any order."""

from __future__ import annotations

from liaison.domain.vocabulary import DrillState
from tests.api.program import Program
from tests.drills import begin, every
from tests.world import World


def test_a_drill_is_told_as_one_and_answered_like_any_order(world: World, program: Program) -> None:
    order = begin(world)
    (issued,) = program.events()
    assert issued["type"] == "order.issued"
    assert issued["data"]["test"] is True
    assert issued["order"]["ref"] == "CP-TEST-2026-0001"
    view = program.get(f"/orders/{order.id}").get_json()
    assert view["test"] is True
    assert view["facts"].startswith("TEST")
    assert program.get("/orders?urgency=emergency").get_json()["orders"][0]["test"] is True
    assert program.post(f"/orders/{order.ref}/acknowledgement").status_code == 200
    assert program.post(f"/orders/{order.ref}/preservation", {"days": 1}).status_code == 200
    assert every(world)[0].state is DrillState.ENDED
    assert [e["type"] for e in program.events()][-2:] == ["order.acknowledged", "order.preserved"]


def test_a_real_order_says_that_it_is_no_drill(world: World, program: Program) -> None:
    order = world.issue()
    assert program.get(f"/orders/{order.id}").get_json()["test"] is False
    assert "test" not in program.events()[0]["data"]


def test_another_providers_drill_is_not_there(world: World, norvik: Program) -> None:
    order = begin(world)
    assert norvik.get(f"/orders/{order.id}").status_code == 404
    assert norvik.events() == []
