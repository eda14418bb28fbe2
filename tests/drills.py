"""Drills in the tests' world: asked for, planned, begun."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from liaison.domain.vocabulary import DrillState, Urgency
from liaison.models import Drill, Memorandum, Order
from liaison.services import drill_calendar, drills
from tests.world import World

BASE = "http://localhost"


def ask_for(world: World, number: int, provider: str = "Meridian Telecom", by: str = "CP") -> None:
    """From now on the memorandum between the two asks for so many drills a year."""
    with world.database.transaction() as session:
        found = session.scalars(
            select(Memorandum).where(
                Memorandum.provider_id == world.register.providers[provider],
                Memorandum.authority_id == world.register.authorities[by],
            )
        ).one()
        found.terms = {**found.terms, "drills_a_year": number}


def plan(
    world: World,
    at: datetime | None = None,
    *,
    provider: str = "Meridian Telecom",
    urgency: str = Urgency.EMERGENCY.value,
    announced: bool = False,
    by: str = "supervisor",
) -> Drill:
    """A drill that a supervisor planned, committed."""
    wish = drills.Wish(world.register.providers[provider], urgency, at, announced)
    with world.database.transaction() as session:
        return drills.plan(session, world.actor(by), wish, world.now)


def look(world: World) -> int:
    """The worker looks at drills until nothing is due; how much it did."""
    done = 0
    while True:
        with world.database.reading() as session:
            if not drill_calendar.is_due(session, world.now):
                return done
        with world.database.transaction() as session:
            count = drill_calendar.run(session, world.now, BASE)
        if not count:
            return done
        done += count
        assert done < 500, "the look at drills comes to no end"


def begin(world: World, **wish: Any) -> Order:
    """A drill that has just begun: its order."""
    drill = plan(world, **wish)
    look(world)
    return order_of(world, drill)


def every(world: World) -> list[Drill]:
    """All drills there are, by their time."""
    with world.database.reading() as session:
        return list(session.scalars(select(Drill).order_by(Drill.planned_at, Drill.id)))


def seen(world: World, drill: Drill) -> Drill:
    """The drill as it stands now."""
    with world.database.reading() as session:
        return session.get_one(Drill, drill.id)


def order_of(world: World, drill: Drill) -> Order:
    """The order of a drill that has begun."""
    now = seen(world, drill)
    assert now.state is not DrillState.PLANNED, f"it has not begun: {now.why}"
    assert now.order_id is not None, f"it has no order: {now.why}"
    return world.order(str(now.order_id))


SOON = timedelta(minutes=10)
