"""200 programs that poll every ten seconds, while another process issues 50 orders a minute."""

from __future__ import annotations

import json
import multiprocessing
import random
import statistics
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from bench import polls_load
from bench.polls_stock import Asker
from bench.stage import ORDER
from liaison.domain.actors import Actor
from liaison.models import Database
from liaison.services import orders

EVERY = 10.0
"""Seconds between two polls of a program."""
A_MINUTE = 50


@dataclass
class Program:
    """A provider's program: where it is, what it saw, how long each answer took."""

    asker: Asker
    after: int = 0
    etag: str = ""
    seen: Counter[str] = field(default_factory=Counter)
    times: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def poll(self, port: int) -> None:
        """Once, and on while there is more."""
        more = True
        while more:
            begin = time.perf_counter()
            try:
                status, headers, body = polls_load.one(port, self._request(port))
            except OSError as error:
                self.errors.append(type(error).__name__)
                return
            self.times.append(time.perf_counter() - begin)
            more = self._read(status, headers, body)

    def _request(self, port: int) -> bytes:
        known = {"If_None_Match": self.etag} if self.etag else {}
        path, key = f"/api/v1/events?after={self.after}", f"Bearer {self.asker.key}"
        return polls_load.request(port, path, Authorization=key, **known)

    def _read(self, status: int, headers: dict[str, str], body: bytes) -> bool:
        self.etag = headers.get("etag", "")
        if status != 200:
            self.errors += [] if status == 304 else [str(status)]
            return False
        page = json.loads(body)
        self.seen.update(e["order"]["id"] for e in page["events"] if e["type"] == "order.issued")
        if page["next"] != self.after:
            self.after, self.etag = page["next"], ""
        return bool(page["more"])


@dataclass(frozen=True)
class Crowd:
    """What came of it; milliseconds. ``missed`` and ``twice`` count orders, a program each."""

    database: str
    programs: int
    polls: int
    orders: int
    p50: float
    p99: float
    longest: float
    errors: int
    missed: int
    twice: int

    @property
    def line(self) -> str:
        """As a line of text."""
        return (
            f"{self.programs} programs, {self.database}: {self.polls} polls,"
            f" {self.orders} orders issued, p50 {self.p50:.1f} ms, p99 {self.p99:.1f} ms,"
            f" longest {self.longest:.0f} ms, errors {self.errors},"
            f" orders missed {self.missed}, seen twice {self.twice}"
        )

    @property
    def json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)


def play(
    kind: str, url: str, port: int, officer: Actor, askers: list[Asker], minutes: float
) -> Crowd:
    """Every program for so long, and a round more when the last order has been issued."""
    programs = [Program(asker) for asker in askers]
    for program in programs:
        program.poll(port)  # from here on they wait for what is new
        program.times.clear()
    context = multiprocessing.get_context("spawn")
    issued: Any = context.Queue()
    names = [asker.name for asker in askers]
    writer = context.Process(target=_write, args=(url, officer, names, minutes, issued))
    writer.start()
    try:
        assert issued.get(timeout=60) is None  # it has loaded
        end = time.monotonic() + minutes * 60
        threads = [
            threading.Thread(target=_keep_polling, args=(program, port, end, n / len(programs)))
            for n, program in enumerate(programs)
        ]
        for thread in threads:
            thread.start()
        by_provider = issued.get(timeout=minutes * 60 + 60)
        for thread in threads:
            thread.join()
    finally:
        writer.join(10)
        if writer.is_alive():
            writer.terminate()
    return _crowd(kind, programs, by_provider)


def _keep_polling(program: Program, port: int, end: float, share: float) -> None:
    time.sleep(share * EVERY)
    while True:
        last = time.monotonic() > end + 2
        began = time.monotonic()
        program.poll(port)
        if last:
            return
        time.sleep(max(0.0, EVERY - (time.monotonic() - began)))


def _write(url: str, officer: Actor, names: list[str], minutes: float, issued: Any) -> None:
    """The process that issues: emergencies, at random moments, to providers at random."""
    database, dice = Database(url), random.Random(7)
    data = json.loads(ORDER.read_text(encoding="utf-8"))
    assert officer.via is not None
    assert officer.via.factor_at is not None
    moment = officer.via.factor_at
    told: dict[str, list[str]] = {}
    issued.put(None)
    end = time.monotonic() + minutes * 60
    while time.monotonic() < end:
        name = dice.choice(names)
        with database.transaction() as session:
            draft = orders.draft(session, officer, data | {"provider": name}, moment)
            order = orders.issue(session, officer, draft.name, None, moment)
            told.setdefault(name, []).append(str(order.id))
        time.sleep(min(dice.expovariate(A_MINUTE / 60), max(0.0, end - time.monotonic())))
    database.close()
    issued.put(told)


def _crowd(kind: str, programs: list[Program], told: dict[str, list[str]]) -> Crowd:
    times = [seconds * 1000 for program in programs for seconds in program.times]
    missed = twice = 0
    for program in programs:
        for order in told.get(program.asker.name, []):
            missed += program.seen[order] == 0
            twice += program.seen[order] > 1
    cuts = statistics.quantiles(times, n=100)
    return Crowd(
        kind,
        len(programs),
        len(times),
        sum(len(ids) for ids in told.values()),
        cuts[49],
        cuts[98],
        max(times),
        sum(len(program.errors) for program in programs),
        missed,
        twice,
    )
