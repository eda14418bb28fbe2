"""The ledger: whoever changes, removes or adds an entry by SQL is found, and which entry it was."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import rfc8785
import sqlalchemy as sa
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from liaison.clock import rfc3339
from liaison.models import Database, Entry, Stream
from liaison.models.ledger import GENESIS
from liaison.services import ledger, ledger_check
from liaison.services.ledger import Record
from liaison.services.ledger_check import Break, Head
from tests.world import ADDRESS, START, World

ENTRIES = 5


def write(database: Database, *streams: str, count: int = 1) -> None:
    """Appends entries to each stream, one transaction for each round."""
    for number in range(count):
        with database.transaction() as session:
            records = [
                Record(stream, "test.written", "person:7", {"n": number, "name": "Anahit Ō."})
                for stream in streams
            ]
            ledger.record(session, START + timedelta(minutes=number), *records)


def breaks(session: Session, **options: Any) -> list[Break]:
    """What verification finds wrong."""
    session.expire_all()
    return [found for found in ledger_check.verify(session, **options) if isinstance(found, Break)]


def entry(session: Session, stream: str, seq: int) -> Entry:
    """One entry."""
    return session.get_one(Entry, (stream, seq))


def empty(session: Session, stream: str, *seqs: int) -> None:
    """Takes data and salt of entries, and says nothing of it."""
    these = update(Entry).where(Entry.stream == stream, Entry.seq.in_(seqs))
    session.execute(these.values(data=None, salt=None))


def erase(session: Session, stream: str, *seqs: int) -> None:
    """As the end of retention will: data and salt go, and an entry names whose they were."""
    empty(session, stream, *seqs)
    ledger.record(session, START, Record(stream, ledger.ERASED, "clock", {"seqs": [*seqs]}))


Change = Callable[[Entry], dict[str, Any]]


def one_bit(text: str, place: int = 0) -> str:
    """The text with one letter turned into its neighbour."""
    return text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]


CHANGES: dict[str, Change] = {
    "type": lambda e: {"type": one_bit(e.type, 3)},
    "moment": lambda e: {"at": e.at + timedelta(microseconds=1)},
    "actor": lambda e: {"actor": one_bit(e.actor, 7)},
    "id": lambda e: {"id": UUID(int=e.id.int ^ 1)},
    "id's moment": lambda e: {"id": UUID(int=e.id.int ^ (1 << 90))},
    "data": lambda e: {"data": one_bit(e.data or "", 5)},
    "data, a space more": lambda e: {"data": f"{e.data} "},
    "salt": lambda e: {"salt": one_bit(e.salt or "")},
    "salt, written otherwise": lambda e: {"salt": f"{e.salt} "},
    "salt, no number any more": lambda e: {"salt": "x" + (e.salt or "")[1:]},
    "digest": lambda e: {"digest": one_bit(e.digest, 40)},
    "link": lambda e: {"prev": one_bit(e.prev, 63)},
    "hash": lambda e: {"hash": one_bit(e.hash)},
    "data without their salt": lambda _: {"salt": None},
    "salt without its data": lambda _: {"data": None},
    "data with a digest that fits": lambda e: {
        "data": "{}",
        "digest": hashlib.sha256(bytes.fromhex(e.salt or "") + b"{}").hexdigest(),
    },
}


@pytest.mark.parametrize("what", CHANGES)
def test_one_byte_of_one_entry_is_found_and_the_entry_is_named(
    database: Database, what: str
) -> None:
    write(database, "portal", "provider:7", count=ENTRIES)
    for seq in range(1, ENTRIES + 1):
        with database.writing() as session:
            values = CHANGES[what](entry(session, "portal", seq))
            session.execute(
                update(Entry).where(Entry.stream == "portal", Entry.seq == seq).values(**values)
            )
            assert [(b.stream, b.seq) for b in breaks(session)] == [("portal", seq)]
            session.rollback()


def test_an_entry_moved_to_another_order_is_found(world: World) -> None:
    order, other = world.issue(), world.issue()
    stream = ledger.provider_stream(order.provider_id)
    with world.database.writing() as session:
        assert breaks(session) == []
        session.execute(
            update(Entry)
            .where(Entry.stream == stream, Entry.order_id == order.id)
            .values(order_id=other.id)
        )
        assert [(b.stream, b.seq) for b in breaks(session)] == [(stream, 1)]


@pytest.mark.parametrize("seq", range(1, ENTRIES + 1))
def test_a_missing_entry_is_named(database: Database, seq: int) -> None:
    write(database, "portal", count=ENTRIES)
    with database.writing() as session:
        session.execute(sa.delete(Entry).where(Entry.seq == seq))
        (found,) = breaks(session)
        assert found.seq == seq


def test_the_rest_of_a_stream_cut_off_is_found_by_its_head(database: Database) -> None:
    write(database, "portal", count=ENTRIES)
    with database.writing() as session:
        session.execute(sa.delete(Entry).where(Entry.seq > 2))
        assert breaks(session)[0].seq == 3


def test_cut_off_with_the_head_set_back_only_a_noted_head_tells(database: Database) -> None:
    write(database, "portal", count=ENTRIES)
    with database.writing() as session:
        last = entry(session, "portal", ENTRIES)
        noted = {"portal": Head(last.seq, last.hash)}
        assert breaks(session, noted=noted) == []
        third = entry(session, "portal", 3).hash
        session.execute(sa.delete(Entry).where(Entry.seq > 3))
        session.execute(update(Stream).values(seq=3, head=third))
        assert breaks(session) == []
        assert [b.seq for b in breaks(session, noted=noted)] == [4]


def test_two_entries_that_changed_places_are_found(database: Database) -> None:
    write(database, "portal", count=ENTRIES)
    with database.writing() as session:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            session.execute(update(Entry).where(Entry.seq == old).values(seq=new))
        assert [b.seq for b in breaks(session)] == [2]


def test_an_entry_put_in_by_hand_is_found(database: Database) -> None:
    write(database, "portal", count=ENTRIES)
    with database.writing() as session:
        last = entry(session, "portal", ENTRIES)
        forged = Entry(
            stream="portal",
            seq=ENTRIES + 1,
            id=UUID(int=7),
            type="test.forged",
            at=START,
            actor="person:7",
            order_id=None,
            data=None,
            salt=None,
            digest=last.digest,
            prev=last.hash,
        )
        forged.hash = ledger.entry_hash(forged)
        forged.id = ledger.entry_id(forged)
        session.add(forged)
        session.flush()
        assert [b.seq for b in breaks(session)] == [ENTRIES + 1]


@pytest.mark.parametrize(
    ("values", "named"), [({"seq": 4}, 5), ({"seq": 6}, 6), ({"head": GENESIS}, 5)]
)
def test_a_head_that_was_moved_is_found(
    database: Database, values: dict[str, Any], named: int
) -> None:
    write(database, "portal", count=ENTRIES)
    with database.writing() as session:
        session.execute(update(Stream).values(**values))
        assert [b.seq for b in breaks(session)] == [named]


def test_entries_whose_stream_is_gone_are_found(empty_database: Database) -> None:
    """Whoever opens an SQLite file by hand has no foreign keys to stop them."""
    from liaison.services import schema

    schema.migrate(empty_database)
    write(empty_database, "portal", "provider:7", count=2)
    with empty_database.engine.connect() as connection:
        if empty_database.is_sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        else:
            connection.execute(sa.text("ALTER TABLE entry DROP CONSTRAINT fk_entry_stream_stream"))
        connection.execute(sa.text("DELETE FROM stream WHERE id = 'portal'"))
        connection.commit()
    with empty_database.reading() as session:
        assert [(b.stream, b.seq) for b in breaks(session)] == [("portal", 1)]


def test_bytes_that_are_no_text_are_a_break_and_no_trace(database: Database) -> None:
    """Whoever opens an SQLite file by hand can write anything; PostgreSQL takes no such bytes."""
    write(database, "portal", count=ENTRIES)
    with database.writing() as session:
        wild = "CAST(x'7bff7d' AS TEXT)" if database.is_sqlite else "'{\"\x01}'"
        session.execute(sa.text(f"UPDATE entry SET data = {wild} WHERE seq = 4"))
        assert [b.seq for b in breaks(session)] == [4]
        session.execute(sa.text("UPDATE entry SET actor = '' WHERE seq = 2"))
        assert [b.seq for b in breaks(session)] == [2]


def test_erased_data_leave_a_chain_that_holds(database: Database) -> None:
    """The one permitted change: retention has ended, data and salt are gone."""
    write(database, "portal", count=ENTRIES)
    with database.transaction() as session:
        erase(session, "portal", 1, 3)
    write(database, "portal")
    with database.reading() as session:
        assert breaks(session) == []
        assert ledger.entry_data(entry(session, "portal", 3)) is None
        assert ledger.entry_data(entry(session, "portal", 2)) == {"n": 1, "name": "Anahit Ō."}


def test_data_that_are_gone_without_an_erasure_are_a_break(database: Database) -> None:
    write(database, "portal", "provider:7", count=ENTRIES)
    with database.writing() as session:
        empty(session, "portal", 3, 5)
        assert [(b.stream, b.seq) for b in breaks(session)] == [("portal", 3)]


def test_an_erasure_covers_what_it_names_and_nothing_else(database: Database) -> None:
    write(database, "portal", count=ENTRIES)
    with database.writing() as session:
        empty(session, "portal", 4)
        erase(session, "portal", 1, 3)
        assert [b.seq for b in breaks(session)] == [4]


def test_an_erasure_in_another_stream_covers_nothing(database: Database) -> None:
    write(database, "portal", "provider:7", count=ENTRIES)
    with database.writing() as session:
        empty(session, "portal", 2)
        erase(session, "provider:7", 2)
        assert [(b.stream, b.seq) for b in breaks(session)] == [("portal", 2)]


def test_an_erasure_covers_only_entries_before_it(database: Database) -> None:
    """It says what was done, not what somebody may do one day."""
    with database.writing() as session:
        ledger.record(session, START, Record("portal", ledger.ERASED, "clock", {"seqs": [1, 2]}))
        ledger.record(session, START, Record("portal", "test.written", "person:7", {}))
        empty(session, "portal", 2)
        assert [b.seq for b in breaks(session)] == [2]


def test_an_erasure_whose_own_data_are_gone_covers_nothing(database: Database) -> None:
    write(database, "portal", count=2)
    with database.writing() as session:
        erase(session, "portal", 1)
        erase(session, "portal", 3)
        assert [b.seq for b in breaks(session)] == [1]


@pytest.mark.parametrize("data", [{}, {"seqs": None}, {"seqs": 2}, {"seqs": "2"}, {"seqs": [[2]]}])
def test_an_erasure_that_names_nothing_is_no_trace(
    database: Database, data: dict[str, Any]
) -> None:
    write(database, "portal", count=2)
    with database.writing() as session:
        empty(session, "portal", 2)
        ledger.record(session, START, Record("portal", ledger.ERASED, "clock", data))
        assert [b.seq for b in breaks(session)] == [2]


def test_streams_are_told_apart(database: Database) -> None:
    write(database, "portal", "provider:7", count=2)
    write(database, "provider:7", count=1)
    with database.reading() as session:
        found = {s.id: s.seq for s in ledger_check.verify(session) if isinstance(s, Stream)}
        assert found == {"portal": 2, "provider:7": 3}
        assert [s.id for s in ledger_check.verify(session, "portal") if isinstance(s, Stream)] == [
            "portal"
        ]
        assert [b.stream for b in breaks(session, stream="provider:8")] == ["provider:8"]


def test_an_entry_can_be_checked_with_nothing_but_the_contract(world: World) -> None:
    """What a provider's client does: from the JSON it polled, without our code."""
    order = world.acknowledge(world.issue())
    prev = "0" * 64
    with world.database.reading() as session:
        entries = session.scalars(
            select(Entry)
            .where(Entry.stream == ledger.provider_stream(order.provider_id))
            .order_by(Entry.seq)
        ).all()
    assert [e.type for e in entries][:1] == ["order.issued"]
    for seq, e in enumerate(entries, start=1):
        data = json.loads(e.data or "")
        salted = bytes.fromhex(e.salt or "") + rfc8785.dumps(data)
        digest = hashlib.sha256(salted).hexdigest()
        signed: dict[str, Any] = {
            "stream": e.stream,
            "seq": seq,
            "type": e.type,
            "at": rfc3339(e.at),
            "actor": e.actor,
            "order": str(e.order_id),
            "digest": digest,
            "prev": prev,
        }
        assert e.id.version == 7
        prev = hashlib.sha256(rfc8785.dumps(signed)).hexdigest()
        assert e.hash == prev


def test_names_and_case_text_stand_only_in_the_data(world: World) -> None:
    order = world.preserve(world.acknowledge(world.issue()))
    private = [order.facts, "Anahit Petrosyan", "Ruben Vardanyan", "198.51.100.24"]
    with world.database.reading() as session:
        for e in session.scalars(select(Entry)):
            outside = f"{e.stream} {e.type} {e.actor} {e.id}"
            assert not [text for text in private if text in outside]


def test_a_providers_stream_does_not_say_from_where_an_officer_acted(world: World) -> None:
    order = world.issue()
    with world.database.reading() as session:
        shared = ledger.entry_data(entry(session, ledger.provider_stream(order.provider_id), 1))
        own = session.scalars(
            select(Entry).where(
                Entry.stream == ledger.authority_stream(order.authority_id),
                Entry.type == "order.attributed",
            )
        ).one()
    assert shared is not None
    assert "via" not in shared
    assert (ledger.entry_data(own) or {})["via"]["factor"] == "totp"


def test_every_act_can_be_traced_to_a_session_an_address_and_a_factor(world: World) -> None:
    order = world.preserve(world.acknowledge(world.issue()), by="program")
    with world.database.reading() as session:
        provider = ledger.provider_stream(order.provider_id)
        acts = {
            e.type: (ledger.entry_data(e) or {})
            for e in session.scalars(select(Entry).where(Entry.stream == provider))
        }
    assert acts["order.acknowledged"]["via"]["address"] == ADDRESS
    assert acts["order.acknowledged"]["via"]["factor"] == "totp"
    assert acts["order.preserved"]["via"]["factor"] == "api-key"
    assert acts["order.preserved"]["by"]["organisation"] == "Meridian Telecom"


def test_an_act_that_fails_leaves_no_gap(database: Database) -> None:
    write(database, "portal")
    with database.writing() as session:
        ledger.record(session, START, Record("portal", "test.failed", "person:7", {}))
        session.rollback()
    write(database, "portal")
    with database.reading() as session:
        assert breaks(session) == []
        assert session.get_one(Stream, "portal").seq == 2


def test_streams_are_locked_in_the_order_of_their_ids(database: Database) -> None:
    locked: list[str] = []
    names = ["provider:7", "authority:1", "portal"]

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def _note(_c: Any, _cursor: Any, statement: str, given: Any, *_rest: Any) -> None:
        if statement.startswith("SELECT stream.seq"):  # FOR UPDATE, where rows are locked
            locked.extend(
                v
                for v in (given.values() if isinstance(given, dict) else given)
                if v in names  # beside them: what else is asked for
            )

    write(database, *names)
    locked.clear()
    write(database, *names)
    assert locked == sorted(names)


def test_writers_side_by_side_leave_no_gap_and_wait_for_each_other_in_one_order(
    database: Database,
) -> None:
    writers, rounds = 4, 12
    start = threading.Barrier(writers)

    def act(writer: int) -> None:
        streams = ["provider:7", "authority:1", f"portal-{writer}"]
        if writer % 2:
            streams.reverse()
        start.wait()
        write(database, *streams, count=rounds)

    with ThreadPoolExecutor(writers) as pool:
        for done in [pool.submit(act, writer) for writer in range(writers)]:
            done.result()
    with database.reading() as session:
        assert breaks(session) == []
        for stream in ("provider:7", "authority:1"):
            seqs = session.scalars(
                select(Entry.seq).where(Entry.stream == stream).order_by(Entry.seq)
            ).all()
            assert seqs == list(range(1, writers * rounds + 1))


def test_whoever_polls_while_others_write_misses_nothing(database: Database) -> None:
    """Reading past a serial number lost 7,093 of 15,044 entries here; the counter loses none."""
    writers, rounds = 3, 12
    start = threading.Barrier(writers + 1)

    def act() -> None:
        start.wait()
        write(database, "provider:7", count=rounds)

    seen: list[int] = []
    with ThreadPoolExecutor(writers) as pool:
        working = [pool.submit(act) for _ in range(writers)]
        start.wait()
        while len(seen) < writers * rounds:
            over = all(future.done() for future in working)
            with database.reading() as session:
                cursor = seen[-1] if seen else 0
                seen += session.scalars(
                    select(Entry.seq)
                    .where(Entry.stream == "provider:7", Entry.seq > cursor)
                    .order_by(Entry.seq)
                ).all()
            if over:
                break
        for future in working:
            future.result()
    assert seen == list(range(1, writers * rounds + 1))


def test_an_act_during_the_verification_is_no_break(database: Database) -> None:
    write(database, "authority:1", "provider:7", count=2)
    with database.reading() as session:
        walk = ledger_check.verify(session)
        assert isinstance(next(walk), Stream)
        write(database, "provider:7", count=2)
        assert isinstance(next(walk), Stream)
        assert list(walk) == []


def test_an_act_between_the_entries_and_the_head_is_walked_too(database: Database) -> None:
    """On PostgreSQL each statement of a verification sees what was committed before it."""
    write(database, "portal", count=2)
    written: list[str] = []

    @sa.event.listens_for(database.engine, "before_cursor_execute")
    def _act(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if "FROM stream" in statement and "WHERE stream.id =" in statement and not written:
            written.append(statement)
            write(database, "portal")

    with database.reading() as session:
        assert breaks(session) == []
        assert written
