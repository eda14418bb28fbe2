"""Short ways to doubt and to vouch, and what came of it."""

from __future__ import annotations

from liaison.models import Database, Order, Timer
from liaison.models.work import TimerKind
from liaison.queries.views import order_view
from liaison.services import doubts
from tests.mail import RecordingSender
from tests.worker.looking import waiting
from tests.world import World

DUTY, SUPERVISOR = "duty@police.example", "supervisor@police.example"
DUTY_PHONE, SUPERVISOR_PHONE = "+37410000101", "+37410000102"
SPOC = "spoc@meridian.example"
WHY = "The officer's number is not the one that is registered."


def doubt(world: World, order: Order, *, by: str = "spoc", reason: str = WHY) -> Order:
    with world.database.transaction() as session:
        version = world.order(order.name).version
        doubts.raise_(session, world.actor(by), order.name, reason, version, world.now)
    return world.order(order.name)


def vouch(world: World, order: Order, *, by: str, fresh: bool = True, note: str = "") -> Order:
    with world.database.transaction() as session:
        actor = world.actor(by, fresh=fresh)
        doubts.vouch(session, actor, order.name, note, None, world.now)
    return world.order(order.name)


def vouches(world: World, order: Order) -> int | None:
    with world.database.reading() as session:
        view = order_view(session.get_one(Order, order.id))["doubt"]
    return None if view is None else int(view["vouches"])


def alarms(sender: RecordingSender) -> list[str]:
    """Whom letters about a doubt went to."""
    return [s.address for s in sender.sent if "doubts order" in s.subject]


def waiting_doubts(database: Database, order: Order) -> list[Timer]:
    return [t for t in waiting(database, order) if t.kind is TimerKind.DOUBT]
