"""Short ways to act on an order that is preserved, and to look at what was planned and sent."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from liaison.domain.extension import Wish
from liaison.domain.keeping import expected_timers
from liaison.domain.vocabulary import FollowUpKind
from liaison.models import Entry, Memorandum, Message, Order, Timer
from liaison.models.work import TimerState
from liaison.services import disposals, extensions, follow_ups, keeping, releases
from liaison.services.ledger import entry_data
from tests.world import World

DAY = timedelta(days=1)


def with_terms(world: World, provider: str = "Meridian Telecom", **changes: Any) -> None:
    """The terms of the memorandum between the first authority and a provider, changed."""
    with world.database.transaction() as session:
        agreed = session.scalars(
            select(Memorandum).where(
                Memorandum.authority_id == world.register.authorities["CP"],
                Memorandum.provider_id == world.register.providers[provider],
            )
        ).one()
        agreed.terms = {**agreed.terms, **changes}


def ask(
    world: World, order: Order, by: str = "officer", days: int | None = 30, **more: Any
) -> None:
    """The contact point asks for an extension."""
    wish = Wish(days=days, until=more.pop("until", None))
    with world.database.transaction() as session:
        extensions.ask(session, world.actor(by), order.name, wish, world.now, **more)


def extend(
    world: World, order: Order, by: str = "spoc", days: int | None = 30, **more: Any
) -> None:
    """The provider confirms a date."""
    wish = Wish(days=days, until=more.pop("until", None))
    with world.database.transaction() as session:
        extensions.confirm(session, world.actor(by), order.name, wish, world.now, **more)


def record_mla(world: World, order: Order, by: str = "officer", **more: Any) -> None:
    """The contact point records what followed."""
    given: dict[str, Any] = {
        "kind": FollowUpKind.MLA,
        "reference": "MLA-2026-118",
        "sent_on": date(2026, 11, 23),
        **more,
    }
    kind, reference, sent_on = (given.pop(name) for name in ("kind", "reference", "sent_on"))
    with world.database.transaction() as session:
        follow_ups.record(
            session, world.actor(by), order.name, kind, reference, sent_on, world.now, **given
        )


def release(world: World, order: Order, by: str = "officer", **more: Any) -> None:
    """The contact point releases the data."""
    with world.database.transaction() as session:
        releases.release(session, world.actor(by), order.name, world.now, **more)


def dispose(world: World, order: Order, by: str = "spoc", **more: Any) -> None:
    """The provider confirms disposal."""
    with world.database.transaction() as session:
        disposals.confirm(session, world.actor(by), order.name, world.now, **more)


def planned(world: World, order: Order) -> list[tuple[str, datetime]]:
    """What waits of the plan: kind and due time, in order."""
    kinds = list(keeping._KINDS.values())
    with world.database.reading() as session:
        found = session.scalars(
            select(Timer).where(
                Timer.order_id == order.id,
                Timer.kind.in_(kinds),
                Timer.state == TimerState.WAITING,
            )
        )
        return sorted((t.kind.value, t.due_at) for t in found)


def must_wait(world: World, order: Order) -> list[tuple[str, datetime]]:
    """The same, reckoned from the order's dates alone."""
    with world.database.reading() as session:
        stored = session.get_one(Order, order.id)
        plan = expected_timers(keeping.kept_of(stored), world.now)
        return sorted((p.nag.value, p.due_at) for p in plan)


def letters(world: World, letter: str) -> list[str]:
    """To which addresses a letter was queued, sorted; unsent ones that were taken back are not."""
    with world.database.reading() as session:
        found = select(Message.address).where(
            Message.letter == letter, Message.state != "cancelled"
        )
        return sorted(session.scalars(found))


def stored(world: World, order: Order) -> Order:
    """The order as it stands in the database, with what was asked and what followed."""
    with world.database.reading() as session:
        found = session.get_one(Order, order.id)
        _ = (found.extensions, found.follow_ups)
        return found


def told(world: World, type_: str) -> list[dict[str, Any]]:
    """The data of all entries of a type, in their order."""
    with world.database.reading() as session:
        entries = session.scalars(select(Entry).where(Entry.type == type_).order_by(Entry.seq))
        return [entry_data(entry) or {} for entry in entries]
