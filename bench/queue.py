"""The queue, its filters and its search with few and with many orders: ``python -m bench.queue``.

Two databases of each kind, one with 1,000 orders and one with 100,000. They are asked in turn, so
that whatever else the machine does falls on both; the medians of each, on the clock and in this
process's own time (PostgreSQL's server is another one), through the query and for some through the
page. What is stored beside what is shown should make no difference; where more rows are shown,
showing them takes time, so their numbers stand beside.

Half of the orders are of the authority that asks. Its desk has 90 to work on (6 emergencies, 54
served, 30 to be sent) and 140 that are kept, with 1,000 stored as with 100,000; all else is
history, of it 3 in 100 kept, 5 withdrawn, 8 declined, 25 released, 59 expired. One in nineteen is
a drill, a third come from abroad. The other half is of an authority whose open work grows with
what is stored (3 in 100 open, 15 kept): its lines, and the provider's whole queue, which has both
authorities' orders, stand apart and are marked with +.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import structlog
from flask.testing import FlaskClient
from sqlalchemy import text

from bench.stage import Stage, stage_on
from liaison import create_app
from liaison.queries import queue_filters
from liaison.queries.queue import PAGE, queue
from liaison.queries.queue_places import Place
from liaison.queries.queue_views import View
from tests.many_orders import fill
from tests.postgresql import PostgreSQL

FEW, MANY = 1_000, 100_000
ROUNDS, WARM_UP = 31, 2
LIMIT = 1.5
DEEP = 50
"""Pages down."""
RESULTS = Path(__file__).parent / "queue-results.json"

ASKED: dict[str, dict[str, str]] = {
    "all open": {},
    "emergencies": {"view": "emergencies"},
    "overdue": {"view": "overdue"},
    "due today": {"view": "today"},
    "questions": {"view": "questions"},
    "expiring": {"view": "expiring"},
    "waiting for us": {"view": "us"},
    "waiting for the provider": {"view": "provider"},
    "to authorise": {"view": "submitted"},
    "not ratified": {"view": "not-ratified"},
    "drafts": {"view": "drafts"},
    "disposal open": {"view": "disposal"},
    "drills": {"view": "drills"},
    "closed": {"view": "closed"},
    "all": {"view": "all"},
    "state declined": {"view": "all", "state": "declined"},
    "urgency emergency": {"view": "all", "urgency": "emergency"},
    "waiting filter": {"view": "all", "waiting": "us"},
    "provider": {"view": "all", "provider": "Norvik Mobile"},
    "party": {"view": "all", "party": "LK"},
    "party, none": {"view": "all", "party": "ZZ"},
    "state and urgency": {"view": "all", "state": "expired", "urgency": "emergency"},
    "search: ref": {"view": "all", "q": "CP-2024-0000017"},
    "search: beginning of a ref": {"view": "all", "q": "cp-2024"},
    "search: address": {"view": "all", "q": "10.000.000.021"},
    "search: phone": {"view": "all", "q": "+374 91 000115"},
    "search: e-mail": {"view": "all", "q": "USER17@example.net"},
    "search: case number": {"view": "all", "q": "mp/2024/17"},
    "search: reference": {"view": "all", "q": "MLA-17"},
    "search: provider's reference": {"view": "all", "q": "t-17"},
    "search: provider": {"view": "all", "q": "norvik"},
    "search: nothing": {"view": "all", "q": "no such word"},
    "state and urgency, none": {"view": "all", "state": "declined", "urgency": "emergency"},
    "party, state and provider": {
        "view": "closed",
        "party": "LK",
        "state": "declined",
        "provider": "Norvik Mobile",
    },
}

BY_PROVIDER: dict[str, dict[str, str]] = {
    "provider's own: closed": {"view": "closed"},
    "provider's own: search": {"view": "all", "q": "cp-2024"},
}

GROWING: dict[str, tuple[str, dict[str, str]]] = {
    "+ all open": ("foreign_officer", {}),
    "+ emergencies": ("foreign_officer", {"view": "emergencies"}),
    "+ waiting for us": ("foreign_officer", {"view": "us"}),
    "+ provider's own: all open": ("norvik_spoc", {}),
}
"""Where open work is a share of what is stored; more rows are shown, until the page is full."""

PAGES = (
    "all open",
    "emergencies",
    "closed",
    "all",
    "state declined",
    "state and urgency",
    "search: ref",
    "search: provider's reference",
    "search: provider",
)
"""What is asked through the page, too."""


@dataclass(frozen=True)
class Span:
    """Medians in milliseconds, with few and with many orders: on the clock, and of the process."""

    few: float
    many: float
    few_cpu: float
    many_cpu: float


@dataclass(frozen=True)
class Figure:
    """One line, and how many rows are shown."""

    what: str
    database: str
    through: str
    span: Span
    rows: tuple[int, int]

    @property
    def ratio(self) -> float:
        """How much longer it takes with a hundred times the orders."""
        return self.span.many / self.span.few

    @property
    def ratio_cpu(self) -> float:
        """The same of the process's own time."""
        return self.span.many_cpu / self.span.few_cpu

    @property
    def grows(self) -> bool:
        """Whether there is more open work where more is stored."""
        return self.what.startswith("+")


@dataclass(frozen=True)
class Reader:
    """Who asks one of the two databases; the page is the officer's."""

    stage: Stage
    client: FlaskClient

    def ask(self, args: dict[str, str], who: str = "officer") -> int:
        """Through the query; how many rows came."""
        actor, now = self.stage.world.actor(who), self.stage.clock.now()
        with self.stage.database.reading() as session:
            filters, _ = queue_filters.read(session, actor, args)
            return len(queue(session, actor, now, filters=filters).rows)

    def open(self, args: dict[str, str]) -> None:
        """Through the page."""
        answer = self.client.get("/orders", query_string=args)
        assert answer.status_code == 200, answer.text

    def deep(self, place: Place | None) -> Place | None:
        """A page deep in all orders, by the place that it goes on after."""
        actor, now = self.stage.world.actor("officer"), self.stage.clock.now()
        filters = queue_filters.Filters(view=View.ALL)
        with self.stage.database.reading() as session:
            return queue(session, actor, now, filters=filters, after=place).next


def main() -> None:
    """Both databases; the kinds that are named on the command line, or all."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    figures: list[Figure] = []
    print(
        f"{'milliseconds':30} {'database':11} {'by':6} {FEW:>8,} {MANY:>8,} {'ratio':>6}"
        f" {'CPU':>8} {'CPU':>8} {'ratio':>6}  rows"
    )
    with tempfile.TemporaryDirectory(prefix="liaison-bench-") as home:
        server = PostgreSQL(durable=True)
        try:
            for kind in sys.argv[1:] or ("sqlite", "postgresql"):
                for figure in measure(kind, Path(home), server):
                    figures.append(figure)
                    _tell(figure)
        finally:
            server.stop()
    lines = [
        {**asdict(f), "ratio": round(f.ratio, 3), "ratio_cpu": round(f.ratio_cpu, 3)}
        for f in figures
    ]
    kinds = {figure.database for figure in figures}
    before = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else []
    lines += [line for line in before if line["database"] not in kinds]
    RESULTS.write_text(json.dumps(lines, indent=1) + "\n", encoding="utf-8")
    counted = [f for f in figures if not f.grows]
    slow = [f for f in counted if f.ratio > LIMIT]
    print(f"{len(counted) - len(slow)} of {len(counted)} within {LIMIT} times")
    for figure in slow:
        print(
            f"  beyond: {figure.what}, {figure.database}, by {figure.through}: {figure.ratio:.2f}"
        )


def measure(kind: str, home: Path, server: PostgreSQL) -> Iterator[Figure]:
    """Both sizes on one kind of database, asked in turn."""
    both = few, many = _reader(kind, home, server, FEW), _reader(kind, home, server, MANY)
    asked = [
        *((what, "officer", args) for what, args in ASKED.items()),
        *((what, "norvik_spoc", args) for what, args in BY_PROVIDER.items()),
        *((what, who, args) for what, (who, args) in GROWING.items()),
    ]
    for what, who, args in asked:
        rows = few.ask(args, who), many.ask(args, who)
        span = _turns(*(partial(reader.ask, args, who) for reader in both))
        yield Figure(what, kind, "query", span, rows)
        if what in PAGES:
            span = _turns(*(partial(reader.open, args) for reader in both))
            yield Figure(what, kind, "page", span, rows)
    span = _turns(*(partial(reader.deep, _deep(reader)) for reader in both))
    yield Figure("a page far down", kind, "query", span, (PAGE, PAGE))
    for reader in both:
        reader.client.application.extensions["liaison"].database.close()
        reader.stage.database.close()


def _reader(kind: str, home: Path, server: PostgreSQL, count: int) -> Reader:
    url = server.create() if kind == "postgresql" else f"sqlite:///{home}/{count}.db"
    stage = stage_on(kind, url, home)
    begin = time.perf_counter()
    fill(stage.world, count)
    with stage.database.engine.connect() as connection:
        # As the database's own housekeeping leaves it.
        vacuum = "VACUUM ANALYZE" if kind == "postgresql" else "ANALYZE"
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text(vacuum))
    print(f"· {kind}: {count:,} orders in {time.perf_counter() - begin:.0f} s", flush=True)
    client = create_app(stage.settings, stage.clock).test_client()
    stage.world.sign_in(client, "officer")
    return Reader(stage, client)


def _turns(few: Callable[[], object], many: Callable[[], object]) -> Span:
    """The medians of both; the first of each are not counted."""
    clock: tuple[list[float], list[float]] = ([], [])
    cpu: tuple[list[float], list[float]] = ([], [])
    for number in range(ROUNDS + WARM_UP):
        for which, once in enumerate((few, many)):
            begin, begin_cpu = time.perf_counter(), time.process_time()
            once()
            if number >= WARM_UP:
                clock[which].append((time.perf_counter() - begin) * 1000)
                cpu[which].append((time.process_time() - begin_cpu) * 1000)
    return Span(*(statistics.median(times) for times in (*clock, *cpu)))


def _tell(figure: Figure) -> None:
    span = figure.span
    print(
        f"{figure.what:30} {figure.database:11} {figure.through:6} {span.few:8.2f} {span.many:8.2f}"
        f" {figure.ratio:6.2f} {span.few_cpu:8.2f} {span.many_cpu:8.2f} {figure.ratio_cpu:6.2f}"
        f"  {figure.rows[0]}, {figure.rows[1]}",
        flush=True,
    )


def _deep(reader: Reader) -> Place | None:
    """The place of a page far down in all orders; of the last full one where there are few."""
    before: Place | None = None
    place: Place | None = None
    for _ in range(DEEP):
        found = reader.deep(place)
        if found is None:
            break
        before, place = place, found
    return before


if __name__ == "__main__":
    main()
