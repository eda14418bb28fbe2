"""The queue by its filters, and that nothing it does grows with what is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import event, text, update

from liaison.domain.lifecycle import OrderState
from liaison.models import Order
from liaison.queries import queue as queue_module
from liaison.queries import queue_filters
from liaison.queries.queue import Queue, emergencies_running, everything, queue
from liaison.queries.queue_places import Place
from liaison.queries.queue_views import View
from liaison.services import answers
from tests.many_orders import fill
from tests.world import World

ROUTINE = "03-cgnat-fraud-routine.json"
FOREIGN = "02-foreign-ransomware-hosting.json"


def look(world: World, who: str = "officer", *, after: Place | None = None, **args: Any) -> Queue:
    with world.database.reading() as session:
        actor = world.actor(who)
        filters, faults = queue_filters.read(session, actor, args)
        assert faults == []
        return queue(session, actor, world.now, filters=filters, after=after)


def names(found: Queue) -> list[str]:
    return [row.order.name for row in found.rows]


def change(world: World, order: Order, **values: Any) -> None:
    """Puts an order where a story wants it, without the story."""
    with world.database.transaction() as session:
        session.execute(update(Order).where(Order.id == order.id).values(**values))


def test_filters_are_met_together(world: World) -> None:
    emergency, routine, foreign = world.issue(), world.issue(ROUTINE), world.issue(FOREIGN)
    world.draft(ROUTINE)
    assert names(look(world, urgency="emergency")) == [emergency.name]
    assert names(look(world, state="issued", urgency="routine")) == [routine.name]
    party = foreign.origin["party"]
    assert names(look(world, party=party.lower())) == [foreign.name]
    assert names(look(world, party=party, urgency="routine")) == []
    assert names(look(world, provider="norvik mobile", state="issued")) == [routine.name]
    assert names(look(world, provider=str(emergency.provider_id))) == [emergency.name]
    assert names(look(world, officer=str(emergency.officer_id), q="MP-2026-0231")) == [
        emergency.name
    ]


def test_what_cannot_be_meant_is_left_out_and_said(world: World) -> None:
    order = world.issue()
    asked = {
        "view": "none such",
        "state": "lost",
        "urgency": "'; --",
        "provider": "Nobody & Sons",
        "party": "Narnia",
        "officer": str(uuid4()),
        "case": "x",
        "after": "rubbish",
    }
    with world.database.reading() as session:
        actor = world.actor("officer")
        filters, faults = queue_filters.read(session, actor, asked)
        found = queue(session, actor, world.now, filters=filters)
    assert len(faults) == 6
    assert filters == queue_filters.Filters()
    assert names(found) == [order.name]


def test_a_person_of_another_contact_point_is_nobody(world: World) -> None:
    world.issue()
    stranger = world.person("foreign_officer").id
    with world.database.reading() as session:
        asked = {"officer": str(stranger)}
        _, of_another = queue_filters.read(session, world.actor("officer"), asked)
        absent = {"officer": str(uuid4())}
        assert queue_filters.read(session, world.actor("officer"), absent)[1] == of_another


def test_a_provider_cannot_ask_for_what_it_may_not_know(world: World) -> None:
    order = world.issue()
    world.draft()
    asked: dict[str, Any] = {"officer": str(uuid4()), "party": "ZZ", "provider": "nobody"}
    asked["view"] = "drafts"
    assert names(look(world, "spoc", **asked)) == [order.name]
    for view in View:
        assert set(names(look(world, "spoc", view=view.value))) <= {order.name}


def test_who_is_waited_for(world: World) -> None:
    issued = world.issue(ROUTINE)
    asked = world.acknowledge(world.issue(ROUTINE), by="norvik_spoc")
    with world.database.transaction() as session:
        answers.ask(session, world.actor("norvik_spoc"), asked.name, "Which cell?", world.now)
    draft = world.draft(ROUTINE)
    assert set(names(look(world, view="us"))) == {asked.name, draft.name}
    assert set(names(look(world, waiting="provider"))) == {issued.name, asked.name}
    theirs = look(world, "norvik_spoc", view="us")
    assert set(names(theirs)) == {issued.name, asked.name}
    assert names(look(world, "norvik_spoc", waiting="contact-point")) == [asked.name]


def test_the_words_for_what_is_waited_for(world: World) -> None:
    kept = world.preserve(world.issue(ROUTINE), by="norvik_spoc")
    change(world, kept, extension_asked_at=world.now)
    ended = world.preserve(world.issue(ROUTINE), by="norvik_spoc")
    change(world, ended, state=OrderState.RELEASED, ended_at=world.now, disposal_wanted=True)
    doubted = world.issue(ROUTINE)
    change(world, doubted, doubt_open_since=world.now)
    at_once = world.acknowledge(world.issue(), by="spoc")
    change(world, at_once, ratify_by=world.now + timedelta(hours=4), ratified_at=None)
    submitted = world.draft(ROUTINE)
    change(world, submitted, state=OrderState.SUBMITTED)

    def words(who: str) -> dict[str, str]:
        return {row.order.name: row.waiting_for for row in look(world, who, view="all").rows}

    own, other, auditor = words("officer"), words("supervisor"), words("auditor")
    assert own[kept.name] == "Provider: the new date"
    assert own[ended.name] == "Provider: disposal"
    assert own[doubted.name] == "You: vouch"
    assert own[at_once.name] == "Another person: ratify"
    assert other[at_once.name] == "You: ratify"
    assert own[submitted.name] == "Another person: authorise"
    assert other[submitted.name] == "You: authorise"
    assert auditor[submitted.name] == "Contact point: authorise"
    theirs = words("norvik_spoc")
    assert theirs[kept.name] == "You: confirm the new date"
    assert theirs[ended.name] == "You: confirm disposal"
    assert theirs[doubted.name] == "Contact point: vouch"
    assert names(look(world, view="disposal")) == [ended.name]
    assert names(look(world, view="not-ratified")) == [at_once.name]
    assert names(look(world, view="submitted")) == [submitted.name]


def test_a_stopped_clock_is_not_late(world: World) -> None:
    order = world.issue(ROUTINE)
    world.clock.move(days=30)
    assert names(look(world, view="overdue")) == [order.name]
    change(world, order, clock_stopped_at=world.now)
    found = look(world)
    assert names(look(world, view="overdue")) == []
    assert found.counts[View.OVERDUE] == 0
    assert [row.overdue for row in found.rows] == [False]


def test_what_an_mla_request_keeps_does_not_expire(world: World) -> None:
    order = world.preserve(world.issue(ROUTINE), by="norvik_spoc", days=10)
    assert names(look(world, view="expiring")) == [order.name]
    change(world, order, mla_recorded_at=world.now)
    assert names(look(world, view="expiring")) == []
    assert names(look(world)) == [order.name]


def test_every_page_goes_on_where_the_last_one_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "PAGE", 3)
    fill(world, 60)
    for view in ("open", "all", "closed"):
        seen: list[str] = []
        place: Place | None = None
        while True:
            found = look(world, view=view, after=place)
            seen += [str(row.order.id) for row in found.rows]
            place = Place.read(str(found.next)) if found.next else None
            if place is None:
                break
        with world.database.reading() as session:
            filters = queue_filters.Filters(view=View(view))
            whole = list(everything(session, world.actor("officer"), filters, world.now, 1000))
        assert seen == [str(row.order.id) for row in whole]
        assert len(set(seen)) == len(seen) > 3


def test_several_filters_are_looked_for_a_stretch_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(world, 200)
    asked: dict[str, Any] = {"view": "all", "state": "expired", "urgency": "emergency"}
    whole = [str(row.order.id) for row in look(world, **asked).rows]
    monkeypatch.setattr("liaison.queries.queue_places.LOOKED", 7)
    seen: list[str] = []
    place: Place | None = None
    short = 0
    while True:
        found = look(world, **asked, after=place)
        seen += [str(row.order.id) for row in found.rows]
        short += found.looked_through == 7
        place = found.next
        if place is None:
            break
    assert seen == whole
    assert whole
    assert short > 3
    with world.database.reading() as session:
        actor = world.actor("officer")
        filters, _ = queue_filters.read(session, actor, asked)
        rows = everything(session, actor, filters, world.now, 1000)
        assert [str(row.order.id) for row in rows] == whole


def test_the_closed_ones_come_newest_first(world: World) -> None:
    fill(world, 80)
    closed = [row.order.ended_at for row in look(world, view="closed").rows]
    assert closed == sorted(closed, reverse=True)  # type: ignore[type-var]
    ranks = [row.order.queue_rank for row in look(world, view="all").rows]
    assert ranks == sorted(ranks)


def test_numbers_above_the_queue_are_counted_no_further_than_needed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        world.issue()
    monkeypatch.setattr(queue_module, "COUNTED_TO", 3)
    assert look(world).counts[View.EMERGENCIES] == 3
    with world.database.reading() as session:
        assert emergencies_running(session, world.actor("officer")) == 3


EVERY_FILTER: list[dict[str, Any]] = [
    *({"view": view.value} for view in View),
    {"view": "all", "state": "declined"},
    {"view": "all", "urgency": "emergency"},
    {"view": "all", "waiting": "us"},
    {"view": "all", "waiting": "provider"},
    {"view": "all", "provider": "Norvik Mobile"},
    {"view": "all", "party": "LK"},
    {"view": "all", "party": "ZZ"},
    {"view": "closed", "party": "LK", "state": "declined"},
    {"view": "all", "state": "declined", "urgency": "emergency"},
    {"view": "drills", "state": "declined"},
    {"view": "all", "q": "cp-2024-0000017"},
    {"view": "all", "q": "cp"},
    {"view": "all", "q": "10.0.0.21"},
    {"view": "all", "q": "norvik"},
    {"view": "open", "q": "norvik"},
    {"view": "all", "q": "nothing at all"},
]


ROW, SOME = 40, 30
"""Tens of steps for a row that is shown, and what does not matter."""


@contextmanager
def steps(world: World) -> Iterator[list[int]]:
    """Counts the steps of SQLite's machine: what a query costs, whoever else is busy."""
    total = [0]

    def begin(connection: Any, _record: object, _proxy: object) -> None:
        def one() -> int:
            total[0] += 1
            return 0

        raw: sqlite3.Connection = getattr(connection, "driver_connection", connection)
        raw.set_progress_handler(one, 10)

    event.listen(world.database.engine, "checkout", begin)
    yield total
    event.remove(world.database.engine, "checkout", begin)


@pytest.mark.one_database
@pytest.mark.parametrize("analysed", [False, True])
def test_no_filter_reads_more_where_more_is_stored(
    world: World, monkeypatch: pytest.MonkeyPatch, *, analysed: bool
) -> None:
    """Steps of the database with 1,000 orders and with five times as many, for the same rows."""
    monkeypatch.setattr(queue_module, "PAGE", 3)
    monkeypatch.setattr(queue_module, "COUNTED_TO", 3)
    monkeypatch.setattr("liaison.queries.finding.MOST", 3)
    monkeypatch.setattr("liaison.queries.queue_places.LOOKED", 5)

    def measured() -> dict[str, tuple[int, int]]:
        found = {}
        for who in ("officer", "norvik_spoc"):
            for args in EVERY_FILTER:
                with steps(world) as total:
                    rows = len(look(world, who, **args).rows)
                found[f"{who} {args}"] = (total[0], rows)
        return found

    def settle() -> None:
        if analysed:
            with world.database.engine.connect() as connection:
                connection.execute(text("ANALYZE"))

    fill(world, 1000)
    settle()
    few = measured()
    fill(world, 5000, begin=1000)
    settle()
    many = measured()
    grown = {
        what: (few[what], many[what])
        for what in few
        # A row that is shown costs something; one that is only stored must not.
        if many[what][0] > 1.5 * few[what][0] + ROW * (many[what][1] - few[what][1]) + SOME
    }
    assert grown == {}, grown
