"""No MLA request followed: which orders count, under which Party and unit."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from liaison.domain.figures import period
from liaison.errors import Forbidden
from liaison.models import Order
from liaison.queries.figures import NoMla, no_mla
from liaison.services import orders
from tests.keeping import DAY, record_mla, release
from tests.world import World

MLA = {"intended": True, "expected_by": "2027-01-15"}


def figures(world: World, by: str = "officer", key: str = "12m") -> NoMla:
    with world.database.reading() as session:
        return no_mla(session, world.actor(by), period(key, world.now), world.now)


def told(found: NoMla) -> dict[str, tuple[int, int, int]]:
    return {g.name: (g.kept, g.judged, g.without) for g in found.parties}


def kept(world: World, **changes: Any) -> Order:
    return world.preserve(world.issue(mla=MLA, **changes))


def foreign(world: World, party: str) -> Order:
    order = kept(world)
    with world.database.transaction() as session:
        origin = {"party": party, "authority": "24/7", "reference": "X"}
        session.execute(
            update(Order)
            .where(Order.id == order.id)
            .values(origin_kind="foreign", origin=origin)
            .execution_options(synchronize_session=False)
        )
    return order


def test_an_order_is_judged_once_it_was_followed_has_ended_or_its_day_has_passed(
    world: World,
) -> None:
    followed, ended, waiting = (kept(world) for _ in range(3))
    assert told(figures(world)) == {"AM": (3, 0, 0)}
    record_mla(world, followed)
    release(world, ended)
    assert told(figures(world)) == {"AM": (3, 2, 1)}
    world.clock.move(days=53)  # 15 January itself: there is still time
    assert told(figures(world)) == {"AM": (3, 2, 1)}
    world.clock.move(days=1)
    assert told(figures(world)) == {"AM": (3, 3, 2)}
    record_mla(world, waiting)
    found = figures(world)
    assert told(found) == {"AM": (3, 3, 1)}
    assert (found.whole.percent, found.whole.open) == (33, 0)


def test_by_the_party_that_asks_and_by_the_unit_that_investigates(world: World) -> None:
    for party in ("NL", "NL", "GE"):
        release(world, foreign(world, party))
    release(world, kept(world, investigating_authority={"name": "Coast Guard", "case_number": "1"}))
    kept(world, investigating_authority={"name": "coast guard", "case_number": "2"})
    found = figures(world)
    assert told(found) == {"NL": (2, 2, 2), "GE": (1, 1, 1), "AM": (2, 1, 1)}
    units = {g.name.casefold(): (g.kept, g.without) for g in found.units}
    assert units["coast guard"] == (2, 1)
    assert sum(kept for kept, _ in units.values()) == 5


def test_what_says_nothing_is_left_aside(world: World) -> None:
    world.issue(mla=MLA)
    world.preserve(world.issue(mla={"intended": False}))
    withdrawn, drill = kept(world), kept(world)
    with world.database.transaction() as session:
        orders.withdraw(session, world.actor("officer"), withdrawn.name, "An error.", world.now)
        session.execute(update(Order).where(Order.id == drill.id).values(test=True))
    assert told(figures(world)) == {}
    assert figures(world).whole.percent is None


def test_only_the_own_orders_of_the_period(world: World) -> None:
    release(world, kept(world))
    assert told(figures(world, by="foreign_officer")) == {}
    assert told(figures(world, key="2026")) == {"AM": (1, 1, 1)}
    assert told(figures(world, key="2025")) == {}
    world.clock.set(world.now + 100 * DAY)
    assert told(figures(world, key="3m")) == {}


@pytest.mark.parametrize("by", ["administrator", "spoc", "provider_administrator", "program"])
def test_others_read_no_figures(world: World, by: str) -> None:
    with pytest.raises(Forbidden):
        figures(world, by=by)
