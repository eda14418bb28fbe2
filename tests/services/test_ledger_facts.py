"""Rows beside orders are as many as the ledger's entries, and say the same."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from liaison.domain.vocabulary import FollowUpKind
from liaison.models import (
    Attachment,
    Blob,
    Entry,
    Order,
    OrderNote,
    Person,
    Route,
    Stream,
    ThreadMessage,
    Timer,
)
from liaison.models.ledger import GENESIS
from liaison.models.work import TimerKind
from liaison.services import authorising, doubts, follow_ups, notes, ratification, routes
from liaison.services.ledger import entry_hash, entry_id
from tests import keeping as after
from tests.services.test_ledger_orders import breaks, streams
from tests.threads import accepted, answer, ask, routine
from tests.world import World


def do(world: World, act: Callable[[Session], object]) -> None:
    """One act, committed, two minutes after the one before."""
    world.clock.move(minutes=2)
    with world.database.transaction() as session:
        act(session)


@pytest.fixture
def busy(world: World) -> Order:
    """A preserved order to which everything happened, most of it twice."""
    order = routine(world)
    name = order.name
    spoc, officer = world.actor("spoc"), world.actor("officer")
    ask(world, order, "One?", files=accepted())
    world.clock.move(minutes=2)
    answer(world, order, "Yes.")

    def note(n: int) -> Callable[[Session], object]:
        return lambda s: notes.write(s, officer, name, f"Note {n}", world.now)

    def route(n: int) -> Callable[[Session], object]:
        return lambda s: routes.report(s, spoc, name, f"Net {n}", "AS 1", world.now)

    def follow_up(n: int) -> Callable[[Session], object]:
        kind, today = FollowUpKind.MLA, world.now.date()
        return lambda s: follow_ups.record(s, officer, name, kind, f"R{n}", today, world.now)

    for number in (1, 2):
        do(world, note(number))
        do(world, route(number))
    do(world, lambda s: doubts.raise_(s, spoc, name, "Odd.", None, world.now))
    for who in ("second_officer", "supervisor"):
        world.clock.move(minutes=2)
        with world.database.transaction() as session:
            doubts.vouch(session, world.actor(who), name, None, None, world.now)
    world.preserve(order)
    do(world, lambda _: None)
    world.preserve(order, days=60)
    after.ask(world, order, days=10)
    world.clock.move(minutes=2)
    after.extend(world, order, days=10)
    for number in (1, 2):
        do(world, follow_up(number))
    return world.order(name)


def rewrite(session: Session, order: Order, type_: str) -> None:
    """Both streams without the last entry of a type, with whole chains, as a forger would."""
    last = select(Entry.at).where(Entry.order_id == order.id, Entry.type == type_)
    at = session.scalars(last.order_by(Entry.at.desc()).limit(1)).one()
    for stream in streams(order):
        rows = session.scalars(select(Entry).where(Entry.stream == stream).order_by(Entry.seq))
        kept = [
            {column.key: getattr(row, column.key) for column in Entry.__mapper__.column_attrs}
            for row in rows
            if not (row.order_id == order.id and row.at == at and is_of(row, type_))
        ]
        session.execute(sa.delete(Entry).where(Entry.stream == stream))
        session.expunge_all()
        prev = GENESIS
        for seq, values in enumerate(kept, start=1):
            entry = Entry(**{**values, "seq": seq, "prev": prev})
            entry.hash = entry_hash(entry)
            entry.id = entry_id(entry)
            session.add(entry)
            prev = entry.hash
        session.flush()
        moved = update(Stream).where(Stream.id == stream).values(seq=len(kept), head=prev)
        session.execute(moved)


def is_of(entry: Entry, type_: str) -> bool:
    """The act's own entry, or the one that attributes it."""
    return entry.type == type_ or (entry.data or "").startswith(f'{{"act":"{type_}"')


GONE = (
    "order.message",
    "order.noted",
    "order.doubted",
    "order.vouched",
    "order.route_reported",
    "order.preservation_amended",
    "order.extension_requested",
    "order.extended",
    "order.mla_recorded",
)


def test_one_of_several_entries_taken_out_of_a_rewritten_stream_is_missed(
    world: World, busy: Order
) -> None:
    for type_ in GONE:
        with world.database.writing() as session:
            assert breaks(session) == []
            rewrite(session, busy, type_)
            ((stream, named, _),) = breaks(session)
            assert (stream, named) == (streams(busy)[type_ == "order.noted"], busy.name), type_
            session.rollback()


TABLES = {
    "thread_message": ("attachment",),
    "order_note": (),
    "route": (),
    "extension": (),
    "follow_up": (),
    "vouch": (),
    "report": ("reported_target",),
    "doubt": ("vouch",),
}


def test_rows_that_are_gone_are_missed(world: World, busy: Order) -> None:
    for table, beside in TABLES.items():
        with world.database.writing() as session:
            for name in (*beside, table):
                session.execute(sa.text(f"DELETE FROM {name}"))
            found = breaks(session)
            assert {named for _, named, _ in found} == {busy.name}, table
            assert "in the ledger only 0 are there" in found[0][2]
            session.rollback()


CHANGED: tuple[tuple[type, dict[str, object], str], ...] = (
    (ThreadMessage, {"text": "forged"}, "a message, or a file beside it, is not what"),
    (ThreadMessage, {"side": "contact_point"}, "a message, or a file beside it, is not what"),
    (OrderNote, {"text": "forged"}, "a note is not what"),
    (Route, {"named": "Sevan"}, "another provider that was named is not what"),
    (Route, {"path": "AS 2"}, "another provider that was named is not what"),
    (Blob, {"content": b"forged"}, "were changed"),
)


def test_what_was_changed_beside_an_order_is_found(world: World, busy: Order) -> None:
    for row, values, said in CHANGED:
        with world.database.writing() as session:
            session.execute(update(row).values(**values))
            ((_, named, reason),) = breaks(session)
            assert named == busy.name
            assert said in reason
            session.rollback()


def test_a_file_put_in_place_of_another_is_found(world: World, busy: Order) -> None:
    with world.database.writing() as session:
        kept = session.scalars(select(Attachment)).one()
        other = accepted(content=b"Other bytes.\n")[0]
        values = {"size": 13, "content": other.content, "stored_at": world.now}
        session.execute(sa.insert(Blob).values(sha256=other.sha256, **values))
        session.execute(
            update(Attachment).where(Attachment.id == kept.id).values(sha256=other.sha256)
        )
        ((_, named, reason),) = breaks(session)
        assert (named, "a message, or a file" in reason) == (busy.name, True)


def test_texts_of_entries_that_were_erased_are_not_asked_for(world: World, busy: Order) -> None:
    with world.database.writing() as session:
        session.execute(update(Entry).values(data=None, salt=None))
        assert not [b for b in breaks(session) if b[1] is not None]


def test_a_voided_vouch_is_no_break(world: World) -> None:
    order = routine(world)
    with world.database.transaction() as session:
        doubts.raise_(session, world.actor("spoc"), order.name, "Odd.", None, world.now)
    with world.database.transaction() as session:
        doubts.vouch(session, world.actor("second_officer"), order.name, None, None, world.now)
    with world.database.transaction() as session:
        gone = session.get_one(Person, world.person("second_officer").id)
        assert doubts.void_of(session, gone, world.actor("supervisor"), world.now) == [order.name]
    with world.database.reading() as session:
        assert breaks(session) == []


def test_a_return_and_an_overdue_ratification_are_missed(world: World) -> None:
    returned = world.submit(world.draft("03-cgnat-fraud-routine.json"))
    with world.database.transaction() as session:
        actor = world.actor("supervisor")
        authorising.return_(session, actor, returned.name, "Too broad.", None, world.now)
    emergency = world.issue()
    assert emergency.ratify_by is not None
    world.clock.set(emergency.ratify_by)
    with world.database.transaction() as session:
        timer = session.scalars(select(Timer).where(Timer.kind == TimerKind.RATIFICATION)).one()
        order = session.get_one(Order, emergency.id)
        ratification.overdue(session, timer, order, world.now)
    for order, type_ in ((returned, "order.returned"), (emergency, "order.ratification_overdue")):
        with world.database.writing() as session:
            assert breaks(session) == []
            rewrite(session, order, type_)
            assert [(n, r) for _, n, r in breaks(session)] == [
                (order.name, f"its {type_} is missing")
            ]
            session.rollback()
