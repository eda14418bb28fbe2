"""Twenty providers' programs follow their streams while eight writers fill them, and roll back.

A short form runs with every test; ``make polling`` writes for a minute. Delays are what is tried
here: locks are held for a moment, transactions end in another order than they began, some are
rolled back, and in one story the portal is killed and started again five times.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from liaison.client import Client, Entry
from liaison.client.patience import Time
from liaison.models import Entry as Row
from liaison.models import Provider
from liaison.services import keys, ledger
from tests.polling.served import Served
from tests.world import World

WRITERS, PROGRAMS, KILLS = 8, 20, 5
PAUSE = 0.05
"""Seconds that a program sleeps at the longest, whatever the portal asks for."""

pytestmark = [
    pytest.mark.postgresql_only,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("gunicorn"),
]


class RolledBack(Exception):
    """A writer thinks better of it."""


@dataclass
class Book:
    """What was committed: by stream, number and id. Kept beside the database."""

    streams: dict[str, dict[int, UUID]]
    over: threading.Event = field(default_factory=threading.Event)
    rolled_back: int = 0

    def write(self, world: World, seed: int, seconds: float) -> None:
        """One writer, until the time is over."""
        chance, end = random.Random(seed), time.monotonic() + seconds
        while time.monotonic() < end:
            chosen = chance.sample(sorted(self.streams), chance.randint(1, 3))
            records = [
                ledger.Record(
                    stream, "order.message", "person:writer", {"n": chance.random() > 0.5}
                )
                for stream in chosen
            ]
            try:
                with world.database.transaction() as session:
                    entries = ledger.record(session, world.now, *records)
                    time.sleep(chance.random() * 0.02)  # locks are held meanwhile
                    if chance.random() < 0.2:
                        raise RolledBack
            except RolledBack:
                self.rolled_back += 1
                continue
            for entry in entries:
                self.streams[entry.stream][entry.seq] = entry.id
            time.sleep(chance.random() * 0.01)


@dataclass
class Program:
    """A provider's: what its client handed to it, in order."""

    stream: str
    key: str
    seen: list[Entry] = field(default_factory=list)

    def follow(self, url: str, book: Book) -> None:
        """Until the writers are done and the end of the stream is reached."""
        hurried = Time(sleep=lambda seconds: time.sleep(min(seconds, PAUSE)))
        with Client(url, self.key, patience=120, time=hurried) as client:
            reader = client.follow()
            while True:
                last = book.over.is_set()  # before the page: what came until then is on it
                self.seen += reader.page(wait=1)
                if last and reader.chain.is_at_end and not reader.page():
                    return


@pytest.fixture
def programs(world: World) -> list[Program]:
    """One a provider, each with a stream of its own."""
    made = []
    with world.database.transaction() as session:
        for number in range(PROGRAMS):
            provider = Provider(
                name=f"Provider {number}",
                legal_name=f"Provider {number} Ltd",
                country="AM",
                time_zone="Asia/Yerevan",
                domains=[],
                as_numbers=[],
                address_ranges=[],
                phone_prefixes=[],
                services=[],
                languages=["en"],
            )
            session.add(provider)
            session.flush()
            key = keys.make_key(session, provider, "Poller", ["read"], world.now)[1]
            made.append(Program(ledger.provider_stream(provider.id), key))
    return made


@pytest.fixture
def served(world: World, tmp_path: Path) -> Iterator[Served]:
    """The portal as it is served, on this test's database."""
    with Served(world, tmp_path) as made:
        yield made


def play(world: World, served: Served, programs: list[Program], seconds: float, kills: int) -> Book:
    """Writers and programs side by side; the portal killed so many times meanwhile."""
    book = Book({program.stream: {} for program in programs})
    with ThreadPoolExecutor(WRITERS + PROGRAMS) as pool:
        following = [pool.submit(program.follow, served.url, book) for program in programs]
        writing = [pool.submit(book.write, world, seed, seconds) for seed in range(WRITERS)]
        for _ in range(kills):
            time.sleep(seconds / (kills + 1))
            served.kill()
            served.start()
        for one in writing:
            one.result()
        book.over.set()
        for one in following:
            one.result()
    return book


def account(world: World, book: Book, programs: list[Program]) -> None:
    """Each entry reached its program once, in order, and is the one that was committed."""
    with world.database.reading() as session:
        for program in programs:
            rows = session.execute(
                select(Row.seq, Row.id).where(Row.stream == program.stream).order_by(Row.seq)
            ).all()
            stored = [(row.seq, row.id) for row in rows]
            assert stored == sorted(book.streams[program.stream].items())
            assert [(e.seq, UUID(str(e.id))) for e in program.seen] == stored
    written = sum(len(stream) for stream in book.streams.values())
    assert written > WRITERS * 10, "too little was written to try anything"
    assert book.rolled_back
    print(f"{written} entries in {len(programs)} streams, {book.rolled_back} rolled back: all came")


@pytest.mark.parametrize("kills", [0, KILLS], ids=["side by side", "portal killed"])
def test_each_entry_comes_once_and_in_order(
    world: World, served: Served, programs: list[Program], minute: int, kills: int
) -> None:
    book = play(world, served, programs, minute, kills)
    account(world, book, programs)
